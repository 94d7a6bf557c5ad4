"""Rasa's processor, with messages understood beside the event loop, and none of them answered twice."""

from __future__ import annotations

import asyncio
import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.shared.core.events import BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot import metrics

SECONDS_BETWEEN_SWITCHES = 0.001
"""How long a thread keeps Python from another that wants it; 5 ms, the default, is a whole message's time."""


class AnsweredBefore(Exception):
    """The conversation holds this message and what was said to it."""

    def __init__(self, said: list[dict[str, Any]]) -> None:
        super().__init__()
        self.said = said


WARMING = ("Do milia hurt?", "Is Emma Jones in on Tuesday?")
"""A known topic and an unknown one."""


class ServedProcessor(MessageProcessor):
    """A `MessageProcessor` that has the pipeline run in a thread, and answers each message once.

    The encoder and the classifier's matrices work outside of Python, so that other conversations go on
    meanwhile on another core. One thread, because components need not bear to be run by two at once. The
    conversation's lock keeps its tracker as it is while it is read there.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._understanding = ThreadPoolExecutor(1, thread_name_prefix="understanding")
        sys.setswitchinterval(SECONDS_BETWEEN_SWITCHES)

    def warm_up(self) -> None:
        """Have the pipeline load what it loads at its first message, before a visitor waits for it."""
        nobody = DialogueStateTracker.from_events("nobody", [])
        for text in WARMING:
            self._parse_message_with_graph(UserMessage(text, sender_id=nobody.sender_id), nobody, True)

    @metrics.timed("understanding")
    async def parse_message(
        self,
        message: UserMessage,
        tracker: DialogueStateTracker | None = None,
        only_output_properties: bool = True,
    ) -> dict[str, Any]:
        """What the message means (see parent class for full docstring)."""
        if self.http_interpreter:
            return await super().parse_message(message, tracker, only_output_properties)
        if tracker is None:
            tracker = DialogueStateTracker.from_events(message.sender_id, [])
        parse_data: dict[str, Any] = await asyncio.get_running_loop().run_in_executor(
            self._understanding, self._parse_message_with_graph, message, tracker, only_output_properties
        )
        self._update_full_retrieval_intent(parse_data)
        # Rasa's own goes on to compare the intent with the domain, and makes a domain each time for that;
        # a model's intents are its domain's.
        return parse_data

    async def handle_message(self, message: UserMessage) -> list[dict[str, Any]] | None:
        """Answers a message. One that comes again, to another server perhaps, is told the same again."""
        try:
            return await super().handle_message(message)
        except AnsweredBefore as before:
            for reply in before.said:
                await message.output_channel.send_response(message.sender_id, reply)
            return None

    async def _handle_message_with_tracker(self, message: UserMessage, tracker: DialogueStateTracker) -> None:
        events = list(tracker.events)
        for place in range(len(events) - 1, -1, -1):
            event = events[place]
            if isinstance(event, UserUttered) and event.message_id == message.message_id:
                raise AnsweredBefore(_said_after(events[place + 1 :]))
        await super()._handle_message_with_tracker(message, tracker)


def _said_after(events: list[Event]) -> list[dict[str, Any]]:
    """What the bot said until the next message."""
    turn = itertools.takewhile(lambda event: not isinstance(event, UserUttered), events)
    return [event.message() for event in turn if isinstance(event, BotUttered)]
