"""What changed between two revisions, word by word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from bot.answer_model import Answer, AnswerState
from bot.clinic import load_clinic
from bot.topics import load_topics
from bot.web.differences import ADDED, REMOVED, SAME, changes, pieces

TOPICS = load_topics(load_clinic(Path("clinic.yml")))
OLD = Answer("faq/parking", "Parking", "Park behind the clinic.", ("faq/pain", "ask_price"), ("a b", "c d"))


def test_pieces_put_together_are_both_texts() -> None:
    old, new = "Park behind the clinic, for free.", "Park in front of the clinic.\n\nIt is free."
    found = pieces(old, new)
    assert "".join(text for kind, text in found if kind != ADDED) == old
    assert "".join(text for kind, text in found if kind != REMOVED) == new
    assert (SAME, " the ") in found
    assert pieces("", "new") == ((ADDED, "new"),)
    assert pieces("same", "same") == ((SAME, "same"),)


def test_only_what_changed_is_named() -> None:
    new = replace(OLD, text="Park in the street.", next_steps=("faq/pain",), review_by=date(2027, 3, 1))
    found = {change.name: change.pieces for change in changes(OLD, new, TOPICS)}
    assert list(found) == ["Text", "Next steps", "Look again on"]
    assert found["Next steps"] == ((SAME, "Does it hurt?"), (REMOVED, "\nPrices"))
    assert found["Look again on"] == ((ADDED, "2027-03-01"),)
    gone = replace(OLD, state=AnswerState.WITHDRAWN)
    assert [change.name for change in changes(OLD, gone, TOPICS)] == ["Withdrawn"]
    assert changes(OLD, replace(OLD, revision=9), TOPICS) == []
