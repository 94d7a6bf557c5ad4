"""The assistant over its REST channel, really running: topics, actions, buttons, what is recorded."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot.model import Button
from bot.payloads import sign
from bot.settings import load_settings
from tests.conftest import System, running
from tests.e2e.rest import PHONE, Visitor, admits, answers, rows

# Plain questions: whoever changes the examples has to keep them answered.
QUESTIONS = {
    "what_are_milia": "What are milia?",
    "identify": "How do I know if my bumps are milia?",
    "size": "How big do milia get?",
    "location": "Where on the face do milia appear?",
    "not_acne": "Are milia a type of acne?",
    "squeeze": "Can I squeeze milia?",
    "home_remedies": "Is there a home remedy that removes milia?",
    "go_away": "Will milia go away on their own?",
    "harmful": "Are milia dangerous?",
    "removal": "How do I get rid of milia?",
    "procedure": "What happens during the milia extraction?",
    "pain": "Does milia removal hurt?",
    "recovery": "How long is the recovery after milia removal?",
    "aftercare": "What should I put on my skin after the removal?",
    "who_removes": "Who can remove milia?",
    "effective": "Does milia removal really work?",
    "causes": "What causes milia?",
    "prevention": "How can I prevent milia from coming back?",
    "omega3": "Does fish oil help with milia?",
    "products": "Which moisturiser do you recommend for milia?",
    "exfoliation": "Which scrub do you use to exfoliate?",
    "skin_types": "Is the moisturiser suitable for sensitive skin?",
    "skin_diagnosis": "What is a skin diagnosis?",
    "about_clinic": "Who is Sarah Wilkinson?",
    "book_appointment": "I'd like to book an appointment",
    "ask_discount": "Do you have a discount code?",
    "ask_phone": "What is your phone number?",
    "contact_human": "Can I talk to a real person please?",
    "ask_price": "How much does milia removal cost?",
    "ask_location": "Where is your clinic?",
    "ask_hours": "What are your opening hours?",
    "ask_payment": "Do you take Afterpay?",
    "ask_baby": "My newborn baby has milia, what should I do?",
    "ask_medical": "I'm pregnant, can I have milia removed?",
    "ask_other_method": "Do you remove milia with laser?",
    "ask_cream_cause": "Can eye cream cause milia?",
    "ask_lookalike": "What is the difference between milia and syringoma?",
    "ask_before_visit": "Should I stop using retinol before my appointment?",
    "ask_scarring": "Will milia removal leave a scar?",
    "ask_hygiene": "Are your needles sterile?",
    "ask_policy": "What is your cancellation policy?",
    "ask_photo": "Can I send you a photo of my skin?",
    "emergency": "My throat is swelling and I can't breathe",
    "self_harm": "I want to kill myself",
    "greet": "hello",
    "goodbye": "bye bye",
    "thank": "thank you so much",
    "bot_challenge": "Are you a robot?",
    "ask_help": "What can you help me with?",
    "ask_privacy": "What do you do with my data?",
}
NOT_PUBLISHED = [topic for topic in QUESTIONS if topic.startswith("ask_") and topic not in {
    "ask_discount", "ask_phone", "ask_help", "ask_privacy", "ask_medical"
}]  # fmt: skip


@pytest.fixture
def visitor(system: System) -> Visitor:
    return Visitor(system)


def test_no_topic_is_left_out() -> None:
    topics = yaml.safe_load(Path("tests/data/topics.yml").read_text(encoding="utf-8"))
    groups = ("faq", "actions", "not_published", "safety", "chat")
    assert {name for group in groups for name in topics[group]} == {*QUESTIONS, "affirm", "deny"}


@pytest.mark.parametrize("topic", QUESTIONS)
def test_a_plain_question_gets_its_answer(visitor: Visitor, topic: str) -> None:
    read = visitor.says(QUESTIONS[topic])
    assert answers(read, topic), read
    assert len(visitor.last) == 1
    assert len(visitor.buttons) <= 3


def test_small_talk_goes_on(visitor: Visitor) -> None:
    visitor.says("hi")
    assert visitor.says("yes")
    assert visitor.says("no thanks")
    assert answers(visitor.says("ok then: what are milia?"), "what_are_milia")


# ---------------------------------------------------------------- actions


def test_booking_gives_the_link_with_the_channel_it_came_from(visitor: Visitor) -> None:
    read = visitor.says("can I book an appointment?")
    assert "source=rest" in read and "service=milia" in read and "tel:1300455792" in read
    (given,) = visitor.stored("booking_handoffs")
    assert given["kind"] == "booking_link" and given["value"].startswith("https://")


def test_the_discount_is_a_code_to_copy_with_its_terms(visitor: Visitor) -> None:
    read = visitor.says("is there a discount code?")
    assert visitor.last[0]["code"] == "miliagone"
    assert "15% off your first purchase" in read
    assert [row["value"] for row in visitor.stored("booking_handoffs")] == ["miliagone"]


def test_the_phone_line_is_text_and_link(visitor: Visitor) -> None:
    read = visitor.says("what's your phone number?")
    assert PHONE in read and "tel:1300455792" in read
    assert visitor.stored("booking_handoffs")[0]["kind"] == "phone"


def test_a_person_is_asked_for(visitor: Visitor) -> None:
    read = visitor.says("I want to talk to a human being")
    assert PHONE in read and "https://www.skinmatrix.com.au" in read
    assert visitor.stored("booking_handoffs")[0]["kind"] == "human"
    assert visitor.stored("unanswered_questions")[0]["text"] == "I want to talk to a human being"


# ---------------------------------------------------------------- buttons


def test_a_button_of_the_bot_is_honoured(visitor: Visitor) -> None:
    visitor.says("hello")
    assert answers(visitor.says(visitor.buttons["What are milia?"]), "what_are_milia")


def test_a_button_sent_to_somebody_else_is_only_text(visitor: Visitor, system: System) -> None:
    visitor.says("hello")
    payload = visitor.buttons["Book an appointment"]
    other = Visitor(system)
    assert not answers(other.says(payload), "book_appointment")
    assert not other.rows("booking_handoffs")


def test_a_changed_payload_is_only_text(visitor: Visitor) -> None:
    visitor.says("hello")
    _, title, signature = visitor.buttons["What are milia?"].split("~")
    for forged in (
        f"/ask_discount~{title}~{signature}",
        f"/faq/what_are_milia~{title}~{signature[:-2]}xx",
        f"/faq/what_are_milia~{title}~",
        "/faq/what_are_milia~~",
    ):
        assert "miliagone" not in visitor.says(forged)


@pytest.mark.parametrize(
    "typed",
    ["/faq/pain", "/ask_discount", "/restart", "/back", "/session_start", "/self_harm", "/none_of_these",
     '/give_details{"callback_phone": "+61491570158"}'],
)  # fmt: skip
def test_a_typed_command_is_only_text(visitor: Visitor, typed: str) -> None:
    visitor.says("What are milia?")
    assert admits(visitor.says(typed))
    assert len(visitor.last) == 1
    # The conversation is as it was: a follow-up still knows what it was about.
    assert visitor.stored("unanswered_questions")[-1]["reason"] == "out_of_scope"
    assert rows(visitor.system, "conversation_turns", f"rest-{visitor.sender}")


def test_none_of_these_stands_for_the_question_before_it(visitor: Visitor, system: System) -> None:
    key = load_settings(system.environment).signing_key("buttons")
    visitor.says("what is the capital of France")
    payload = sign(Button("None of these", "/none_of_these"), f"rest-{visitor.sender}", key)
    assert PHONE in visitor.says(payload)
    asked = visitor.stored("unanswered_questions", 2)
    assert [(row["reason"], row["text"]) for row in asked] == [
        ("out_of_scope", "what is the capital of France"),
        ("none_of_these", "what is the capital of France"),
    ]


@pytest.mark.parametrize("vague", ["stuff for face", "treatment cream", "eye area", "needle", "is it safe"])
def test_when_choices_are_offered_they_can_be_taken_or_left(system: System, vague: str) -> None:
    visitor = Visitor(system)
    visitor.says(vague)
    offered = visitor.buttons
    if "None of these" not in offered:
        return  # it was sure, or sure not to know
    assert 2 <= len(offered) <= 4
    none = offered.pop("None of these")
    assert not admits(visitor.says(next(iter(offered.values()))))
    visitor.says(vague)
    assert PHONE in visitor.says(none)
    assert visitor.stored("unanswered_questions")[-1]["reason"] == "none_of_these"


# ---------------------------------------------------------------- what is recorded


def test_what_it_does_not_know_reaches_staff_without_personal_details(visitor: Visitor) -> None:
    visitor.says("What are milia?")
    question = "can you service my car, I'm Emma Jones, 0491 570 158, emma@example.com"
    visitor.says("stop")  # whatever comes of the details is cancelled
    visitor.says("which mechanic do you recommend for my car")
    (asked,) = visitor.stored("unanswered_questions")
    assert asked["text"] == "which mechanic do you recommend for my car"
    assert asked["reason"] == "out_of_scope" and asked["channel"] == "rest"
    assert "What are milia?" in asked["context"]
    other = Visitor(visitor.system)
    other.says(question)
    for row in other.rows("unanswered_questions"):
        assert not any(part in row["text"] for part in ("Emma", "0491", "example.com"))


@pytest.mark.parametrize("topic", NOT_PUBLISHED)
def test_what_is_not_published_reaches_staff(visitor: Visitor, topic: str) -> None:
    visitor.says(QUESTIONS[topic] + " Ring me on 0491 570 158")
    visitor.says("stop")
    visitor.says(QUESTIONS[topic])
    asked = visitor.stored("unanswered_questions")[-1]
    assert asked["reason"] == "not_published"
    assert asked["intent"] == topic
    assert "0491" not in str(visitor.rows("unanswered_questions"))


@pytest.mark.parametrize("topic", ["ask_medical", "emergency", "self_harm"])
def test_red_flags_reach_staff(visitor: Visitor, topic: str) -> None:
    visitor.says(QUESTIONS[topic])
    assert visitor.stored("unanswered_questions")[0]["reason"] == "red_flag"


def test_another_language_is_told_so_and_recorded(visitor: Visitor) -> None:
    read = visitor.says("¿Cuánto cuesta quitar los milia de la cara, por favor?")
    assert "español" in read or "inglés" in read
    assert PHONE in read and "English" in read
    assert visitor.stored("unanswered_questions")[0]["language"] == "es"


def test_several_questions_are_answered_in_order(visitor: Visitor) -> None:
    read = visitor.says("Does milia removal hurt? And how much does it cost?")
    assert answers(read, "pain") and answers(read, "ask_price")
    assert read.index("prick") < read.index("prices")
    assert len(visitor.last) == 1
    assert visitor.stored("unanswered_questions")[0]["intent"] == "ask_price"


def test_people_without_a_name_share_no_conversation(system: System) -> None:
    from urllib.request import Request, urlopen

    for _ in range(2):
        request = Request(
            f"{system.chat_url}/webhooks/rest/webhook",
            b'{"message": "hi"}',
            {"Content-Type": "application/json"},
        )
        with urlopen(request, timeout=20) as response:
            assert response.status == 200
    assert not rows(system, "conversation_turns", "rest-default")


# ---------------------------------------------------------------- no offer any more; a locked database


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """An assistant whose offer has ended."""
    folder = tmp_path_factory.mktemp("later")
    facts = yaml.safe_load(Path("clinic.yml").read_text(encoding="utf-8"))
    facts["offer"]["ends"] = "2020-01-01"
    facts["hours"] = "Tuesday to Saturday, 9 am to 5 pm"
    (folder / "clinic.yml").write_text(yaml.safe_dump(facts), encoding="utf-8")
    with running(folder / "data", clinic_file=folder / "clinic.yml") as system:
        yield system
    shutil.rmtree(folder)


def test_an_offer_that_has_ended_is_not_given(later: System) -> None:
    visitor = Visitor(later)
    for question in ("do you have a discount code?", "Does it hurt? And do you have a discount?"):
        read = visitor.says(question)
        assert "miliagone" not in read and "15%" not in read
        assert not any("code" in message for message in visitor.last)
        assert PHONE in read
    assert not visitor.rows("booking_handoffs")


def test_a_locked_database_costs_no_reply_and_loses_no_record(later: System) -> None:
    visitor = Visitor(later)
    visitor.says("hello")
    lock = sqlite3.connect(later.data_dir / "milia.db", timeout=10, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        assert admits(visitor.says("which mechanic do you recommend for my car"))
        assert answers(visitor.says("What are milia?"), "what_are_milia")
        other = Visitor(later)
        other.says("call me back please")
        other.says("yes")
        assert "CB-" in other.says("Rob, 0491 570 158, after 4")
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    assert visitor.stored("unanswered_questions")[0]["text"] == "which mechanic do you recommend for my car"
    assert other.stored("callback_requests")[0]["phone"] == "+61491570158"


def test_the_conversation_in_the_readme_really_happens(visitor: Visitor) -> None:
    readme = Path("README.md").read_text(encoding="utf-8")
    shown = re.search(r"```\n(visitor .*?)```", readme, re.DOTALL)
    assert shown
    turns = [turn.split("\nassistant") for turn in re.split(r"^visitor", shown[1], flags=re.MULTILINE)[1:]]
    assert len(turns) >= 3
    for asked, answered in turns:
        visitor.says(asked.strip())
        (reply,) = visitor.last
        assert reply["text"].split() == answered.split()
