"""Actions run as the action server runs them, with a real database of their own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import services
from bot.answer_source import shared_answers
from bot.clinic_source import shared_clinic
from bot.store.migrate import migrate
from tests.conftest import environment

Row = dict[str, Any]


class Desk:
    """A clinic with a database, and one visitor."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Row] = []
        self.slots: Row = {}
        self.set: list[Row] = []  # the events of the last action
        self.replies: list[str] = []

    def runs(self, action: Action, text: str = "", intent: str = "", **latest: Any) -> list[Row]:
        """What the visitor gets when they have typed this and the action runs; slots that it sets are kept."""
        name, _, key = intent.partition("/")
        selector = {name: {"response": {"intent_response_key": intent}}} if key else {}
        message = {"text": text, "intent": {"name": name}, "response_selector": selector, **latest}
        event = {"event": "user", "text": text, "input_channel": "rest", "parse_data": message}
        self.events.append({**event, "message_id": latest.get("message_id")})
        return self.runs_on(action, message)

    def runs_on(self, action: Action, message: Row | None = None) -> list[Row]:
        """The same, when nothing new was typed."""
        message = message or {}
        tracker = Tracker(
            "anna", dict(self.slots), message, list(self.events), False, None, {}, "action_listen"
        )
        dispatcher = CollectingDispatcher()

        async def turn() -> list[Row]:
            events = await action.run(dispatcher, tracker, {})
            await services.recorder().store_held()  # as the turn would
            return events

        self.set = asyncio.run(turn())
        self.slots.update({event["name"]: event["value"] for event in self.set if event["event"] == "slot"})
        self.replies = [message["response"] for message in dispatcher.messages]
        return dispatcher.messages

    def rows(self, table: str) -> list[Row]:
        connection = sqlite3.connect(self.folder / "milia.db")
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
        finally:
            connection.close()


@pytest.fixture
def clinic_file(tmp_path: Path) -> Path:
    """The clinic's facts, which a test may change before the desk opens."""
    path = tmp_path / "clinic.yml"
    path.write_text(Path("clinic.yml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.fixture
def desk(tmp_path: Path, clinic_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in environment(data_dir=tmp_path, clinic_file=clinic_file).items():
        monkeypatch.setenv(name, value)
    services.settings.cache_clear()
    migrate(services.settings().store_url)
    yield Desk(tmp_path)
    services.recorder().stop()
    shared_clinic(services.settings()).stop()
    shared_answers(services.settings()).stop()
    services.settings.cache_clear()


def change(clinic_file: Path, **facts: Any) -> None:
    """Other facts of the clinic."""
    values = yaml.safe_load(clinic_file.read_text(encoding="utf-8"))
    clinic_file.write_text(yaml.safe_dump({**values, **facts}), encoding="utf-8")
