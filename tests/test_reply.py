"""One reply contract: facts filled in, links where the text names them, safe targets only, several joined."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bot.clinic import load_clinic
from bot.model import Button, Link, Reply
from bot.reply import fill, from_message, join, to_message, to_reply

CLINIC = load_clinic(Path("clinic.yml"))


def test_names_in_braces_are_filled_in_and_others_left_alone() -> None:
    facts = {"phone": "1300"}
    assert (
        fill("call {phone} {Phone} {nobody} {{phone}} {0[", facts) == "call 1300 {Phone} {nobody} {1300} {0["
    )
    assert fill({"a": ["{phone}", 1]}, facts) == {"a": ["1300", 1]}


def test_what_a_visitor_typed_is_not_filled_in_again() -> None:
    reply = to_reply({"text": "I don't know “{part}”."}, CLINIC, {"part": "{phone} {code}"})
    assert reply.text == "I don't know “{phone} {code}”."
    assert from_message(to_message(reply)).text == reply.text


def test_phone_and_website_become_links() -> None:
    reply = to_reply({"text": "Call {phone} or see {website}."}, CLINIC)
    assert [link.target for link in reply.links] == ["tel:1300455792", "https://www.skinmatrix.com.au"]


def test_a_link_stands_once_and_only_if_it_is_safe() -> None:
    links = [
        {"title": "Ring", "target": "tel:1300455792"},
        {"title": "Bad", "target": "javascript:alert(1)"},
        {"title": "Data", "target": "data:text/html,x"},
    ]
    reply = to_reply({"text": "Call {phone}.", "custom": {"links": links}}, CLINIC)
    assert [link.title for link in reply.links] == ["Ring"]


def test_there_and_back() -> None:
    reply = Reply(
        "Use {code}",
        (Button("Yes", "/affirm"),),
        (Link("Book", "https://x.example"),),
        "miliagone",
        author="staff",
    )
    assert from_message(to_message(reply)) == reply
    plain = Reply("Hi")
    assert from_message(to_message(plain)) == plain


def test_an_empty_message_is_an_empty_reply() -> None:
    assert from_message({}).text == ""


def test_several_answers_become_one() -> None:
    first = Reply("A", (Button("1", "/a"), Button("2", "/b")), (Link("x", "tel:1"),))
    second = Reply("B", (Button("3", "/c"), Button("2", "/b")), (Link("x", "tel:1"),), code="miliagone")
    joined = join([first, second, dataclasses.replace(first)], answered=["/c"])
    assert joined.text == "A\n\nB"
    assert [step.payload for step in joined.next_steps] == ["/a", "/b"]
    assert joined.links == first.links
    assert joined.code == "miliagone"


@pytest.mark.parametrize("number", [1, 3, 6])
def test_never_more_than_three_next_steps(number: int) -> None:
    replies = [Reply(str(n), (Button(str(n), f"/{n}"), Button("z", f"/z{n}"))) for n in range(number)]
    assert len(join(replies).next_steps) <= 3
    assert join(replies).next_steps[0].payload == "/0"
