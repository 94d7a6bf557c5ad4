"""A turn that fails or is late: the phone line, and a conversation that holds what was seen, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bot.serving.standin import install

install()

from rasa.core.channels.channel import UserMessage  # noqa: E402
from rasa.core.tracker_store import InMemoryTrackerStore  # noqa: E402
from rasa.shared.core.domain import Domain  # noqa: E402
from rasa.shared.core.events import BotUttered, Event, UserUttered  # noqa: E402

from bot.channels.turn import ReplyOutput, Turns  # noqa: E402
from bot.model import Reply  # noqa: E402
from bot.settings import load_settings  # noqa: E402
from bot.texts import load_texts  # noqa: E402

ANNA = "website-anna"


class Shown(ReplyOutput):
    """What a visitor has seen."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def send_reply(self, recipient_id: str, reply: Reply) -> None:
        self.texts.append(reply.text)


class Clinic:
    """Where one message is answered, in a way that the test says."""

    def __init__(self, tmp_path: Any) -> None:
        settings = load_settings({"MILIA_DATA_DIR": str(tmp_path)}, tmp_path / ".env")
        self.texts = load_texts(settings)
        self.turns = Turns("website", settings, self.texts, time_limit=0.05)
        self.store = InMemoryTrackerStore(Domain.empty())
        self.trouble = self.texts.reply("utter_trouble").text

    async def holds(self, *events: Event) -> None:
        """Another server, or this one a moment ago, has added to the conversation."""
        tracker = await self.store.get_or_create_tracker(ANNA)
        tracker.update_with_events(list(events), Domain.empty())
        await self.store.save(tracker)

    async def says(self, answer: Callable[[UserMessage], Any]) -> list[str]:
        """What the visitor has seen when the message is answered in this way."""
        output = Shown()
        await self.turns.run(answer, "Does it hurt?", ANNA, output, self.store, message_id="message-1")
        return output.texts

    async def kept(self) -> Sequence[str | None]:
        tracker = await self.store.retrieve(ANNA)
        said = tracker.events if tracker else ()
        return [event.text for event in said if isinstance(event, (UserUttered, BotUttered))]


@pytest.fixture
def clinic(tmp_path: Any) -> Clinic:
    return Clinic(tmp_path)


async def test_a_turn_that_is_late_is_kept_with_the_phone_line(clinic: Clinic) -> None:
    async def never(message: UserMessage) -> None:
        await asyncio.Event().wait()

    assert await clinic.says(never) == [clinic.trouble]
    assert await clinic.kept() == ["Does it hurt?", clinic.trouble]


async def test_a_turn_that_fails_is_kept_with_what_it_brought(clinic: Clinic) -> None:
    async def breaks(message: UserMessage) -> None:
        await message.output_channel.send_response(ANNA, {"text": "A little."})
        raise RuntimeError("broken on purpose")

    assert await clinic.says(breaks) == ["A little."]
    assert await clinic.kept() == ["Does it hurt?", "A little."]


async def test_a_message_that_another_server_has_answered_meanwhile_keeps_that_answer(clinic: Clinic) -> None:
    """This one hung, and goes on when the time for its turn is over."""

    async def hangs(message: UserMessage) -> None:
        await clinic.holds(UserUttered("Does it hurt?", message_id="message-1"), BotUttered("A little."))
        await clinic.holds(UserUttered("Thanks!", message_id="message-2"), BotUttered("You're welcome."))
        await asyncio.Event().wait()

    assert await clinic.says(hangs) == [clinic.trouble]
    assert await clinic.kept() == ["Does it hurt?", "A little.", "Thanks!", "You're welcome."]


async def test_a_message_that_is_stored_without_an_answer_gets_the_phone_line(clinic: Clinic) -> None:
    async def says_nothing(message: UserMessage) -> None:
        await clinic.holds(UserUttered("Does it hurt?", message_id="message-1"))

    assert await clinic.says(says_nothing) == [clinic.trouble]
    assert await clinic.kept() == ["Does it hurt?", clinic.trouble]
