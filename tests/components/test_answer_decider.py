"""What is done with a message: safety first, then answers, choices, or "I don't know"."""

from __future__ import annotations

from typing import Any

import pytest

from bot.components.answer_decider import AnswerDecider
from bot.components.clause_splitter import CLAUSE_SPANS, Part, parts_of
from bot.components.context_reader import ELLIPTICAL, IN_CONTEXT, PREVIOUS_TOPIC, REFUSED_BEFORE
from bot.components.language_identifier import LANGUAGE
from bot.components.later_reading import LaterReading
from bot.components.other_subjects import OTHER_SUBJECT
from bot.components.safety_guard import RED_FLAG
from bot.components.text_normaliser import NOT_WORDS, TOO_LONG, UNREADABLE
from bot.components.topic_classifier import READ_IN_CONTEXT, READINGS, Reading
from tests.components.conftest import Make, message


def reading(text: str, nearness: float = 0.8, **chances: float) -> Reading:
    topics = {name.replace("__", "/"): chance for name, chance in chances.items()}
    rest = {"out_of_scope": max(0.001, 1 - sum(topics.values()))} if "out_of_scope" not in topics else {}
    ordered = sorted({**topics, **rest}.items(), key=lambda item: -item[1])
    return Reading(text, tuple(ordered), nearness)


def decided(make: Make, *readings: Reading, text: str = "...", **properties: Any) -> dict[str, Any]:
    """The parse data that Rasa, the actions and staff read. In context it is read as the last reading says."""
    read = list(readings)
    if IN_CONTEXT in properties:
        in_context = read.pop()
        properties[READ_IN_CONTEXT] = LaterReading("...", lambda _: in_context, lambda *_: 1.0)
    done = message(text, **{READINGS: read, **properties})
    make(AnswerDecider, families=[["faq/removal", "faq/who_removes"]]).process([done])
    parse: dict[str, Any] = done.as_dict(only_output_properties=True)
    return parse


def intent(parse: dict[str, Any]) -> str:
    name: str = parse["intent"]["name"]
    key = parse["response_selector"].get(name, {}).get("response", {}).get("intent_response_key")
    return key or name


SURE = reading("does it hurt", faq__pain=0.99)
PRICE = reading("how much is it", ask_price=0.98)
UNKNOWN = reading("fix my car", 0.1, out_of_scope=0.97, faq__pain=0.01)


def test_what_is_known_is_answered(make: Make) -> None:
    parse = decided(make, SURE)
    assert intent(parse) == "faq/pain"
    assert parse["response_selector"]["faq"]["response"]["utter_action"] == "utter_faq/pain"
    assert parse["intent_ranking"][0]["name"] == "faq/pain"


def test_what_is_not_known_is_admitted(make: Make) -> None:
    parse = decided(make, UNKNOWN)
    assert intent(parse) == "out_of_scope"
    assert parse["response_selector"]["all_retrieval_intents"] == ["faq"]


def test_between_two_topics_it_asks(make: Make) -> None:
    parse = decided(make, reading("cream", 0.6, faq__products=0.22, ask_cream_cause=0.21, faq__aftercare=0.2,
                                  faq__skin_types=0.2, out_of_scope=0.01))  # fmt: skip
    assert intent(parse) == "nlu_fallback"
    assert {"faq/products", "ask_cream_cause"} <= {candidate["name"] for candidate in parse["candidates"]}
    assert len(parse["candidates"]) <= 3


def test_doubt_within_a_family_is_no_reason_to_ask(make: Make) -> None:
    assert intent(decided(make, reading("who", faq__removal=0.5, faq__who_removes=0.49))).startswith("faq/")


def test_it_is_what_was_refused_just_now(make: Make) -> None:
    of_botox = {REFUSED_BEFORE: "do you do botox", OTHER_SUBJECT: "botox"}
    assert intent(decided(make, PRICE, **of_botox)) == "out_of_scope"
    call = reading("can someone call me about it", contact_human=0.98)
    assert intent(decided(make, call, **of_botox)) == "contact_human"


def test_another_subject_asks_for_more_certainty(make: Make) -> None:
    doubtful = reading("does it hurt", 0.6, faq__pain=0.55, out_of_scope=0.2)
    sure, unsure = decided(make, doubtful), decided(make, doubtful, **{OTHER_SUBJECT: "tattoo"})
    assert unsure["intent"]["confidence"] != sure["intent"]["confidence"]
    assert intent(unsure) != "nlu_fallback"


