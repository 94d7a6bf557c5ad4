"""Messages are understood by whoever is free, in this process or beside it, and by somebody whatever happens."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.trackers import DialogueStateTracker

from bot.serving import understanding as module
from bot.serving.agent import ServedAgent
from bot.serving.processor import ServedProcessor
from bot.serving.understanding import Question, Understanding


@pytest.fixture
def model(trained: Path) -> Path:
    return trained / "models" / "small.tar.gz"


@pytest.fixture
async def agent(model: Path) -> AsyncIterator[ServedAgent]:
    """With one process beside, which has the model."""
    beside = Understanding(processes=1)
    await beside.start()
    agent = ServedAgent(understanding=beside)
    await agent.load(model)
    yield agent
    await beside.close()


def pid_of(understanding: Understanding) -> int:
    return understanding._processes[0]._process.pid


async def parsed(agent: ServedAgent, text: str) -> dict[str, Any]:
    assert isinstance(agent.processor, ServedProcessor)
    return await agent.processor.parse_message(UserMessage(text))


@pytest.fixture
def thread(agent: ServedAgent, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the thread was asked to understand."""
    assert isinstance(agent.processor, ServedProcessor)
    asked: list[str] = []
    understand = agent.processor._parse_message_with_graph

    def noting(message: UserMessage, *others: Any) -> Any:
        asked.append(str(message.text))
        return understand(message, *others)

    monkeypatch.setattr(agent.processor, "_parse_message_with_graph", noting)
    return asked


async def test_a_process_understands_what_the_thread_would(
    agent: ServedAgent, model: Path, thread: list[str]
) -> None:
    alone = ServedAgent()
    await alone.load(model)
    texts = ("hello", "when are you open", "something else", "")
    beside = await asyncio.gather(*(parsed(agent, text) for text in texts))
    assert beside == [await parsed(alone, text) for text in texts]
    assert not thread


async def test_messages_that_wait_together_are_understood_as_each_alone(
    agent: ServedAgent, thread: list[str]
) -> None:
    texts = ["hello", "when are you open", "something else", "", "hello", "book a visit"]
    alone = [await parsed(agent, text) for text in texts]
    os.kill(pid_of(agent.understanding), signal.SIGSTOP)  # so that all of them wait
    waiting = [asyncio.ensure_future(parsed(agent, text)) for text in texts]
    await asyncio.sleep(0)
    os.kill(pid_of(agent.understanding), signal.SIGCONT)
    assert await asyncio.gather(*waiting) == alone
    assert not thread


async def test_a_message_that_a_process_cannot_understand_is_the_threads(agent: ServedAgent) -> None:
    def told(text: Any) -> Question:
        question = {"text": text, "told": {"events": [], "slots": {}, "loop": None}}
        return Question(agent.processor._name, lambda: {"text": "by the thread"}, lambda: question)

    both = [agent.understanding.understand(told(text)) for text in ([], "hello")]
    assert [found["text"] for found in await asyncio.gather(*both)] == ["by the thread", "hello"]


async def test_what_a_process_had_when_it_was_killed_is_understood_and_another_one_started(
    agent: ServedAgent, thread: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REST", 0.0)
    first = pid_of(agent.understanding)
    os.kill(first, signal.SIGSTOP)  # so that it has the messages when it is killed
    waiting = [asyncio.ensure_future(parsed(agent, text)) for text in ("hello", "when are you open")]
    await asyncio.sleep(0)
    os.kill(first, signal.SIGKILL)
    assert [found["text"] for found in await asyncio.gather(*waiting)] == ["hello", "when are you open"]
    assert len(thread) == 2
    await asyncio.gather(*agent.understanding._replacing)
    assert pid_of(agent.understanding) != first
    assert (await parsed(agent, "hello"))["text"] == "hello"
    assert len(thread) == 2


async def test_a_process_that_hangs_is_given_up(
    agent: ServedAgent, thread: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REST", 0.0)
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    first = pid_of(agent.understanding)
    os.kill(first, signal.SIGSTOP)
    assert (await parsed(agent, "hello"))["text"] == "hello"
    assert thread == ["hello"]
    await asyncio.gather(*agent.understanding._replacing)
    assert pid_of(agent.understanding) != first


async def test_answers_go_to_who_asked_also_when_somebody_has_gone(
    agent: ServedAgent, thread: list[str]
) -> None:
    left = asyncio.ensure_future(parsed(agent, "hello"))
    await asyncio.sleep(0)
    left.cancel()
    assert (await parsed(agent, "when are you open"))["text"] == "when are you open"
    assert not thread


async def test_while_a_process_loads_a_model_the_thread_understands(
    agent: ServedAgent, model: Path, thread: list[str]
) -> None:
    loading = asyncio.ensure_future(agent.load(model))
    while agent.understanding._processes[0]._model:
        await asyncio.sleep(0)
    assert (await parsed(agent, "hello"))["text"] == "hello"
    assert thread == ["hello"]
    await loading
    assert (await parsed(agent, "hello"))["text"] == "hello"
    assert thread == ["hello"]


async def test_a_message_is_understood_by_the_model_that_it_came_to(
    agent: ServedAgent, model: Path, thread: list[str]
) -> None:
    old = agent.processor
    assert isinstance(old, ServedProcessor)
    await agent.load(model)
    assert (await parsed(agent, "hello"))["text"] == "hello"
    assert not thread
    assert (await old.parse_message(UserMessage("hello")))["text"] == "hello"
    assert thread == ["hello"]


async def test_a_model_that_a_process_cannot_load_is_the_threads(
    agent: ServedAgent, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes(b"no archive")
    await agent.understanding.load("damaged", damaged)
    assert "can't load the model" in caplog.text
    question = Question("damaged", lambda: {"text": "by the thread"}, dict)
    assert await agent.understanding.understand(question) == {"text": "by the thread"}


async def test_without_processes_nothing_is_started(model: Path) -> None:
    agent = ServedAgent()
    await agent.load(model)
    assert not agent.understanding._processes
    assert isinstance(agent.processor, ServedProcessor)
    tracker = DialogueStateTracker.from_events("visitor", [])
    assert (await agent.processor.parse_message(UserMessage("hello"), tracker))["text"] == "hello"
