"""What counts as helped, what as abandoned."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.outcomes import Outcomes, bounds, compute
from bot.store.outcomes import Happening

ZONE = ZoneInfo("Australia/Sydney")
START = datetime(2026, 11, 5, 1, 0, tzinfo=timezone.utc)  # noon in Sydney
DAY = date(2026, 11, 5)


def talk(
    *names: str, person: str = "a", start: datetime = START, gap: float = 1, **data: Any
) -> list[Happening]:
    return [
        Happening(person, "website", start + timedelta(minutes=gap * n), name, data)
        for n, name in enumerate(names)
    ]


def figures(happenings: list[Happening]) -> dict[str, int]:
    return dict(compute(happenings, DAY, DAY, ZONE).days[DAY])


@pytest.mark.parametrize(
    ("names", "helped", "abandoned"),
    [
        (("message", "answered"), 1, 0),
        (("message", "dont_know"), 0, 1),
        (("message", "answered", "message", "dont_know"), 0, 1),
        (("message", "dont_know", "message", "answered"), 1, 0),
        (("message", "dont_know", "handoff:phone"), 1, 0),
        (("message", "callback_started"), 0, 1),
        (("message", "callback_started", "message", "callback"), 1, 0),
        (("message", "asked_back"), 0, 1),
        (("message",), 0, 0),
        (("thumbs_up",), 0, 0),
    ],
)
def test_how_a_conversation_ended(names: tuple[str, ...], helped: int, abandoned: int) -> None:
    counts = compute(talk(*names), DAY, DAY, ZONE).totals
    assert (counts["helped"], counts["abandoned"]) == (helped, abandoned)
    assert helped + abandoned <= counts["conversations"] <= 1


def test_a_long_pause_begins_another_conversation() -> None:
    assert figures(talk("message", "answered", "message", "answered", gap=3 * 60))["conversations"] == 1
    later = talk("message", "dont_know", start=START + timedelta(hours=5))
    assert figures(talk("message", "answered") + later)["conversations"] == 2


def test_days_are_the_clinics() -> None:
    start, end = bounds(DAY, DAY, ZONE)
    assert (start.hour, end - start) == (13, timedelta(days=1))
    evening = datetime(2026, 11, 4, 13, 30, tzinfo=timezone.utc)  # half past midnight in Sydney
    assert figures(talk("message", start=evening))["messages"] == 1


def test_clicks_on_links_are_told_apart() -> None:
    clicked = talk("link_clicked", link="phone") + talk("link_clicked", link="booking")
    assert figures(clicked) == {"phone_taps": 1, "booking_clicks": 1}


def test_the_share_without_an_answer_is_of_questions() -> None:
    totals = compute(
        talk("message", "answered", "answered", "dont_know", "not_published"), DAY, DAY, ZONE
    ).totals
    assert Outcomes.dont_know_rate(totals) == 0.5
    assert Outcomes.dont_know_rate(compute([], DAY, DAY, ZONE).totals) is None