@pytest.mark.parametrize("flag", ["self_harm", "emergency"])
def test_a_red_flag_comes_first(make: Make, flag: str) -> None:
    assert intent(decided(make, SURE, **{RED_FLAG: flag})) == flag
    assert intent(decided(make, SURE, **{RED_FLAG: flag, LANGUAGE: "es", UNREADABLE: TOO_LONG})) == flag
    assert intent(decided(make, reading("...", **{flag: 0.6}))) == flag


def test_after_an_emergency_never_mind_is_not_another_one(make: Make) -> None:
    swelling = {PREVIOUS_TOPIC: "emergency", IN_CONTEXT: "forget the swelling", ELLIPTICAL: True}
    in_context = reading("forget the swelling", emergency=0.95)
    assert intent(decided(make, reading("forget it", deny=0.9), in_context, **swelling)) == "deny"
    assert intent(decided(make, reading("it's worse", deny=0.4), in_context, **swelling)) == "emergency"


def test_a_name_after_an_emergency_gets_the_same_advice(make: Make) -> None:
    name = reading("mel", 0.1, out_of_scope=0.97, faq__pain=0.01)
    assert intent(decided(make, name, **{PREVIOUS_TOPIC: "emergency"})) == "emergency"
    assert intent(decided(make, name, **{PREVIOUS_TOPIC: "faq/pain"})) == "out_of_scope"


@pytest.mark.parametrize(
    ("text", "before", "understood"),
    [
        ("0491 570 158", "faq/pain", "give_details"),
        ("0491 570 158", "emergency", "emergency"),
        ("12345", "faq/pain", "out_of_scope"),
        ('/give_details{"callback_phone": "+61491570158"}', "faq/pain", "out_of_scope"),
    ],
)
def test_a_number_alone_is_for_the_form(make: Make, text: str, before: str, understood: str) -> None:
    parse = decided(make, text=text, **{UNREADABLE: NOT_WORDS, PREVIOUS_TOPIC: before})
    assert intent(parse) == understood


def test_distress_in_a_part_has_to_be_plain(make: Make) -> None:
    story = reading("it could go and I'd wake up without it", faq__go_away=0.8)
    part = {CLAUSE_SPANS: [Part("I'd wake up", strong=False)]}
    assert intent(decided(make, story, reading("I'd wake up", self_harm=0.5), **part)) == "faq/go_away"
    assert intent(decided(make, story, reading("I'd wake up", self_harm=0.9), **part)) == "self_harm"


def test_code_is_no_cry_for_help(make: Make) -> None:
    assert intent(decided(make, reading("/x", self_harm=0.9), **{UNREADABLE: NOT_WORDS})) == "out_of_scope"


def test_what_cannot_be_read_is_not_answered(make: Make) -> None:
    assert intent(decided(make, SURE, **{UNREADABLE: TOO_LONG})) == "out_of_scope"
    assert intent(decided(make)) == "out_of_scope"


def test_another_language_is_told_so(make: Make) -> None:
    assert intent(decided(make, SURE, **{LANGUAGE: "es"})) == "other_language"


def several(make: Make, *readings: Reading, **properties: Any) -> dict[str, Any]:
    text = "? ".join(each.text for each in readings) + "?"
    parts = parts_of(text, 6)
    assert len(parts) == len(readings)
    whole = reading(text, faq__pain=0.5, ask_price=0.3, ask_medical=0.1, out_of_scope=0.1)
    return decided(make, whole, *readings, **{CLAUSE_SPANS: parts, **properties})


def test_several_questions_are_several(make: Make) -> None:
    parse = several(make, SURE, PRICE)
    assert intent(parse) == "several_questions"
    assert [clause["intent"] for clause in parse["clauses"]] == ["faq/pain", "ask_price"]
    assert parse["clauses"][0]["text"] == "does it hurt?"


def test_the_same_question_twice_is_one(make: Make) -> None:
    assert intent(several(make, SURE, SURE)) != "several_questions"


def test_a_part_that_is_not_known_is_admitted(make: Make) -> None:
    parse = several(make, SURE, reading("can you fix my car", 0.05, out_of_scope=0.98, faq__pain=0.005))
    assert [clause["intent"] for clause in parse["clauses"]] == ["faq/pain", "out_of_scope"]


def test_a_part_is_no_question_when_the_whole_message_does_not_hint_at_it(make: Make) -> None:
    misread = reading("won't it pop", faq__squeeze=0.9, faq__pain=0.05, out_of_scope=0.05)
    assert intent(several(make, SURE, misread)) != "several_questions"


def test_a_greeting_that_asks_is_returned_before_the_answer(make: Make) -> None:
    greeting = reading("hello how are you", greet=0.99)
    assert [c["intent"] for c in several(make, greeting, SURE)["clauses"]] == ["greet", "faq/pain"]
    assert intent(several(make, reading("good morning", greet=0.99), SURE)) != "several_questions"


