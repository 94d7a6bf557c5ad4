"""What was synced to the spool is there after any crash, once, in order, until it is stored or erased."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.store.spool import Spool

ROOT = Path(__file__).resolve().parents[2]


def record(number: int, sender_id: str = "s") -> dict[str, Any]:
    return {"kind": "Event", "person_key": f"key-{sender_id}", "sender_id": sender_id, "data": {"n": number}}


def drained(spool: Spool) -> list[int]:
    with spool.draining() as batches:
        return [r["data"]["n"] for batch in batches for r in batch.records]


def test_in_order_and_once(spool: Spool) -> None:
    assert spool.is_empty()
    spool.append([record(1), record(2)])
    spool.append([record(3)])
    assert not spool.is_empty()
    assert drained(spool) == [1, 2, 3]
    assert spool.is_empty()
    assert drained(spool) == []


def test_only_its_owner_reads_it(spool: Spool) -> None:
    spool.append([record(1)])
    assert spool.directory.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in spool.directory.iterdir())


def test_a_batch_stays_when_storing_it_fails(spool: Spool) -> None:
    spool.append([record(1)])
    with pytest.raises(RuntimeError), spool.draining() as batches:
        for _ in batches:
            raise RuntimeError
    spool.append([record(2)])
    assert drained(spool) == [1, 2]


def test_what_comes_while_draining_is_drained_too(spool: Spool) -> None:
    spool.append([record(1)])
    seen = []
    with spool.draining() as batches:
        for batch in batches:
            seen += [r["data"]["n"] for r in batch.records]
            if len(seen) == 1:
                spool.append([record(2)])
    assert seen == [1, 2]


def test_one_drains_at_a_time(spool: Spool) -> None:
    spool.append([record(1)])
    with spool.draining() as batches:
        next(batches)
        assert drained(Spool(spool.directory)) == []
    assert drained(spool) == [1]  # it was not finished


def test_a_line_cut_off_by_a_crash(spool: Spool) -> None:
    spool.append([record(1)])
    with open(spool.directory / "current.jsonl", "ab") as file:
        file.write(b'{"kind": "Event", "data": {"n": 2')
    spool.append([record(3)])
    assert drained(spool) == [1, 3]


def test_erasing_removes_the_persons_records_everywhere(spool: Spool) -> None:
    spool.append([record(1), record(2, "other")])
    with pytest.raises(RuntimeError), spool.draining() as batches:
        next(batches)
        raise RuntimeError  # leaves a batch behind
    spool.append([record(3), record(4, "other")])
    spool.reject([record(5)])
    assert spool.erase("key-s", "s") == 3
    assert b'"s"' not in b"".join(path.read_bytes() for path in spool.directory.iterdir())
    assert drained(spool) == [2, 4]


def test_a_full_disk_leaves_whole_records_only(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append([record(1)])
    write = os.write

    def half(descriptor: int, data: Any) -> int:
        write(descriptor, bytes(data)[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        spool.append([record(2)])
    monkeypatch.setattr(os, "write", write)
    spool.append([record(3)])
    assert drained(spool) == [1, 3]


def test_a_killed_process_loses_nothing_that_it_had_acknowledged(spool: Spool) -> None:
    code = """
import sys
from pathlib import Path
from bot.store.spool import Spool
spool, n = Spool(Path(sys.argv[1])), 0
while True:
    n += 1
    spool.append([{"kind": "Event", "person_key": "", "sender_id": "", "data": {"n": n}}])
    print(n, flush=True)
"""
    acknowledged = 0
    with subprocess.Popen(
        [sys.executable, "-c", code, str(spool.directory)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        for line in writer.stdout:
            if line.endswith("\n"):
                acknowledged = int(line)
            if acknowledged >= 50:
                writer.kill()
    numbers = drained(spool)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= acknowledged


def test_many_processes_write_to_one_spool(spool: Spool) -> None:
    code = """
import sys
from pathlib import Path
from bot.store.spool import Spool
for n in range(50):
    record = {"kind": "Event", "person_key": "", "sender_id": sys.argv[2], "data": {"n": n}}
    Spool(Path(sys.argv[1])).append([record])
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(spool.directory), str(n)], cwd=ROOT)
        for n in range(3)
    ]
    seen: dict[str, list[int]] = {"0": [], "1": [], "2": []}
    while any(writer.poll() is None for writer in writers) or not spool.is_empty():
        with spool.draining() as batches:
            for batch in batches:
                for r in batch.records:
                    seen[r["sender_id"]].append(r["data"]["n"])
    assert seen == {name: list(range(50)) for name in seen}
