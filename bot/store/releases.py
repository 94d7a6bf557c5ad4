"""Releases: which one is live, what was live before, and their archives."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import utc_now
from bot.release_model import PublishError, Release
from bot.review_model import HistoryEntry, NotThere, Who
from bot.store.history import HistoryStore, append
from bot.store.plain import from_plain, to_plain
from bot.store.release_tables import publish_runs, release_pieces, releases

PIECE = 1 << 20
"""Bytes of an archive that are stored in one row."""

release, piece, run = releases.c, release_pieces.c, publish_runs.c
_SHOWN = [column for column in releases.c if column.name != "answers"]
_FIELDS = [field.name for field in dataclasses.fields(Release)]


class ReleaseStore(HistoryStore):
    """The live release is the one of the program's present files that was made live last."""

    def add_release(self, made: Release, archive: Path) -> None:
        """Stores a candidate with its archive; nobody sees it before the last piece is there."""
        with archive.open("rb") as file:
            position = 0
            while data := file.read(PIECE):
                self._add_piece({"release_id": made.id, "position": position, "data": data})
                position += 1
        row = {name: getattr(made, name) for name in _FIELDS}
        row.update(decisions=to_plain(made.decisions), changes=to_plain(made.changes), answers={})
        self._write(lambda c: c.execute(sa.insert(releases), row))

    def archive(self, release_id: str) -> Iterator[bytes]:
        """The pieces of an archive, in order."""
        position = 0
        while data := self._piece(release_id, position):
            yield data
            position += 1

    def _add_piece(self, row: dict[str, Any]) -> None:
        self._write(lambda c: c.execute(sa.insert(release_pieces), row))

    def _piece(self, release_id: str, position: int) -> bytes:
        query = sa.select(piece.data).where(piece.release_id == release_id, piece.position == position)
        return bytes(self._read(lambda c: c.execute(query).scalar()) or b"")

    def live_release(self, inputs: str | None = None) -> Release | None:
        """What is live for these files of the program; without them, whatever was made live last."""
        return self._read(lambda c: live(c, inputs))

    def a_release(self, release_id: str) -> Release:
        """One release. Raises NotThere."""
        return self._read(lambda c: one_release(c, release_id))

    def list_releases(self, limit: int = 20) -> list[Release]:
        """Those that are or were live, the latest first."""
        query = sa.select(*_SHOWN).where(release.number > 0).order_by(release.number.desc()).limit(limit)
        return self._read(lambda c: [_release(row) for row in c.execute(query).mappings()])

    def register_release(self, made: Release, archive: Path, who: Who, only_first: bool = False) -> bool:
        """Stores a release and makes it live at once; not when `only_first` and there is one."""
        if only_first and self.live_release(made.inputs):
            return False
        self.add_release(made, archive)

        def work(connection: Connection) -> bool:
            if only_first and live(connection, made.inputs):
                return False
            make_live(connection, made.id, who, "released")
            return True

        return self._write(work)

    def make_release_live(self, release_id: str, who: Who) -> None:
        """Switches to a release that nothing has to be compared with."""
        self._write(lambda c: make_live(c, release_id, who, "released"))

    def live_archive(self, inputs: str) -> tuple[str, str, int] | None:
        """Id, digest and size of what is live for these files: servers ask every second."""
        query = sa.select(release.id, release.digest, release.size).where(
            release.inputs == inputs, release.live_since.is_not(None)
        )
        query = query.order_by(release.live_since.desc(), release.number.desc()).limit(1)
        row = self._read(lambda c: c.execute(query).first())
        return (row.id, row.digest, row.size) if row else None

    def roll_back(self, release_id: str, who: Who) -> Release:
        """Makes a former release live again.

        Raises:
            PublishError: it is live already, its archive is gone, or it is of other files of the program.
        """

        def work(connection: Connection) -> Release:
            wanted, now = one_release(connection, release_id), live(connection)
            if not wanted.number or not wanted.is_kept:
                raise PublishError("That release is not kept any more.")
            if now is None or now.inputs != wanted.inputs:
                raise PublishError("That release was made for another version of the program.")
            if now.id == wanted.id:
                raise PublishError("That release is live already.")
            data = {"number": wanted.number, "before": now.number}
            make_live(connection, wanted.id, who, "rolled_back", data)
            return one_release(connection, wanted.id)

        return self._write(work)

    def outcomes(self, release_id: str) -> dict[str, Any]:
        """What a release does with the gate's questions, as far as it is remembered."""
        query = sa.select(release.answers).where(release.id == release_id)
        return self._read(lambda c: c.execute(query).scalar()) or {}

    def remember_outcomes(self, release_id: str, answers: Mapping[str, Any]) -> None:
        """Remembers what a release does with the gate's questions."""
        change = sa.update(releases).where(release.id == release_id).values(answers=to_plain(answers))
        self._write(lambda c: c.execute(change))

    def drop_archives(self, keep: int) -> int:
        """Removes the archives of all but the live release, the last `keep`, and the latest candidates.

        Also pieces of archives that were never finished. Returns how many archives went.
        """

        def work(connection: Connection) -> int:
            last = sa.select(release.id).where(release.number > 0).order_by(release.live_since.desc())
            kept = set(connection.execute(last.limit(keep)).scalars())
            kept |= {one.id for one in [live(connection)] if one}
            of_runs = sa.select(run.release_id).where(run.release_id.is_not(None))
            kept |= set(connection.execute(of_runs.order_by(run.created_at.desc()).limit(2)).scalars())
            there = set(connection.execute(sa.select(piece.release_id).distinct()).scalars())
            if connection.execute(sa.select(run.id).where(run.active == 1)).first():
                there &= set(connection.execute(sa.select(release.id)).scalars())  # one is being written
            gone = sorted(there - kept)
            connection.execute(sa.delete(release_pieces).where(piece.release_id.in_(gone)))
            connection.execute(sa.update(releases).where(release.id.in_(gone)).values(is_kept=False))
            return len(gone)

        return self._write(work)


def live(connection: Connection, inputs: str | None = None) -> Release | None:
    query = sa.select(*_SHOWN).where(release.live_since.is_not(None))
    if inputs is not None:
        query = query.where(release.inputs == inputs)
    found = connection.execute(query.order_by(release.live_since.desc(), release.number.desc()).limit(1))
    row = found.mappings().first()
    return _release(row) if row else None


def one_release(connection: Connection, release_id: str) -> Release:
    row = connection.execute(sa.select(*_SHOWN).where(release.id == release_id)).mappings().first()
    if row is None:
        raise NotThere("There is no such release.")
    return _release(row)


def make_live(
    connection: Connection,
    release_id: str,
    who: Who,
    action: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Switches, and tells the history. Gives a candidate its number."""
    wanted = one_release(connection, release_id)
    highest = connection.execute(sa.select(sa.func.max(release.number))).scalar() or 0
    number = wanted.number or highest + 1
    values = {"number": number, "live_since": utc_now()}
    connection.execute(sa.update(releases).where(release.id == release_id).values(**values))
    line = {"number": number, **(data or {})}
    append(connection, HistoryEntry(who.name, action, "release", release_id, who_id=who.id, data=line))


def _release(row: Any) -> Release:
    return from_plain(Release, dict(row))
