"""The clinic's facts (clinic.yml): phone, links, offer, hours, and what the texts may fill in from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import yaml

from bot.model import utc_now
from bot.settings import SettingsError

# Questions that the clinic answers by publishing a fact; domain.yml has `utter_<intent>_known` for each.
_ANSWERED_BY = {"ask_hours": "hours", "ask_location": "address"}


class FactError(SettingsError):
    """A fact is missing or malformed. `fact` is its name, `says` the rest of the sentence."""

    def __init__(self, place: str, fact: str, says: str) -> None:
        super().__init__(f"{place}: {fact} {says}")
        self.fact = fact
        self.says = says


@dataclass(frozen=True)
class Offer:
    """A discount: its code, its terms, and the days (both included) on which it stands."""

    code: str
    terms: str
    starts: date | None = None
    ends: date | None = None

    def stands_on(self, day: date) -> bool:
        return (self.starts is None or self.starts <= day) and (self.ends is None or day <= self.ends)


@dataclass(frozen=True)
class Clinic:
    """What the clinic has published about itself. Empty text means: not published."""

    name: str
    website: str
    phone: str
    booking_url: str
    specialist: str
    time_zone: str
    privacy_url: str = ""
    address: str = ""
    hours: str = ""
    offer: Offer | None = None

    def publishes(self, intent: str) -> bool:
        """Whether a fact answers questions of this intent, for example the opening hours."""
        fact = _ANSWERED_BY.get(intent)
        return bool(fact and getattr(self, fact))

    @property
    def phone_link(self) -> str:
        return "tel:" + re.sub(r"[^+\d]", "", self.phone)

    @property
    def website_link(self) -> str:
        return f"https://{self.website}"

    def booking_link(self, service: str = "milia removal", source: str = "chat") -> str:
        return self.booking_url.replace("{service}", quote(service)).replace("{source}", quote(source))

    def is_booking(self, target: str) -> bool:
        """Whether a link leads to the booking page, whichever service and source it names."""
        parts = re.split(r"\{service\}|\{source\}", self.booking_url)
        return re.fullmatch("[^&#]*".join(map(re.escape, parts)), target) is not None

    def offer_at(self, moment: datetime | None = None) -> Offer | None:
        """The offer that stands at a moment (now, if none is given) in the clinic's time zone."""
        day = (moment or utc_now()).astimezone(ZoneInfo(self.time_zone)).date()
        return self.offer if self.offer and self.offer.stands_on(day) else None

    def facts(self, source: str = "chat") -> dict[str, str]:
        """What `{names}` in the texts of domain.yml stand for."""
        return {
            "clinic": self.name,
            "website": self.website,
            "website_link": self.website_link,
            "phone": self.phone,
            "phone_link": self.phone_link,
            "booking_link": self.booking_link(source=source),
            "privacy_link": self.privacy_url or self.website_link,
            "specialist": self.specialist,
            "code": self.offer.code if self.offer else "",
            "terms": self.offer.terms if self.offer else "",
            "hours": self.hours,
            "address": self.address,
        }


def load_clinic(path: Path) -> Clinic:
    """Reads clinic.yml.

    Raises:
        SettingsError: the file is missing, or a fact in it is missing or malformed; names the fact.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: it holds the clinic's phone, links and offer.") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not readable YAML: {error}") from None
    return clinic_from(values, str(path))


def clinic_from(values: Any, place: str) -> Clinic:
    """A `Clinic` from plain values; `place` is named in errors."""
    if not isinstance(values, Mapping):
        raise SettingsError(f"{place} has to hold `name: value` lines.")
    facts = {key: value for key, value in values.items() if key != "offer"}
    known = set(Clinic.__dataclass_fields__)
    for key, value in facts.items():
        if key not in known:
            raise FactError(place, key, f"is not a fact that the assistant knows; one of {sorted(known)}.")
        if not isinstance(value, str):
            raise FactError(place, key, "has to be text; put it in quotes.")
    for key in ("name", "website", "phone", "booking_url", "specialist", "time_zone"):
        if not str(facts.get(key, "")).strip():
            raise FactError(place, key, "is missing.")
    if not facts["booking_url"].startswith(("https://", "http://")):
        raise FactError(place, "booking_url", "has to start with https://.")
    if not re.fullmatch(r"[+\d][\d ]{5,}", facts["phone"]):
        raise FactError(place, "phone", "has to be a number such as 1300 455 792.")
    try:
        ZoneInfo(facts["time_zone"])
    except Exception:
        says = f"{facts['time_zone']!r} is unknown; try Australia/Sydney."
        raise FactError(place, "time_zone", says) from None
    return Clinic(**facts, offer=_offer(values.get("offer"), place))


def _offer(values: Any, place: str) -> Offer | None:
    if not values or not values.get("code"):
        return None
    if not values.get("terms"):
        raise FactError(place, "offer.terms", "is missing; the code is never given without its terms.")
    days: dict[str, date | None] = {}
    for key in ("starts", "ends"):
        given = values.get(key) or None
        try:
            days[key] = date.fromisoformat(str(given)) if given else None
        except ValueError:
            raise FactError(place, f"offer.{key}", f"is {given!r}; write a day as YYYY-MM-DD.") from None
    if days["starts"] and days["ends"] and days["starts"] > days["ends"]:
        raise FactError(place, "offer.ends", "is before the first day, so the offer would never stand.")
    return Offer(code=str(values["code"]), terms=str(values["terms"]), **days)
