"""What the pages work with, built once an app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from flask import current_app
from flask_login import current_user

from bot.answer_source import AnswerSource
from bot.clinic_source import ClinicSource
from bot.editor import Editor
from bot.model import utc_now
from bot.publishing.desk import Publishing
from bot.publishing.trial import Trial
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
    answers: AnswerSource
    limits: SignInLimits
    topics: Callable[[], Topics]

    @cached_property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.clinic.clinic.time_zone)

    @property
    def editor(self) -> Editor:
        """What can be done with answers."""
        approval = bool(self.settings.health_approval)
        return Editor(self.store, self.topics, lambda: self.clinic.clinic, self.today, approval)

    @cached_property
    def publishing(self) -> Publishing:
        """What can be done with releases."""
        return Publishing(self.store, self.topics)

    @cached_property
    def trial(self) -> Trial:
        """The candidate and the live release, to be asked."""
        return Trial(self.store, self.settings)

    def today(self) -> date:
        """The day at the clinic."""
        return utc_now().astimezone(self.zone).date()

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


def make_topics(clinic: ClinicSource, answers: AnswerSource) -> Callable[[], Topics]:
    """Reads the topics again when the clinic's facts in them, or the answers of staff, have changed."""
    kept: tuple[object, object, Topics] | None = None

    def topics() -> Topics:
        nonlocal kept
        facts, written = clinic.clinic, answers.by_topic
        if kept is None or kept[0] is not facts or kept[1] is not written:
            kept = (facts, written, load_topics(facts, written))
        return kept[2]

    return topics
