"""The figures behind the outcome charts: conversations and what became of them, by day, topic and channel.

A conversation is one person's messages without a pause of more than four hours. It is *helped* when the last
question in it was answered or the person was handed on (booking link, phone line, code, call-back, a person),
*abandoned* when it ended on a question that was not answered or on a call-back form left half-way. Abandoned
ones never count as helped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from bot.store.outcomes import Happening

PAUSE = timedelta(hours=4)

MEASURES = {
    "conversations": "Conversations",
    "helped": "Helped",
    "abandoned": "Abandoned",
    "messages": "Messages",
    "answered": "Questions answered",
    "dont_know": "Not known",
    "not_published": "Not published by the clinic",
    "asked_back": "Asked which was meant",
    "safety": "Sent to a doctor",
    "booking_links": "Booking link given",
    "booking_clicks": "Booking link opened",
    "phone": "Phone line given",
    "phone_taps": "Phone number tapped",
    "code": "Discount code shown",
    "callbacks": "Call-backs requested",
    "human": "Asked for a person",
    "thumbs_up": "Thumbs up",
    "thumbs_down": "Thumbs down",
}

_COUNTED = {
    "message": "messages",
    "answered": "answered",
    "dont_know": "dont_know",
    "not_published": "not_published",
    "asked_back": "asked_back",
    "safety": "safety",
    "handoff:booking_link": "booking_links",
    "handoff:phone": "phone",
    "handoff:discount_code": "code",
    "handoff:human": "human",
    "callback": "callbacks",
    "thumbs_up": "thumbs_up",
    "thumbs_down": "thumbs_down",
}
_QUESTIONS = ("answered", "dont_know", "not_published", "asked_back")
_LEFT_ALONE = {"dont_know", "not_published", "asked_back", "callback_started"}
_HELPS = {"answered", "safety", "callback"}


@dataclass
class Outcomes:
    """Figures of a time. `days` maps each day to its counts by measure."""

    days: dict[date, Counter[str]]
    topics: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    channels: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def totals(self) -> Counter[str]:
        return sum(self.days.values(), Counter())

    @staticmethod
    def dont_know_rate(counts: Counter[str]) -> float | None:
        """The share of questions that got no answer; None without questions."""
        questions = sum(counts[name] for name in _QUESTIONS)
        return (counts["dont_know"] + counts["not_published"]) / questions if questions else None


def bounds(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moments at which the days begin and are over, in UTC."""
    start = datetime.combine(first, time(), zone)
    end = datetime.combine(last + timedelta(days=1), time(), zone)
    return start.astimezone(timezone.utc), end.astimezone(timezone.utc)


def compute(happenings: Sequence[Happening], first: date, last: date, zone: ZoneInfo) -> Outcomes:
    """The figures of the days from `first` to `last`, both included, in the clinic's time zone.

    happenings: of these days, sorted by person and time.
    """
    number = (last - first).days + 1
    found = Outcomes({first + timedelta(days=n): Counter() for n in range(number)})
    for one in happenings:
        day = one.at.astimezone(zone).date()
        name = _COUNTED.get(one.name)
        if one.name == "link_clicked":
            name = "phone_taps" if one.data.get("link") == "phone" else "booking_clicks"
        if name and day in found.days:
            found.days[day][name] += 1
        topic = str(one.data.get("topic", ""))
        if topic and one.name == "answered":
            found.topics[topic] += 1
        elif topic and one.name in ("dont_know", "not_published"):
            found.unknown[topic] += 1
    for conversation in _conversations(happenings):
        day = conversation[0].at.astimezone(zone).date()
        verdict = judge(conversation)
        channel = found.channels.setdefault(conversation[0].channel, Counter())
        for name in ("conversations", verdict):
            if name:
                found.days[day][name] += 1
                channel[name] += 1
        channel["messages"] += sum(one.name == "message" for one in conversation)
    return found


def judge(conversation: Iterable[Happening]) -> str:
    """`helped`, `abandoned`, or nothing when nothing was asked."""
    verdict = ""
    for one in conversation:
        if one.name in _LEFT_ALONE:
            verdict = "abandoned"
        elif one.name in _HELPS or one.name.startswith("handoff:"):
            verdict = "helped"
    return verdict


def _conversations(happenings: Sequence[Happening]) -> Iterator[list[Happening]]:
    """Each person's happenings, cut at long pauses; only those in which the person wrote something."""
    current: list[Happening] = []
    for one in happenings:
        if current and (one.person_key != current[-1].person_key or one.at - current[-1].at > PAUSE):
            if any(part.name == "message" for part in current):
                yield current
            current = []
        current.append(one)
    if any(part.name == "message" for part in current):
        yield current
