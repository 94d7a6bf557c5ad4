"""One turn, the same on every channel: what came in becomes a message, every way out gives a reply.

A channel hands over typed text or a button's payload and an output that knows how to render a `Reply`.
Typed text never becomes a command; only a payload that the bot signed for this conversation does.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.events import BotUttered, Event, UserUttered

from bot import logs, metrics
from bot.model import Button, Reply
from bot.payloads import sign, verify
from bot.reply import from_message, to_message
from bot.settings import Settings
from bot.texts import Texts

logger = logging.getLogger(__name__)

SECONDS_FOR_A_TURN = 4.5
"""After which a visitor is given the phone line, so that nobody waits longer than 5 s for a reply."""
MAX_STORED_CHARACTERS = 5_000
CUT_MARK = " [cut]"

OnNewMessage = Callable[[UserMessage], Awaitable[Any]]


class ReplyOutput(OutputChannel):
    """An output channel that renders whole replies. Subclasses say how in `send_reply`."""

    sent: tuple[Reply, ...] = ()

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        reply = from_message(message)
        self.sent = (*self.sent, reply)
        await self.send_reply(recipient_id, reply)

    async def send_reply(self, recipient_id: str, reply: Reply) -> None:
        """Brings one reply to the person."""
        raise NotImplementedError


class Turns:
    """Runs the turns of one channel.

    Args:
        channel: its name, kept with every message.
        time_limit: seconds after which the visitor is helped without an answer.
    """

    def __init__(
        self, channel: str, settings: Settings, texts: Texts, time_limit: float = SECONDS_FOR_A_TURN
    ) -> None:
        self.channel = channel
        self.texts = texts
        self.time_limit = time_limit
        self._key = settings.signing_key("buttons")

    def signed(self, button: Button, conversation: str) -> str:
        """The payload under which a button is sent to a person."""
        return sign(button, conversation, self._key)

    def button(self, text: str, conversation: str) -> Button | None:
        """The button whose payload this text is, if the bot sent it to this conversation."""
        return verify(text, conversation, self._key)

    async def run(
        self,
        on_new_message: OnNewMessage,
        text: str,
        conversation: str,
        output: ReplyOutput,
        store: TrackerStore,
        metadata: Mapping[str, Any] | None = None,
        message_id: str | None = None,
    ) -> None:
        """Answers one message; always sends at least one reply, also when everything behind it fails.

        store: where the conversation is kept; what was said in a turn that failed is added there.
        """
        message = self.message(text, conversation, output, metadata, message_id)
        with logs.turn(logs.turn_of(conversation, message.message_id)), metrics.UNDER_WAY.track_inprogress():
            begun = time.perf_counter()
            result = await self._answer(on_new_message, message, output, store)
            seconds = time.perf_counter() - begun
            metrics.TURNS.labels(self.channel, result).inc()
            metrics.STAGE.labels("turn").observe(seconds)
            fields = {"channel": self.channel, "result": result, "seconds": round(seconds, 4)}
            told = "A message from %s: %s, %d replies, %.3f s."
            logger.info(told, self.channel, result, len(output.sent), seconds, extra={"fields": fields})

    async def _answer(
        self, on_new_message: OnNewMessage, message: UserMessage, output: ReplyOutput, store: TrackerStore
    ) -> str:
        """Has a message answered; says how, in the words of `metrics.TURNS`."""
        result = "trouble"
        try:
            await asyncio.wait_for(on_new_message(message), self.time_limit)
            if output.sent:
                return "answered"
        except asyncio.TimeoutError:
            result = "late"
            logger.error(
                "A turn took longer than %s s; the visitor was given the phone line.", self.time_limit
            )
        except Exception:
            logger.exception("A turn failed; the visitor was given the phone line.")
        trouble = () if output.sent else (self.texts.reply("utter_trouble"),)
        for reply in trouble:
            await output.send_reply(message.sender_id, reply)
        try:
            await _keep(store, message, output.sent, trouble)
        except Exception:
            logger.exception("What was said in a turn that failed could not be kept.")
        return result

    def message(
        self,
        text: str,
        conversation: str,
        output: ReplyOutput,
        metadata: Mapping[str, Any] | None = None,
        message_id: str | None = None,
    ) -> UserMessage:
        """The message for Rasa: a chosen button skips the understanding, typed text is never a command."""
        button = self.button(text, conversation)
        parse_data = parsed_button(button) if button else None
        if len(text) > MAX_STORED_CHARACTERS:
            text = text[:MAX_STORED_CHARACTERS] + CUT_MARK
        return UserMessage(
            button.title if button else text,
            output,
            conversation,
            parse_data=parse_data,
            input_channel=self.channel,
            message_id=message_id,
            metadata=dict(metadata or {}),
        )


async def _keep(
    store: TrackerStore, message: UserMessage, said: Sequence[Reply], trouble: Sequence[Reply]
) -> None:
    """Adds a turn that failed to its conversation, so that the visitor finds it there after a reload.

    Nothing, when the conversation holds an answer: the turn was stored all the same, or another server, to
    which the message came again while this one hung, has answered.

    said: the replies that it brought before it failed.
    trouble: the reply of the channel itself, which knows nothing of turns.
    """
    tracker = await store.get_or_create_tracker(message.sender_id)
    after = itertools.dropwhile(lambda event: not _is(event, message), tracker.events)
    stored = next(after, None) is not None
    turn = itertools.takewhile(lambda event: not isinstance(event, UserUttered), after)
    if any(isinstance(event, BotUttered) for event in turn):
        return
    if not stored:
        # Without an intent: the conversation goes on from where it was before this message.
        channel, of_message = message.input_channel, message.message_id
        tracker.update(UserUttered(message.text, input_channel=channel, message_id=of_message))
    for reply in (*said, *trouble):
        shown = to_message(reply)
        tracker.update(BotUttered(shown.pop("text"), shown))
    await store.save(tracker)


def _is(event: Event, message: UserMessage) -> bool:
    return isinstance(event, UserUttered) and event.message_id == message.message_id


def parsed_button(button: Button) -> dict[str, Any]:
    """The parse data of a button's payload such as `/ask_price` or `/faq/pain`."""
    full_intent = button.payload[1:]
    intent, _, key = full_intent.partition("/")
    parsed: dict[str, Any] = {
        "text": button.title,
        "intent": {"name": intent, "confidence": 1.0},
        "entities": [],
        "button": True,
    }
    if key:
        parsed["response_selector"] = {
            "all_retrieval_intents": [intent],
            intent: {
                "response": {
                    "responses": [],
                    "confidence": 1.0,
                    "intent_response_key": full_intent,
                    "utter_action": f"utter_{full_intent}",
                },
                "ranking": [],
            },
        }
    return parsed
