"""The store as the staff app uses it: everything that `Store` does, and the desk on top."""

from __future__ import annotations

from bot.store.accounts import AccountStore
from bot.store.answers import AnswerStore
from bot.store.callbacks import CallbackStore
from bot.store.clinic import ClinicStore
from bot.store.decisions import DecisionStore
from bot.store.messenger_threads import MessengerThreadStore
from bot.store.notices import NoticeStore
from bot.store.outcomes import OutcomeStore
from bot.store.people import PeopleStore
from bot.store.publish_runs import PublishRunStore


class StaffStore(
    AnswerStore,
    DecisionStore,
    PeopleStore,
    AccountStore,
    CallbackStore,
    NoticeStore,
    OutcomeStore,
    ClinicStore,
    MessengerThreadStore,
    PublishRunStore,
):
    """One transaction a method, as in every store here."""
