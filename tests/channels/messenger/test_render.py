"""Every reply fits Messenger, and nothing of it is lost."""

from __future__ import annotations

import json

import regex
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.messenger.render import Renderer, characters, cut, international, split_text
from bot.model import Button, Link, Reply
from tests.doubles.graph_api import Sent, message_problem

RENDERER = Renderer(
    lambda button: f"{button.payload}~{button.title}~s", lambda page, of: f"Page {page} of {of}"
)
BOOK = Link("Book online", "https://www.example.com/?service=milia&source=facebook")
CALL = Link("Call 1300 455 792", "tel:1300455792")


def rendered(reply: Reply) -> list[Sent]:
    """The messages of a reply, all of them valid."""
    messages = RENDERER.messages(reply)
    for message in messages:
        body = {"recipient": {"id": "1"}, "messaging_type": "RESPONSE", "message": message}
        assert message_problem(body) == "", json.dumps(message)
    return [Sent("100", "1", message, "", "m", 0) for message in messages]


def steps(number: int) -> tuple[Button, ...]:
    return tuple(Button(f"Choice {n}", f"/faq/choice_{n}") for n in range(number))


def chosen(sent: list[Sent]) -> list[str]:
    return [b["payload"].partition("~")[0] for m in sent for b in m.buttons if "payload" in b]


def test_up_to_three_choices_are_a_button_template() -> None:
    for number in (1, 2, 3):
        [message] = rendered(Reply("Text.", steps(number)))
        assert [b["type"] for b in message.buttons] == ["postback"] * number and message.text == "Text."


def test_four_to_thirteen_are_quick_replies() -> None:
    for number in (4, 13):
        [message] = rendered(Reply("Text.", steps(number)))
        assert len(message.message["quick_replies"]) == number


def test_more_are_on_cards_and_none_is_left_out() -> None:
    for number in (14, 30, 31, 95):
        sent = rendered(Reply("Text.", steps(number)))
        assert chosen(sent) == [step.payload for step in steps(number)]
        assert sent[0].text == "Text."


def test_links_keep_their_type_and_stand_beside_choices() -> None:
    [message] = rendered(Reply("Text.", (), (BOOK, CALL)))
    assert [b["type"] for b in message.buttons] == ["web_url", "phone_number"]
    assert message.buttons[0]["url"] == BOOK.target and message.buttons[1]["payload"] == "+611300455792"
    [message] = rendered(Reply("Text.", steps(3), (BOOK, CALL)))
    assert len(message.message["attachment"]["payload"]["buttons"]) == 2
    assert len(message.message["quick_replies"]) == 3


def test_many_links_need_several_messages() -> None:
    links = tuple(Link(f"Place {n}", f"https://www.example.com/{n}") for n in range(7))
    sent = rendered(Reply("Text.", steps(2), links))
    assert [b["url"] for m in sent for b in m.buttons if "url" in b] == [link.target for link in links]
    assert len(sent[-1].message["quick_replies"]) == 2


def test_numbers_that_only_work_here_stay_text() -> None:
    [message] = rendered(Reply("In an emergency call us.", (), (Link("Call 000", "tel:000"),)))
    assert message.text == "In an emergency call us.\nCall 000" and message.buttons == []
    [message] = rendered(Reply("Call 000 now.", (), (Link("Call 000", "tel:000"),)))
    assert message.text == "Call 000 now."
    [message] = rendered(Reply("Talk to them.", (), (Link("Call Lifeline 13 11 14", "tel:131114"),)))
    assert message.buttons == [{"type": "phone_number", "title": "Call 13 11 14", "payload": "+61131114"}]
    assert international("0412 345 678") == "+61412345678" and international("nonsense") is None


def test_a_code_stands_in_the_text() -> None:
    assert rendered(Reply("15% off.", code="miliagone"))[0].text == "15% off.\nmiliagone"
    assert rendered(Reply("Use miliagone.", code="miliagone"))[0].text == "Use miliagone."


def test_long_titles_are_cut_and_payloads_are_not() -> None:
    [message] = rendered(Reply("Text.", (Button("Does it hurt to have milia removed?", "/faq/pain"),)))
    assert (
        message.buttons[0]["title"] == "Does it hurt to hav…" and "removed?" in message.buttons[0]["payload"]
    )


def test_buttons_without_a_text_and_an_empty_reply() -> None:
    assert rendered(Reply("", (), (BOOK,)))[0].text == "Book online"
    assert rendered(Reply("")) == []


def test_long_texts_are_split_at_sentences_and_the_buttons_come_last() -> None:
    text = " ".join(f"This is sentence number {n}." for n in range(300))
    sent = rendered(Reply(text, steps(2)))
    assert len(sent) == 5 and " ".join(m.text for m in sent) == text
    assert all(m.text.endswith(".") for m in sent)
    assert [bool(m.buttons) for m in sent] == [False] * (len(sent) - 1) + [True]


@given(st.text(max_size=300), st.integers(2, 60))
def test_splitting_loses_nothing_and_tears_nothing(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert all(0 < characters(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    graphemes = regex.findall(r"\X", text)
    if all(characters(grapheme) <= limit for grapheme in graphemes):
        assert [g for p in pieces for g in regex.findall(r"\X", p) if not g.isspace()] == [
            g for g in graphemes if not g.isspace()
        ]
    assert characters(cut(text, limit)) <= limit


def test_families_and_flags_stay_whole() -> None:
    for grapheme in ("👩‍👩‍👧", "🇦🇺", "é", "ก็"):
        for piece in split_text(grapheme * 700, 2000):
            assert set(regex.findall(r"\X", piece)) == {grapheme}
