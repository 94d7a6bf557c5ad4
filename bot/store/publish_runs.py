"""Publish runs: one at a time, owned by one process as long as it renews its lease, and their history."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import utc_now
from bot.release_model import LostLease, PublishError, PublishRun, Report, RunState
from bot.review_model import HistoryEntry, NotThere, Who
from bot.store.history import append
from bot.store.plain import from_plain, to_plain
from bot.store.release_tables import publish_runs
from bot.store.releases import ReleaseStore, live, make_live

LEASE = timedelta(seconds=15)
"""How long a run belongs to a process that doesn't say that it is still there."""

MOST_ATTEMPTS = 2

run = publish_runs.c
_ENDS = {RunState.READY: "candidate", RunState.REFUSED: "refused", RunState.FAILED: "publish_failed"}
_LOST = "It was interrupted twice: a computer or a program stopped while it worked. Nothing has changed."
_OVERTAKEN = (
    "Another release was made live while this one was tested. Publish again to test against that one."
)


class PublishRunStore(ReleaseStore):
    """Every change of a run is refused to a process that doesn't own it any more."""

    def start_run(self, wanted: PublishRun) -> None:
        """Queues a run.

        Raises:
            PublishError: there is one under way.
        """
        row = {field.name: getattr(wanted, field.name) for field in dataclasses.fields(PublishRun)}
        row.update({name: to_plain(row[name]) for name in ("decisions", "changes", "seconds", "report")})
        row.update(state=wanted.state.value, active=1)

        def work(connection: Connection) -> None:
            connection.execute(sa.insert(publish_runs), row)
            line = {"changes": len(wanted.changes), "kind": wanted.kind}
            append(connection, _line(wanted, "publish_wanted", line))

        try:
            self._write(work)
        except sa.exc.IntegrityError:
            raise PublishError("A publish is under way already: wait until it is finished.") from None

    def a_run(self, run_id: str) -> PublishRun:
        """One run. Raises NotThere."""
        return self._read(lambda c: _one(c, run_id))

    def list_runs(self, limit: int = 10) -> list[PublishRun]:
        """The latest runs, newest first."""
        query = sa.select(publish_runs).order_by(run.created_at.desc()).limit(limit)
        return self._read(lambda c: [_run(row) for row in c.execute(query).mappings()])

    def active_run(self) -> PublishRun | None:
        """The run that is under way or waits to be."""
        query = sa.select(publish_runs).where(run.active == 1)
        return self._read(lambda c: next((_run(row) for row in c.execute(query).mappings()), None))

    def take_run(self, owner: str, run_id: str | None = None) -> PublishRun | None:
        """Takes the run that waits, or one whose process has gone; None when there is none.

        One that was lost for the second time is ended as failed.
        """

        def work(connection: Connection) -> PublishRun | None:
            query = sa.select(publish_runs).where(run.active == 1).with_for_update()
            row = connection.execute(query).mappings().first()
            if row is None or (run_id and row["id"] != run_id):
                return None
            if row["owner"] and row["lease_until"] > utc_now():
                return None
            if row["attempts"] >= MOST_ATTEMPTS:
                _end(connection, _run(row), RunState.FAILED, _LOST)
                return None
            values = {
                "owner": owner,
                "lease_until": utc_now() + LEASE,
                "attempts": row["attempts"] + 1,
                "state": RunState.QUEUED.value,
                "progress": "",
            }
            connection.execute(sa.update(publish_runs).where(run.id == row["id"]).values(**values))
            return _one(connection, row["id"])

        return self._write(work)

    def is_run_waiting(self) -> bool:
        """Whether a run waits for a process to take it."""
        query = sa.select(run.owner, run.lease_until).where(run.active == 1)
        row = self._read(lambda c: c.execute(query).first())
        return row is not None and (not row.owner or row.lease_until <= utc_now())

    def renew_run(self, run_id: str, owner: str) -> None:
        """Keeps a run. Raises LostLease."""
        self._write(lambda c: _change(c, run_id, owner, {}))

    def move_run(self, run_id: str, owner: str, **values: Any) -> None:
        """Changes `state`, `progress`, `seconds`, `report`, `release_id` or `baseline`. Raises LostLease."""
        plain = {name: to_plain(value) for name, value in values.items()}
        self._write(lambda c: _change(c, run_id, owner, plain))

    def end_run(self, run_id: str, owner: str, state: RunState, reason: str = "", **values: Any) -> None:
        """Ends a run. LIVE switches to its release in the same transaction. Raises LostLease."""
        plain = {name: to_plain(value) for name, value in values.items()}

        def work(connection: Connection) -> None:
            _change(connection, run_id, owner, plain)
            ended = _one(connection, run_id)
            if state is RunState.LIVE:
                now = live(connection, ended.inputs)
                if now is not None and now.id != ended.baseline:
                    _end(connection, ended, RunState.FAILED, _OVERTAKEN)
                    return
                _go_live(connection, ended, Who(ended.wanted_by, ended.wanted_by_id))
            else:
                _end(connection, ended, state, reason)

        self._write(work)

    def cancel_run(self, run_id: str, who: Who) -> None:
        """Ends a run that somebody doesn't want any more; its process stops by itself."""

        def work(connection: Connection) -> None:
            stopped = _one(connection, run_id)
            if not stopped.is_active:
                raise PublishError("It has ended already.")
            _end(connection, stopped, RunState.FAILED, f"{who.name} stopped it. Nothing has changed.")

        self._write(work)

    def accept_difference(self, run_id: str, key: str, who: Who, why: str) -> None:
        """Takes a difference of a refused candidate although it is worse."""

        def work(connection: Connection) -> None:
            refused = _one(connection, run_id, for_change=True)
            if refused.state is not RunState.REFUSED or refused.report is None:
                raise PublishError("This candidate doesn't wait for a decision any more.")
            if key not in {one.key for one in refused.report.refusals}:
                raise PublishError("That difference is not there any more.")
            differences = tuple(
                dataclasses.replace(one, accepted_by=who.name, why=why) if one.key == key else one
                for one in refused.report.differences
            )
            report = dataclasses.replace(refused.report, differences=differences)
            _set_report(connection, run_id, report)
            data = {"question": key, "why": why}
            append(connection, HistoryEntry(who.name, "accepted", "publish", run_id, who.id, data))

        self._write(work)

    def release_candidate(self, run_id: str, who: Who) -> None:
        """Makes a tested candidate live, when nothing stands against it any more.

        Raises:
            PublishError: something does; or another release went live since it was tested.
        """

        def work(connection: Connection) -> None:
            tested = _one(connection, run_id, for_change=True)
            if tested.state not in (RunState.READY, RunState.REFUSED) or tested.release_id is None:
                raise PublishError("This candidate can't be published any more.")
            if tested.report is None or tested.report.refusals:
                raise PublishError("Some questions would be answered worse; accept each of them first.")
            now = live(connection)
            if now is None or now.id != tested.baseline:
                raise PublishError("Another release is live since this was tested: train it again.")
            _go_live(connection, tested, who)

        self._write(work)