def test_two_topics_of_one_question_are_both_answered(make: Make) -> None:
    text = "can I send a photo so you can tell me if it's a stye"
    parse = decided(make, reading(text, ask_photo=0.5, ask_lookalike=0.4))
    assert [clause["intent"] for clause in parse["clauses"]] == ["ask_photo", "ask_lookalike"]
    assert intent(decided(make, reading(text, ask_photo=0.6, ask_lookalike=0.3))) == "ask_photo"
    short = reading("how do you get them out", faq__procedure=0.5, faq__removal=0.4)
    assert intent(decided(make, short)) == "faq/procedure", "nothing in it joins two questions"
    assert intent(decided(make, reading("who", faq__removal=0.5, faq__who_removes=0.4))) == "faq/removal"


def test_a_baby_is_not_told_what_holds_for_adults(make: Make) -> None:
    def of(text: str) -> dict[str, Any]:
        whole = reading(f"my newborn has them. {text}", ask_baby=0.7, faq__go_away=0.2)
        baby, gone = reading("my newborn has them", ask_baby=0.9), reading(text, faq__go_away=0.9)
        return decided(make, whole, baby, gone, **{CLAUSE_SPANS: parts_of(whole.text, 6)})

    assert intent(of("will they go")) == "ask_baby"
    assert intent(of("do mine go")) == "several_questions"


def test_a_condition_and_a_question_about_it_are_one_thing(make: Make) -> None:
    def of(told: str, asked: str, **chances: float) -> dict[str, Any]:
        whole = reading(f"{told}, {asked}", ask_medical=0.6, **dict.fromkeys(chances, 0.3))
        condition, question = reading(told, ask_medical=0.95), reading(asked, **chances)
        return decided(make, whole, condition, question, **{CLAUSE_SPANS: parts_of(whole.text, 6)})

    assert intent(of("I'm pregnant", "can I have them removed", faq__removal=0.95)) == "ask_medical"
    assert intent(of("I'm pregnant", "does it hurt", faq__pain=0.95)) == "several_questions"
    two = of("is it ok on warfarin?", "can you remove them", faq__removal=0.95)
    assert intent(two) == "several_questions", "asked twice"


@pytest.mark.parametrize("flag", [None, "ask_medical"])
def test_what_was_done_to_it_is_told_with_the_symptom(make: Make, flag: str | None) -> None:
    whole = reading("I dug it out with a pin. it is oozing", ask_medical=0.7, faq__squeeze=0.25)
    parts = [reading("I dug it out with a pin", faq__squeeze=0.95), reading("it is oozing", ask_medical=0.9)]
    spans = {CLAUSE_SPANS: parts_of(whole.text, 6)}
    assert intent(decided(make, whole, *parts, **spans, **{RED_FLAG: flag})) == "ask_medical"


def test_what_nobody_wishes_for_is_not_offered(make: Make) -> None:
    whole = reading("I don't want to book. I need a human", contact_human=0.6, book_appointment=0.3)
    parts = [
        reading("I don't want to book", book_appointment=0.95),
        reading("I need a human", contact_human=0.95),
    ]
    parse = decided(make, whole, *parts, **{CLAUSE_SPANS: parts_of(whole.text, 6)})
    assert intent(parse) == "contact_human"


def test_another_subject_that_is_asked_along_is_refused(make: Make) -> None:
    whole = reading("I want my milia out and also do you do botox", 0.3, out_of_scope=0.5, faq__removal=0.2)
    parts = [
        reading("I want my milia out", faq__removal=0.95),
        reading("do you do botox", 0.1, out_of_scope=0.97, faq__pain=0.01),
    ]
    parse = decided(make, whole, *parts, **{CLAUSE_SPANS: parts_of(whole.text, 6)})
    assert [clause["intent"] for clause in parse["clauses"]] == ["faq/removal", "out_of_scope"]


def test_a_message_about_something_else_is_not_answered_by_its_parts(make: Make) -> None:
    text = "a tattoo on my back, do you take them off"
    known = reading("do you take them off", faq__who_removes=0.9)
    whole = reading(text, 0.2, out_of_scope=0.96, faq__removal=0.01)
    parse = decided(make, whole, known, **{CLAUSE_SPANS: [Part(known.text, strong=False)]})
    assert intent(parse) == "out_of_scope"


def test_a_short_doubt_after_a_symptom_is_about_the_symptom(make: Make) -> None:
    bad = reading("is that bad", 0.3, faq__harmful=0.4, out_of_scope=0.4)
    together = reading("is a sore bleeding lump bad", faq__harmful=0.6)
    parse = decided(make, bad, together, **{PREVIOUS_TOPIC: "ask_medical", IN_CONTEXT: "is a lump bad"})
    assert intent(parse) == "ask_medical"


