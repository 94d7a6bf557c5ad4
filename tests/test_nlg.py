"""What is in domain.yml, said: facts filled in, answers joined, choices by their titles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.answer_model import Answer
from bot.answer_source import FixedAnswers, share, shared_answers
from bot.clinic_source import shared_clinic
from bot.nlg import ClinicNLG
from bot.reply import from_message
from bot.settings import load_settings
from tests.conftest import environment

Say = Callable[..., Any]


@pytest.fixture(scope="module")
def domain() -> Domain:
    return Domain.load("domain.yml")


@pytest.fixture
def say(domain: Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Say]:
    for name, value in environment(data_dir=tmp_path).items():
        monkeypatch.setenv(name, value)
    nlg = ClinicNLG(None, domain)  # type: ignore[arg-type]

    async def generate(name: str, parse_data: dict[str, Any] | None = None, **facts: Any) -> Any:
        said = [UserUttered("...", parse_data=parse_data)] if parse_data else []
        tracker = DialogueStateTracker.from_events("anna", said)
        message = await nlg.generate(name, tracker, "rest", **facts)
        return message and from_message(message)

    shared_answers(load_settings()).stop()
    shared_clinic(load_settings()).stop()
    yield generate


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


ANSWERS = (
    Answer(
        "faq/parking", "Parking", "Park behind {clinic}, or call {phone}.",
        ("faq/pain", "faq/removed_since", "request_callback"),
    ),
    Answer("faq/removal", "Having them removed", "We take them out.", ("faq/parking", "book_appointment")),
)  # fmt: skip


@pytest.fixture
def written(say: Say, domain: Domain) -> Say:
    """With these answers of staff."""
    share(load_settings(), FixedAnswers(ANSWERS))
    nlg = ClinicNLG(None, domain)  # type: ignore[arg-type]

    async def generate(name: str, **facts: Any) -> Any:
        message = await nlg.generate(name, DialogueStateTracker.from_events("anna", []), "rest", **facts)
        return message and from_message(message)

    return generate


async def test_a_topic_that_staff_added_is_said(written: Say) -> None:
    reply = await written("utter_faq/parking")
    assert reply.text == "Park behind Skin Matrix, or call 1300 455 792."
    assert [(step.title, step.payload) for step in reply.next_steps] == [
        ("Does it hurt?", "/faq/pain"),
        ("Call me back", "/request_callback"),
    ], "a step that leads nowhere is left out"
    assert [link.target for link in reply.links] == ["tel:1300455792"]


async def test_a_text_of_staff_takes_the_place_of_domain_yml_and_keeps_its_links(written: Say) -> None:
    reply = await written("utter_faq/removal")
    assert reply.text == "We take them out."
    assert [step.title for step in reply.next_steps] == ["Parking", "Book an appointment"], "as before"
    assert [link.title for link in reply.links] == ["Book online"]
    several = await written("utter_several", parts=[{"response": "utter_faq/parking"}])
    assert several.text.startswith("Park behind")


async def test_choices_are_offered_as_staff_call_them(written: Say) -> None:
    reply = await written("utter_ask_which", offers=["faq/parking", "faq/removal"])
    assert [step.title for step in reply.next_steps] == ["Parking", "Having them removed", "None of these"]


async def test_a_topic_without_an_answer_is_admitted(written: Say) -> None:
    assert "don't know that one" in (await written("utter_faq/gone")).text
    parts = [{"response": "utter_faq/gone", "part": "my car"}, {"response": "utter_faq/parking"}]
    assert "“my car”" in (await written("utter_several", parts=parts)).text


async def test_a_message_that_is_answered_again_gets_the_same_reply_under_the_same_id(
    domain: Domain, say: Say
) -> None:
    nlg = ClinicNLG(None, domain)  # type: ignore[arg-type]

    async def reply_id(message_id: str, name: str) -> str:
        tracker = DialogueStateTracker.from_events("anna", [UserUttered("hello", message_id=message_id)])
        message = await nlg.generate(name, tracker, "rest")
        assert message
        return str(message["custom"]["id"])

    assert await reply_id("m-1", "utter_greet") == await reply_id("m-1", "utter_greet")
    assert await reply_id("m-1", "utter_greet") != await reply_id("m-2", "utter_greet")
    assert await reply_id("m-1", "utter_greet") != await reply_id("m-1", "utter_goodbye")
