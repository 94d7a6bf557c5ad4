"""What a candidate is made of, and what it would change."""

from __future__ import annotations

from bot.answer_model import Answer, ResolvedQuestion
from bot.model import utc_now
from bot.publishing.candidate import changes_between, decisions_of, problems
from bot.release_model import Change, Decisions, TopicPart

TITLES = {"faq/pain": "Does it hurt?", "out_of_scope": "Unknown"}
EXAMPLES = ("may I park there", "is there a car park", "where do I leave the car")
PARKING = Answer("faq/parking", "Parking", "Behind the house.", ("faq/pain",), EXAMPLES)


def resolved(text: str, intent: str, allowed: bool = True) -> ResolvedQuestion:
    return ResolvedQuestion(text, intent, "Kim", utc_now(), example_allowed=allowed)


def test_answers_and_wordings_of_staff_are_part_of_it_a_visitors_words_are_not():
    found = decisions_of(
        [PARKING],
        [
            resolved("a place for my car", "faq/parking"),
            resolved("is it sore", "faq/pain"),
            resolved("hi I'm Kim, is it sore", "faq/pain", allowed=False),
        ],
    )
    assert found.learned == {
        "faq/pain": ("is it sore",),
        "faq/parking": tuple(sorted((*EXAMPLES, "a place for my car"))),
    }
    assert found == decisions_of(
        [PARKING], [resolved("a place for my car", "faq/parking"), resolved("is it sore", "faq/pain")]
    )


def test_changes_are_what_a_model_learns():
    before = decisions_of([PARKING], [])
    shown = TopicPart("faq/pain", "Does it hurt?", "Hardly at all.")
    after = Decisions(
        (shown, TopicPart("faq/parking", "Parking", "In front.", (), (*EXAMPLES[1:], "parking?")))
    )
    assert changes_between(Decisions(), Decisions((shown,)), TITLES) == ()
    assert changes_between(before, after, TITLES) == (
        Change("examples", "faq/parking", "Parking", ("parking?",), (EXAMPLES[0],)),
    )
    assert changes_between(Decisions(), before, TITLES)[0].kind == "new"
    assert changes_between(before, Decisions(), TITLES)[0].kind == "gone"


def test_nothing_is_wrong_with_what_staff_may_decide():
    assert problems(decisions_of([PARKING], []), {"will it be painful": "faq/pain"}, TITLES) == []


def test_contradictions_are_told_in_words():
    two = decisions_of([PARKING, Answer("faq/cars", "Cars", "Yes.", (), ("May I park there?", "a", "b"))], [])
    assert "is an example of" in problems(two, {}, TITLES)[0]
    taken = problems(decisions_of([PARKING], []), {"may i park there": "faq/pain"}, TITLES)
    assert "of “Parking” and of “Does it hurt?”" in taken[0]
    few = Answer("faq/cars", "Cars", "Yes.", (), ("cars",))
    assert "3 or more" in problems(decisions_of([few], []), {}, TITLES)[0]
