"""What is answered to an event: a turn of the conversation, a welcome, or a word about attachments."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.events import BotUttered, UserUttered

from bot.channels.messenger.profile import GET_STARTED
from bot.channels.messenger.render import Message, Renderer
from bot.channels.turn import OnNewMessage, ReplyOutput, Turns
from bot.model import Button, Reason, Reply, UnansweredQuestion, utc_now
from bot.reply import from_message
from bot.settings import Settings
from bot.store.messenger_model import CHANNEL, EventKind, InboxEvent, Thread, Waiting
from bot.store.recorder import Recorder

MOST_ATTEMPTS = 5
"""After so many attempts that ended with the server, an event gets the phone line for an answer."""


@dataclass(frozen=True)
class Answer:
    """The messages that answer an event, as Graph takes them.

    introduced: whether the person has now been told that an automated assistant is writing.
    """

    messages: list[Message]
    introduced: bool


class Collected(ReplyOutput):
    """Keeps the replies of a turn, to be queued together."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    async def send_reply(self, recipient_id: str, reply: Reply) -> None:
        self.replies.append(reply)


class Dialogue:
    """Answers the events of Messenger."""

    def __init__(
        self,
        settings: Settings,
        turns: Turns,
        on_new_message: OnNewMessage,
        tracker_store: TrackerStore,
        recorder: Recorder,
    ) -> None:
        self._settings = settings
        self._turns = turns
        self._texts = turns.texts
        self._on_new_message = on_new_message
        self._tracker_store = tracker_store
        self._recorder = recorder

    async def answer(self, waiting: Waiting) -> Answer:
        """The answer to an event; empty while a person of the clinic has the thread."""
        event, thread = waiting.event, waiting.thread
        if thread.paused(utc_now()):
            return Answer([], introduced=False)
        if waiting.attempts > MOST_ATTEMPTS:
            trouble = self._texts.reply("utter_trouble")
            return self._rendered(event, [*self._introduction(thread), trouble])
        button = self._chosen(event)
        if button.payload == GET_STARTED.payload if button else not event.text.strip():
            return self._rendered(event, [self._texts.reply("utter_messenger_welcome")])
        text = self._turns.signed(button, event.conversation) if button else event.text
        replies = await self._replies(event, text, again=waiting.attempts > 1)
        return self._rendered(event, [*self._introduction(thread), *replies])

    # ------------------------------------------------------------ what is said

    def _introduction(self, thread: Thread) -> list[Reply]:
        """Says that it is automated: at the start, and after a person of the clinic has taken part."""
        if thread.human:
            return [self._texts.reply("utter_messenger_back")]
        return [] if thread.welcomed else [self._texts.reply("utter_messenger_notice")]

    async def _replies(self, event: InboxEvent, text: str, again: bool) -> list[Reply]:
        if event.kind is EventKind.ATTACHMENT:
            await self._recorder.record_async(self._unsupported(event))
            return [self._texts.reply("utter_unsupported")]
        if again and (said := await self._said_already(event)):
            return said
        output = Collected()
        await self._turns.run(
            self._on_new_message, text, event.conversation, output, self._tracker_store, message_id=event.key
        )
        return output.replies

    async def _said_already(self, event: InboxEvent) -> list[Reply]:
        """The replies of a turn that was stored before the server could queue them."""
        tracker = await self._tracker_store.retrieve_full_tracker(event.conversation)
        replies: list[Reply] = []
        found = False
        for past in tracker.events if tracker else ():
            if isinstance(past, UserUttered):
                if found:
                    break
                found = past.message_id == event.key
            elif found and isinstance(past, BotUttered):
                replies.append(from_message(past.message()))
        return replies

    def _unsupported(self, event: InboxEvent) -> UnansweredQuestion:
        """For staff: that something was sent which the bot can't read. Where it lies is not kept."""
        told = f"{event.page}\0{event.key}".encode()
        return UnansweredQuestion(
            self._settings.person(CHANNEL, event.conversation),
            f"[{event.text}]",
            Reason.UNSUPPORTED,
            id=hashlib.sha256(told).hexdigest()[:32],
            asked_at=event.at,
        )

    def _chosen(self, event: InboxEvent) -> Button | None:
        """The button of this conversation, or of the menu that everybody has."""
        if not event.payload:
            return None
        return self._turns.button(event.payload, event.conversation) or self._turns.button(
            event.payload, CHANNEL
        )

    def _rendered(self, event: InboxEvent, replies: list[Reply]) -> Answer:
        renderer = renderer_for(self._turns, event.conversation)
        messages = [message for reply in replies for message in renderer.messages(reply)]
        return Answer(messages, introduced=True)


def renderer_for(turns: Turns, conversation: str) -> Renderer:
    """Renders replies for one conversation."""

    def page_title(number: int, pages: int) -> str:
        return turns.texts.reply("utter_messenger_page", page=str(number), pages=str(pages)).text

    return Renderer(lambda button: turns.signed(button, conversation), page_title)