def _go_live(connection: Connection, ended: PublishRun, who: Who) -> None:
    assert ended.release_id is not None  # noqa: S101 -- the runner stored it before the tests
    make_live(connection, ended.release_id, who, "published", {"run": ended.id})
    _finish(connection, ended.id, RunState.LIVE, "")


def _end(connection: Connection, ended: PublishRun, state: RunState, reason: str) -> None:
    _finish(connection, ended.id, state, reason)
    append(connection, _line(ended, _ENDS[state], {"reason": reason}))


def _finish(connection: Connection, run_id: str, state: RunState, reason: str) -> None:
    values = {"state": state.value, "reason": reason, "active": None, "finished_at": utc_now()}
    connection.execute(
        sa.update(publish_runs).where(run.id == run_id).values(**values, owner="", lease_until=None)
    )


def _change(connection: Connection, run_id: str, owner: str, values: Mapping[str, Any]) -> None:
    ours = sa.update(publish_runs).where(run.id == run_id, run.owner == owner, run.active == 1)
    if connection.execute(ours.values(lease_until=utc_now() + LEASE, **values)).rowcount != 1:
        raise LostLease


def _set_report(connection: Connection, run_id: str, report: Report) -> None:
    connection.execute(sa.update(publish_runs).where(run.id == run_id).values(report=to_plain(report)))


def _one(connection: Connection, run_id: str, for_change: bool = False) -> PublishRun:
    query = sa.select(publish_runs).where(run.id == run_id)
    row = connection.execute(query.with_for_update() if for_change else query).mappings().first()
    if row is None:
        raise NotThere("There is no such publish.")
    return _run(row)


def _run(row: Any) -> PublishRun:
    return from_plain(PublishRun, {name: value for name, value in row.items() if name != "active"})


def _line(about: PublishRun, action: str, data: Mapping[str, Any]) -> HistoryEntry:
    return HistoryEntry(about.wanted_by, action, "publish", about.id, about.wanted_by_id, data)
