"""What is read out of "Rob, 0491 570 158, after 4", and what is not taken for a name, a number or a time."""

from __future__ import annotations

import pytest

from bot.details import as_name, as_time, asks, is_surely_name, read_details, shown_phone


@pytest.mark.parametrize(
    ("text", "name", "phone", "when"),
    [
        ("Rob, 0491 570 158, after 4", "Rob", "+61491570158", "after 4"),
        ("my name is Rob and my number is 0491570158, call me after 4", "Rob", "+61491570158", "after 4"),
        ("jane 0412345678 any time", "Jane", "+61412345678", "any time"),
        ("0412 345 678 jane doe", "Jane Doe", "+61412345678", None),
        ("I'd like a call back tomorrow at 2 under Hughes", "Hughes", None, "tomorrow at 2"),
        ("+44 20 7946 0958", None, "+442079460958", None),
        ("(03) 9123 4567 after 5pm", None, "+61391234567", "after 5pm"),
        ("my no is 0491570158 ta", None, "+61491570158", None),
        (
            "Rob 0491 570 158 tuesday arvo or wed morning",
            "Rob",
            "+61491570158",
            "tuesday arvo or wed morning",
        ),
        ("not before 10", None, None, "not before 10"),
        ("weekdays except tuesday", None, None, "weekdays except tuesday"),
        ("no it's Robert", "Robert", None, None),
        ("call me Rob", "Rob", None, None),
        ("hi, this is Kim Nguyen", "Kim Nguyen", None, None),
    ],
)
def test_what_a_message_says(text: str, name: str | None, phone: str | None, when: str | None) -> None:
    details = read_details(text)
    assert (details.name, details.phone, details.when) == (name, phone, when)


@pytest.mark.parametrize(
    "text",
    [
        "call me back please",
        "can someone call me back",
        "call me later",
        "it's sore",
        "I'm pregnant",
        "this is urgent",
        "one under my eye",
        "it's for milia removal",
        "I'm in Brisbane and interested",
        "my name is not important",
        "what are milia",
        "I have 2 or 3 bumps",
        "",
    ],
)
def test_what_says_nothing_of_a_person(text: str) -> None:
    details = read_details(text)
    assert details.name is None and details.phone is None and not details.bad_phone


@pytest.mark.parametrize("text", ["0491 570 15", "my number is 0491 570 1588 2", "123456789012345"])
def test_digits_that_are_no_number(text: str) -> None:
    assert read_details(text).bad_phone
    assert read_details(text).phone is None


def test_a_very_long_message_is_read_quickly() -> None:
    assert read_details("0 " * 50_000).phone is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("jane doe", "Jane Doe"),
        ("rob", "Rob"),
        ("it's dimitra", "Dimitra"),
        ("my name is dee", "Dee"),
        ("O'Brien", "O'Brien"),
        ("Siobhán", "Siobhán"),
        ("李明", "李明"),
        ("sarah", "Sarah"),
        ("Mrs Jones", "Mrs Jones"),
        ("anna from nz", "Anna"),
        ("no", None),
        ("thanks", None),
        ("whatever", None),
        ("none of your business", None),
        ("i'm not sure", None),
        ("0412 345 678", None),
        ("does it hurt", None),
        ("is it Rob?", None),
    ],
)
def test_a_message_that_is_a_name(text: str, name: str | None) -> None:
    assert as_name(text) == name


@pytest.mark.parametrize(
    ("text", "sure"), [("Will Smith", True), ("maria jones", True), ("pain", False), ("Hours", False)]
)
def test_names_that_are_also_words(text: str, sure: bool) -> None:
    assert is_surely_name(text) is sure


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("after 4 please", "after 4"),
        ("tomorrow at 2", "tomorrow at 2"),
        ("not mondays", "not mondays"),
        ("whenever you're free, mornings are bad", "whenever you're free, mornings are bad"),
        ("no rush", "no rush"),
        ("0491 570 158", None),
        ("yes", None),
        ("...", None),
    ],
)
def test_when_to_call_in_their_own_words(text: str, when: str | None) -> None:
    assert as_time(text) == when


def test_a_time_is_cut() -> None:
    assert len(as_time("mornings or maybe " * 100) or "") == 200


@pytest.mark.parametrize(
    "text", ["does it hurt", "how long", "what is that", "ok but how much is it", "sore?"]
)
def test_questions(text: str) -> None:
    assert asks(text)


@pytest.mark.parametrize("text", ["Rob", "tomorrow", "my number is 0491 570 158", "any time is fine"])
def test_answers(text: str) -> None:
    assert not asks(text)


def test_a_number_is_shown_as_people_write_it() -> None:
    assert shown_phone("+61491570158") == "0491 570 158"
    assert shown_phone("+442079460958") == "+44 20 7946 0958"
