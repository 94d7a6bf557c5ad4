"""The staff app over a real database, with people who may sign in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.model import Candidate, Person, Reason, UnansweredQuestion, new_id, utc_now
from bot.passwords import hash_password
from bot.review_model import Account, Role, Who
from bot.settings import Settings, load_settings
from bot.store.staff_store import StaffStore
from bot.web.app import create_app, make_desk
from bot.web.desk import Desk
from tests.conftest import environment

PASSWORD = "correct horse battery"
HASH = hash_password(PASSWORD)


@dataclass
class Staff:
    """A browser of one member of staff."""

    client: FlaskClient
    account: Account | None = None

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(self, path: str, page: str = "/", **fields: Any) -> TestResponse:
        """Sends a form with the token of a page, as a browser does."""
        return self.client.post(path, data={"csrf_token": self.token(page), **fields})

    def token(self, page: str = "/") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(page).text)
        assert found, f"{page} has no form"
        return found[1]

    def sign_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/sign-in", "/sign-in", name=name, password=password)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(environment(data_dir=tmp_path), env_file=tmp_path / "none")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and nothing in them; copying it takes less time than the migrations."""
    path = tmp_path_factory.mktemp("empty") / "milia.db"
    store = StaffStore(f"sqlite:///{path}")
    store.migrate()
    store.close()
    return path


@pytest.fixture
def desk(settings: Settings, empty_database: Path) -> Iterator[Desk]:
    shutil.copy(empty_database, settings.data_dir / "milia.db")
    desk = make_desk(settings)
    yield desk
    desk.clinic.stop()
    desk.answers.stop()
    desk.store.close()


@pytest.fixture
def app(settings: Settings, desk: Desk) -> Flask:
    return create_app(settings, desk)


@pytest.fixture
def visitor(app: Flask) -> Staff:
    """A browser in which nobody is signed in."""
    return Staff(app.test_client())


@pytest.fixture
def add_staff(app: Flask, desk: Desk) -> Callable[..., Staff]:
    """Adds an account and signs it in."""

    def add(name: str, role: Role = Role.REVIEWER) -> Staff:
        account = Account(new_id(), name, role, HASH, must_change=False, active=True, created_at=utc_now())
        desk.store.add_account(account, Who("test"))
        staff = Staff(app.test_client(), account)
        assert staff.sign_in(name).status_code == 302
        return staff

    return add


@pytest.fixture
def kim(add_staff: Callable[..., Staff]) -> Staff:
    return add_staff("Kim", Role.ADMIN)


@pytest.fixture
def dana(add_staff: Callable[..., Staff]) -> Staff:
    return add_staff("Dana", Role.REVIEWER)


@pytest.fixture
def ask(desk: Desk) -> Callable[..., UnansweredQuestion]:
    """Records a question as the chat server does, and groups it."""

    def ask(
        text: str, sender: str = "v1", channel: str = "website", age: float = 0, **more: Any
    ) -> UnansweredQuestion:
        values: dict[str, Any] = {
            "reason": Reason.OUT_OF_SCOPE,
            "intent": "out_of_scope",
            "candidates": (Candidate("faq/pain", 0.4), Candidate("faq/size", 0.2)),
            "context": (("visitor", "hi"), ("bot", "Hello!")),
        }
        question = UnansweredQuestion(
            desk.settings.person(channel, sender),
            text,
            asked_at=utc_now() - timedelta(hours=age),
            **{**values, **more},
        )
        desk.store.record_question(question)
        if age > 24:  # older ones are looked for once an hour
            desk.review.look_everywhere()
        desk.review.group_new()
        return question

    return ask


@pytest.fixture
def group_of(desk: Desk) -> Callable[[UnansweredQuestion], str]:
    """The group in which a question stands."""

    def group_of(question: UnansweredQuestion) -> str:
        for state in ((), ("new",)):
            from bot.review_model import GroupFilter

            for group in desk.store.list_groups(GroupFilter(states=state), limit=1000):
                if question.id in {one.id for one in desk.store.group_page(group.id).questions}:
                    return group.id
        raise AssertionError("It stands in no group.")

    return group_of


def person(sender: str = "v1", channel: str = "website") -> Person:
    return Person(channel, sender, "a" * 32)