def test_what_is_asked_about_a_baby_stays_with_the_baby(make: Make) -> None:
    context = {PREVIOUS_TOPIC: "ask_baby", IN_CONTEXT: "do milia on my baby go away"}
    together = reading("do milia on my baby go away", ask_baby=0.9)
    assert (
        intent(decided(make, reading("do they go away", faq__go_away=0.9), together, **context)) == "ask_baby"
    )
    mine = reading("do mine go away", faq__go_away=0.9)
    assert intent(decided(make, mine, together, **context)) == "faq/go_away"


def test_after_a_baby_mine_are_removed(make: Make) -> None:
    unsure = reading("ok and what about mine, i'm 34", faq__skin_types=0.6)
    assert intent(decided(make, unsure, **{PREVIOUS_TOPIC: "ask_baby"})) == "faq/removal"
    assert intent(decided(make, SURE, **{PREVIOUS_TOPIC: "ask_baby"})) == "faq/pain"


def test_alternatives_of_another_subject_are_no_questions(make: Make) -> None:
    whole = reading("cradle cap, do i pick it or oil it", 0.2, out_of_scope=0.4, faq__squeeze=0.3)
    parts = (
        reading("cradle cap", 0.1, faq__harmful=0.1),
        reading("do i pick it", faq__squeeze=0.9),
        reading("do i oil it", faq__home_remedies=0.9),
    )
    parse = decided(
        make, whole, *parts, **{CLAUSE_SPANS: parts_of(whole.text, 6), OTHER_SUBJECT: "cradle cap"}
    )
    assert intent(parse) == "out_of_scope"


def test_a_symptom_comes_before_the_other_questions(make: Make) -> None:
    parse = several(
        make, PRICE, reading("is it bad that it bleeds", ask_medical=0.9), **{RED_FLAG: "ask_medical"}
    )
    assert [clause["intent"] for clause in parse["clauses"]] == ["ask_medical", "ask_price"]


def test_yes_takes_the_offer_to_be_called(make: Make) -> None:
    yes = reading("yes", affirm=0.99)
    assert intent(decided(make, yes, **{PREVIOUS_TOPIC: "book_appointment"})) == "request_callback"
    assert intent(decided(make, yes, **{PREVIOUS_TOPIC: "faq/pain"})) == "affirm"


def test_a_follow_up_is_read_in_its_context(make: Make) -> None:
    alone = reading("how long", 0.4, faq__recovery=0.3, faq__effective=0.3, out_of_scope=0.3)
    together = reading("how long is the recovery", faq__recovery=0.98)
    parse = decided(make, alone, together, **{PREVIOUS_TOPIC: "faq/pain", IN_CONTEXT: "x", ELLIPTICAL: True})
    assert intent(parse) == "faq/recovery"


def test_what_the_whole_message_is_about_is_answered_too(make: Make) -> None:
    parse = several(make, PRICE, reading("is it bad that it bleeds", ask_medical=0.9))
    assert [clause["intent"] for clause in parse["clauses"]] == ["faq/pain", "ask_price", "ask_medical"]


def test_two_topics_of_a_part_are_both_answered(make: Make) -> None:
    parse = several(
        make, SURE, reading("what would i pay", ask_price=0.5, ask_payment=0.5, out_of_scope=0.01)
    )
    assert [clause["intent"] for clause in parse["clauses"]][:2] == ["faq/pain", "ask_price"]


@pytest.mark.parametrize(("previous", "expected"), [("faq/squeeze", "faq/squeeze"), ("faq/pain", "affirm")])
def test_why_not_asks_for_the_reason_after_advice_against_something(
    make: Make, previous: str, expected: str
) -> None:
    why_not = reading("why not", affirm=0.97)
    assert intent(decided(make, why_not, **{PREVIOUS_TOPIC: previous})) == expected


def test_who_to_see_about_a_symptom_is_a_doctor(make: Make) -> None:
    who = reading("who should i see", faq__who_removes=0.97)
    after = {PREVIOUS_TOPIC: "ask_medical", IN_CONTEXT: "who should i see a sore bleeding lump"}
    assert intent(decided(make, who, who, **after)) == "ask_medical"
    assert intent(decided(make, who)) == "faq/who_removes"


def test_distress_is_not_dropped_by_a_word(make: Make) -> None:
    dropped = reading("forget it", deny=0.9)
    assert intent(decided(make, dropped, **{PREVIOUS_TOPIC: "self_harm"})) == "self_harm"
    assert intent(decided(make, dropped, **{PREVIOUS_TOPIC: "emergency"})) == "deny"
