"""Messages are understood beside the event loop, with Rasa's results."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain

from bot.serving.processor import ServedProcessor


def made(kind: type[MessageProcessor], model: Path) -> MessageProcessor:
    store = InMemoryTrackerStore(Domain.empty())
    return kind(model, store, InMemoryLockStore(), TemplatedNaturalLanguageGenerator({}))


async def test_parse_data_is_rasas_own(trained: Path) -> None:
    model = trained / "models" / "small.tar.gz"
    served, rasas = made(ServedProcessor, model), made(MessageProcessor, model)
    for text in ("hello", "something else", ""):
        expected = await rasas.parse_message(UserMessage(text))
        assert await served.parse_message(UserMessage(text)) == expected


async def test_the_event_loop_goes_on(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = made(ServedProcessor, trained / "models" / "small.tar.gz")
    understand, may_end = served._parse_message_with_graph, threading.Event()

    def slowly(*args: Any) -> Any:
        assert may_end.wait(10), "the event loop is held up"
        return understand(*args)

    monkeypatch.setattr(served, "_parse_message_with_graph", slowly)
    parsing = asyncio.ensure_future(served.parse_message(UserMessage("hello")))
    await asyncio.sleep(0)
    assert not parsing.done()
    may_end.set()
    assert (await parsing)["text"] == "hello"
