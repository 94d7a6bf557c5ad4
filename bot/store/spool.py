"""A folder that keeps what the database could not take, until it can.

All processes of a machine share it: they append to one file under a lock, and whoever drains moves that file
aside and works through it. What is appended has reached the disk when `append` returns. Records may hold a
visitor's raw words where the database would (conversations, call-back requests), so the folder is private.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Record = dict[str, Any]
"""A JSON object with at least `kind`, `person_key` ("" when unknown) and `sender_id`."""

PATIENCE = 5.0
"""Seconds to wait for another process that is using the folder."""

_CURRENT = "current.jsonl"
_REJECTED = "rejected.jsonl"


class SpoolBusy(OSError):
    """Another process keeps the spool for too long."""


@dataclass(frozen=True)
class Batch:
    """Records that wait to be stored, in the order in which they were appended."""

    path: Path
    records: list[Record]


class Spool:
    """The spool in this folder, made when first written to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def append(self, records: Sequence[Record]) -> None:
        """Writes and syncs the records.

        Raises:
            OSError: the disk is full or the folder can't be written; none of them is kept then.
        """
        self._append(_CURRENT, records)

    def reject(self, records: Sequence[Record]) -> None:
        """Puts aside what no database will ever take, for a person to look at."""
        self._append(_REJECTED, records)

    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting()

    @contextlib.contextmanager
    def draining(self) -> Iterator[Iterator[Batch]]:
        """The waiting batches, oldest first; one is removed when the next is asked for.

        Only one process drains at a time; for the others there is nothing to do meanwhile.
        """
        if self.is_empty():
            yield iter(())
            return
        with self._lock("drain.lock", wait=0) as mine:
            yield self._batches() if mine else iter(())

    def _batches(self) -> Iterator[Batch]:
        while True:
            with self._lock("append.lock"):
                current = self.directory / _CURRENT
                if current.exists():
                    current.rename(self.directory / f"{time.time_ns():020d}-{os.getpid()}.jsonl")
            paths = [path for path in self._waiting() if path.name != _CURRENT]
            if not paths:
                return
            for path in paths:
                yield Batch(path, _read(path))
                path.unlink()

    def erase(self, person_key: str, sender_id: str) -> int:
        """Removes the records of a person (if there is a key) and a conversation; says how many."""
        if not self.directory.exists():
            return 0

        def others(record: Record) -> bool:
            theirs = bool(person_key) and record.get("person_key") == person_key
            return not theirs and record.get("sender_id") != sender_id

        with self._lock("drain.lock"), self._lock("append.lock"):
            return sum(_keep(path, others) for path in sorted(self.directory.glob("*.jsonl")))

    def _waiting(self) -> list[Path]:
        return sorted(path for path in self.directory.glob("*.jsonl") if path.name != _REJECTED)

    def _append(self, name: str, records: Sequence[Record]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = _lines(records)
        with self._lock("append.lock"):
            descriptor = os.open(self.directory / name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                end = os.fstat(descriptor).st_size
                if end and os.pread(descriptor, 1, end - 1) != b"\n":
                    data = b"\n" + data  # someone was killed in the middle of a line
                try:
                    _write_all(descriptor, data)
                    os.fsync(descriptor)
                except OSError:
                    with contextlib.suppress(OSError):
                        os.ftruncate(descriptor, end)
                    raise
            finally:
                os.close(descriptor)
            if end == 0:
                _sync_directory(self.directory)

    @contextlib.contextmanager
    def _lock(self, name: str, wait: float = PATIENCE) -> Iterator[bool]:
        """Holds a lock of the folder; without waiting it may not be had."""
        descriptor = os.open(self.directory / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + wait
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not wait:
                        yield False
                        return
                    if time.monotonic() > deadline:
                        raise SpoolBusy("The spool is in use.") from None
                    time.sleep(0.005)
            yield True
        finally:
            os.close(descriptor)


def _lines(records: Iterable[Record]) -> bytes:
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)


def _read(path: Path) -> list[Record]:
    """The records of a file; a line that was cut off by a crash was never acknowledged and is left out."""
    records = []
    for line in path.read_bytes().split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def _keep(path: Path, wanted: Callable[[Record], bool]) -> int:
    """Rewrites a file with the wanted records only; says how many were left out."""
    records = _read(path)
    kept = [record for record in records if wanted(record)]
    if len(kept) == len(records):
        return 0
    scratch = path.with_suffix(".new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write_all(descriptor, _lines(kept))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    scratch.replace(path)
    _sync_directory(path.parent)
    return len(records) - len(kept)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
