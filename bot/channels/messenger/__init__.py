"""Facebook Messenger: events are stored before they are answered, replies are stored before they are sent.

    Meta -> channel -> inbox -> dialogue -> outbox -> graph -> Meta

docs/messenger.md says how to connect a Page. Only `channel` and `dialogue` need Rasa.
"""
