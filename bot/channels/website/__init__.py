"""The chat on the clinic's website: an input channel with its own transport, and the widget that speaks it.

docs/website.md is for whoever puts the chat on a page; its second part describes the requests.
"""

from bot.channels.website.channel import WebsiteChannel

__all__ = ["WebsiteChannel"]
