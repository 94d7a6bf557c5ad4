"""What is better, what is worse; and the golden questions themselves."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bot.answer_model import ResolvedQuestion
from bot.model import utc_now
from bot.publishing.gate import Question, compare, golden, grade, key_of, settled
from bot.release_model import Answered, Outcome

RIGHT = Outcome(Answered.TOPIC, ("faq/pain",))
PARTLY = Outcome(Answered.TOPIC, ("faq/pain", "faq/size"))
ASKS = Outcome(Answered.ASKS, ("faq/size", "faq/pain"))
ASKS_ELSE = Outcome(Answered.ASKS, ("faq/size", "faq/location"))
REFUSES = Outcome(Answered.REFUSES, ("out_of_scope",))
WRONG = Outcome(Answered.TOPIC, ("faq/size",))
NOT_WORDS = {"several_questions", "nlu_fallback", "other_language", "none_of_these", "give_details"}


def test_a_question_is_better_answered_than_asked_back_than_refused_than_wrong():
    grades = [grade(outcome, ("faq/pain",)) for outcome in (RIGHT, ASKS, REFUSES, WRONG)]
    assert grades == sorted(grades, reverse=True)
    assert len(set(grades)) == 4
    assert grade(PARTLY, ("faq/pain",)) == grade(ASKS, ("faq/pain",))
    assert grade(ASKS_ELSE, ("faq/pain",)) == grade(WRONG, ("faq/pain",))
    assert grade(PARTLY, ("faq/size", "faq/pain")) == grade(RIGHT, ("faq/pain",))


def test_what_must_not_be_answered_is_better_refused_than_asked_back_than_answered():
    grades = [grade(outcome, ("out_of_scope",)) for outcome in (REFUSES, ASKS, RIGHT)]
    assert grades == sorted(set(grades), reverse=True)


@pytest.mark.parametrize(
    ("live", "candidate", "expected", "worse"),
    [
        (RIGHT, ASKS, "faq/pain", True),
        (REFUSES, WRONG, "faq/pain", True),
        (REFUSES, RIGHT, "out_of_scope", True),
        (REFUSES, RIGHT, "faq/pain", False),
        (WRONG, REFUSES, "faq/pain", False),
    ],
)
def test_what_changes_is_told_apart(live: Outcome, candidate: Outcome, expected: str, worse: bool):
    question = Question("q", "q", (expected,))
    report = compare([question], {"q": live}, {"q": candidate})
    assert [one.worse for one in report.differences] == [worse]
    assert bool(report.refusals) is worse
    assert compare([question], {"q": live}, {"q": live}).differences == ()


def test_the_latest_decision_on_a_wording_counts_and_its_words_are_not_kept():
    now = utc_now()
    later = ResolvedQuestion("Do you sell tents?", "out_of_scope", "Kim", now)
    earlier = ResolvedQuestion("do you sell tents", "faq/products", "Kim", now)
    found = settled([later, earlier])
    assert [(one.expected, one.is_golden) for one in found] == [(("out_of_scope",), False)]
    assert found[0].key == key_of("do you sell TENTS")
    assert "tents" not in found[0].key


# The file


def words(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


def intents() -> dict[str, list[str]]:
    data = yaml.safe_load(Path("data/nlu.yml").read_text(encoding="utf-8"))
    return {block["intent"]: [line[2:] for line in block["examples"].splitlines()] for block in data["nlu"]}


def test_every_topic_has_golden_questions_and_so_has_what_is_not_answered():
    counts = Counter(topic for question in golden() for topic in question.expected)
    known = set(intents())
    assert set(counts) <= known
    assert {topic for topic in known - NOT_WORDS if counts[topic] < 5} == set()
    assert counts["out_of_scope"] >= 50


def test_golden_questions_are_asked_once_and_come_from_nowhere_else():
    asked = [words(question.text) for question in golden()]
    assert [text for text, count in Counter(asked).items() if count > 1] == []
    trained = {words(text) for texts in intents().values() for text in texts if len(text.split()) > 6}
    assert sorted(trained.intersection(asked)) == []
    for folder in ("samples", "validation"):
        for name in ("questions", "oos", "multi"):
            items = yaml.safe_load(Path(f"tests/data/{folder}/{name}.yml").read_text(encoding="utf-8"))
            exam = {words(item["text"]) for item in items if len(item["text"].split()) > 4}
            assert sorted(exam.intersection(asked)) == []
