"""What comes of the conversations: figures, charts and a file, for any range of days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, render_template

from bot.model import utc_now
from bot.outcomes import MEASURES, Outcomes, bounds, compute
from bot.web.csv_file import csv_file
from bot.web.desk import desk
from bot.web.forms import day_in

blueprint = Blueprint("outcomes", __name__)

LONGEST = 366
EARLIEST = date(2000, 1, 1)

CHARTS = (
    ("Conversations", ("conversations", "helped", "abandoned"), "line"),
    ("Questions", ("answered", "dont_know", "not_published", "asked_back"), "line"),
    (
        "Handed on",
        ("booking_links", "booking_clicks", "phone", "phone_taps", "code", "callbacks", "human"),
        "stack",
    ),
    ("What visitors thought", ("thumbs_up", "thumbs_down"), "stack"),
)


@blueprint.get("/outcomes")
def charts() -> Any:
    """Charts, each with the table that it is drawn from."""
    first, last = _range()
    outcomes = _outcomes(first, last)
    today = _today()
    return render_template(
        "outcomes.html",
        outcomes=outcomes,
        totals=outcomes.totals,
        rate=Outcomes.dont_know_rate(outcomes.totals),
        rates={day: Outcomes.dont_know_rate(counts) for day, counts in outcomes.days.items()},
        measures=MEASURES,
        charts=CHARTS,
        first=first,
        last=last,
        ranges={days: (today - timedelta(days=days - 1), today) for days in (7, 30, 90)},
    )


@blueprint.get("/outcomes.csv")
def download() -> Any:
    """The figures by day as a file."""
    first, last = _range()
    days = _outcomes(first, last).days
    rows = ([day.isoformat(), *(counts[name] for name in MEASURES)] for day, counts in days.items())
    return csv_file(f"outcomes-{first}-{last}.csv", ["Day", *MEASURES.values()], rows)


def _range() -> tuple[date, date]:
    """The days that were asked for: at most a year, not the future, 30 days if nothing was."""
    today = _today()
    last = max(min(day_in("to", today), today), EARLIEST)
    first = day_in("from", last - timedelta(days=29))
    return max(min(first, last), last - timedelta(days=LONGEST - 1)), last


def _today() -> date:
    return utc_now().astimezone(desk().zone).date()


def _outcomes(first: date, last: date) -> Outcomes:
    happenings = desk().store.happenings(*bounds(first, last, desk().zone))
    return compute(happenings, first, last, desk().zone)
