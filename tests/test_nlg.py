"""What is in domain.yml, said: facts filled in, answers joined, choices by their titles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlg import ClinicNLG
from bot.reply import from_message
from tests.conftest import environment

Say = Callable[..., Any]


@pytest.fixture(scope="module")
def domain() -> Domain:
    return Domain.load("domain.yml")


@pytest.fixture
def say(domain: Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    for name, value in environment(data_dir=tmp_path).items():
        monkeypatch.setenv(name, value)
    nlg = ClinicNLG(None, domain)  # type: ignore[arg-type]

    async def generate(name: str, parse_data: dict[str, Any] | None = None, **facts: Any) -> Any:
        said = [UserUttered("...", parse_data=parse_data)] if parse_data else []
        tracker = DialogueStateTracker.from_events("anna", said)
        message = await nlg.generate(name, tracker, "rest", **facts)
        return message and from_message(message)

    return generate


async def test_facts_are_filled_in(say: Say) -> None:
    reply = await say("utter_book_appointment")
    assert "1300 455 792" in reply.text
    assert any("source=rest" in link.target for link in reply.links)


async def test_what_a_visitor_typed_is_repeated_as_it_is(say: Say) -> None:
    reply = await say("utter_part_unknown", part="{phone} {code}")
    assert "“{phone} {code}”" in reply.text


async def test_an_unknown_response_is_none(say: Say) -> None:
    assert await say("utter_nothing") is None
    assert await say("utter_several", parts=[]) is None


async def test_several_answers_are_one_reply(say: Say) -> None:
    parts = [
        {"response": "utter_faq/pain", "part": "does it hurt"},
        {"response": "utter_part_unknown", "part": "my car"},
        {"response": "utter_ask_discount", "part": "a code"},
    ]
    reply = await say("utter_several", parts=parts)
    assert reply.text.index("prick") < reply.text.index("“my car”") < reply.text.index("miliagone")
    assert reply.code == "miliagone" and len(reply.next_steps) <= 3
    assert "/faq/pain" not in [step.payload for step in reply.next_steps]


async def test_choices_are_offered_by_their_titles(say: Say) -> None:
    reply = await say("utter_ask_which", offers=["faq/pain", "ask_price", "no_such_topic"])
    assert [(step.title, step.payload) for step in reply.next_steps] == [
        ("Does it hurt?", "/faq/pain"),
        ("Prices", "/ask_price"),
        ("None of these", "/none_of_these"),
    ]


@pytest.mark.parametrize(
    ("why", "says"),
    [("too_long", "too long"), ("empty", "can't see any words"), ("not_words", "don't know that one")],
)
async def test_i_dont_know_says_why(say: Say, why: str, says: str) -> None:
    reply = await say("utter_out_of_scope", {"unreadable": why})
    assert says in reply.text and "1300 455 792" in reply.text
