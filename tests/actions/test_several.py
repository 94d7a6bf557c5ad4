"""Several questions: the answers in order, the code, what staff have to see."""

from __future__ import annotations

from actions.several import ActionAnswerSeveral, goes_to_staff, response_for, shortened
from tests.actions.conftest import Desk


def clause(text: str, intent: str) -> dict[str, str]:
    return {"text": text, "intent": intent}


def test_each_part_gets_its_answer_and_staff_see_what_has_none(desk: Desk) -> None:
    clauses = [
        clause("does it hurt?", "faq/pain"),
        clause("got a code", "ask_discount"),
        clause("how much, I'm on 0491 570 158", "ask_price"),
        clause("can you fix my car", "out_of_scope"),
    ]
    (message,) = desk.runs(ActionAnswerSeveral(), "...", "several_questions", clauses=clauses)
    assert message["response"] == "utter_several"
    assert [part["response"] for part in message["parts"]] == [
        "utter_faq/pain", "utter_ask_discount", "utter_ask_price", "utter_part_unknown",
    ]  # fmt: skip
    assert message["parts"][3]["part"] == "can you fix my car"
    asked = {row["intent"]: row["text"] for row in desk.rows("unanswered_questions")}
    assert asked == {"ask_price": "how much, I'm on [phone]", "out_of_scope": "can you fix my car"}
    assert [row["kind"] for row in desk.rows("booking_handoffs")] == ["discount_code"]


def test_which_parts_staff_see() -> None:
    assert goes_to_staff("ask_hours") and goes_to_staff("out_of_scope")
    assert not any(goes_to_staff(intent) for intent in ("faq/pain", "ask_phone", "book_appointment", "greet"))


def test_a_call_back_cannot_begin_in_the_middle_of_a_list(desk: Desk) -> None:
    assert response_for("request_callback") == "utter_contact_human"


def test_a_part_is_quoted_briefly() -> None:
    assert shortened(" and my car? ") == "and my car"
    assert len(shortened("word " * 40)) <= 80 and shortened("word " * 40).endswith("…")
