"""What happens to a message from Messenger is logged under one id, from the webhook to the reply."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from bot.logs import JsonLines, turn_of
from bot.store.messenger_model import conversation_of
from tests.channels.messenger.conftest import PAGE, Clinic


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines("chat"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


async def test_one_id_from_the_webhook_to_the_reply(clinic: Clinic, lines: io.StringIO) -> None:
    await clinic.hears(clinic.meta.text("7", "What are milia?", mid="mid-7"))
    await clinic.meta.sent_to("7", 2)
    while lines.getvalue().count("A message is sent.") < 2:  # logged when Messenger's answer has come back
        await asyncio.sleep(0.01)
    turn = turn_of(conversation_of(PAGE, "7"), "mid-7")
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    of_turn = [line["message"] for line in logged if line.get("turn") == turn]
    assert "An event of Messenger is stored." in of_turn[:2]
    assert any(message.startswith("A message from facebook: answered") for message in of_turn)
    assert of_turn.count("A message is sent.") == 2
