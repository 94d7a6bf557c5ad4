"""The topics that staff choose from: those of domain.yml, and what staff wrote in their place or added."""

from __future__ import annotations

from pathlib import Path

from bot.answer_model import Answer
from bot.clinic import load_clinic
from bot.clinic_source import with_overrides
from bot.topics import has_answer, load_topics, reply_with

CLINIC = load_clinic(Path("clinic.yml"))
WRITTEN = {
    answer.topic: answer
    for answer in (
        Answer("faq/parking", "Parking", "Behind {clinic}.", ("faq/pain", "faq/gone")),
        Answer("faq/pain", "Is it sore?", "Hardly."),
        Answer("ask_price", "Prices", "From $90."),
        Answer("ask_policy", "Terms", "Call us.", is_answered=False),
        Answer("ask_medical", "Medical", "See your GP."),
    )
}


def test_without_answers_of_staff_they_are_those_of_domain_yml() -> None:
    topics = load_topics(CLINIC)
    assert topics.title("faq/pain") == "Does it hurt?"
    assert "faq/parking" not in topics and "ask_price" not in topics
    assert topics.get("ask_price") is not None
    pain = topics.get("faq/pain")
    assert pain and pain.has_default and pain.next_steps[0] == "faq/procedure"
    assert topics.titles["request_callback"] == "Call me back"


def test_what_staff_wrote_takes_its_place_or_is_added() -> None:
    topics = load_topics(CLINIC, WRITTEN)
    parking = topics.get("faq/parking")
    assert parking and parking.text == "Behind Skin Matrix." and parking.template == "Behind {clinic}."
    assert not parking.has_default and parking.next_steps == ("faq/pain",)
    assert topics.title("faq/pain") == "Is it sore?"
    assert [topic.title for topic in topics].count("Parking") == 1


def test_what_is_answered_by_now() -> None:
    topics = load_topics(CLINIC, WRITTEN)
    assert "ask_price" in topics
    assert "ask_policy" not in topics, "it only says that there is no answer"
    assert "ask_medical" not in topics, "only a person may answer it, whatever its text says"
    assert has_answer("faq/parking", CLINIC) and not has_answer("ask_price", CLINIC)


def test_facts_of_the_clinic_are_shown_where_it_publishes_them() -> None:
    hours = load_topics(with_overrides(CLINIC, {"hours": "Mon to Fri, 9 to 5"})).get("ask_hours")
    assert hours and "Mon to Fri, 9 to 5" in hours.text
    assert hours.from_clinic and hours.is_answered


def test_the_reply_before_it_is_live() -> None:
    reply = reply_with(WRITTEN["faq/parking"], CLINIC, WRITTEN)
    assert reply.text == "Behind Skin Matrix."
    assert [step.title for step in reply.next_steps] == ["Is it sore?"]
