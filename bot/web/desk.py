"""What the pages work with, built once an app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from flask import current_app
from flask_login import current_user

from bot.clinic_source import ClinicSource
from bot.review import Review
from bot.review_model import Account, Who
from bot.settings import Settings
from bot.store.spool import Spool
from bot.store.staff_store import StaffStore
from bot.topics import Topics, load_topics
from bot.web.sign_in_limits import SignInLimits


@dataclass
class Desk:
    """The settings, the store and the use cases."""

    settings: Settings
    store: StaffStore
    review: Review
    clinic: ClinicSource
    limits: SignInLimits
    topics: Callable[[], Topics]

    @cached_property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.clinic.clinic.time_zone)

    @property
    def spool(self) -> Spool:
        return Spool(self.settings.spool_dir)


def desk() -> Desk:
    """The desk of the app that answers this request."""
    found: Desk = current_app.extensions["desk"]
    return found


def account() -> Account:
    """The account that is signed in."""
    found: Account = current_user.account
    return found


def who() -> Who:
    """Who does what this request asks for."""
    return Who(account().name, account().id)


def make_topics(clinic: ClinicSource) -> Callable[[], Topics]:
    """Reads the topics again when the clinic's facts in them have changed."""
    kept: dict[int, Topics] = {}

    def topics() -> Topics:
        now = clinic.clinic
        if id(now) not in kept:
            kept.clear()
            kept[id(now)] = load_topics(now)
        return kept[id(now)]

    return topics
