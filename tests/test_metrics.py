"""What Prometheus reads."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from bot import metrics
from bot.metrics import Looked, timed
from bot.model import OutgoingReply, Person, Reply
from bot.settings import load_settings
from bot.store.spool import Spool
from bot.store.store import Store
from bot.store.watch import looked_up
from tests.conftest import environment, free_ports


def read(*collectors: Looked) -> str:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry).decode()


def test_what_is_looked_up() -> None:
    assert 'x{of="a b"} 2.0' in read(Looked("x", "X.", lambda: {"a b": 2}, "of"))
    assert "\nx 2.0" in read(Looked("x", "X.", lambda: {"": 2}))


def test_what_cannot_be_looked_up_is_left_out_and_costs_nothing_else() -> None:
    def fails() -> dict[str, float]:
        raise OSError

    text = read(Looked("broken", "X.", fails), Looked("whole", "X.", lambda: {"": 1}))
    assert "\nwhole 1.0" in text and "\nbroken " not in text


def test_database_and_spool(tmp_path: Path) -> None:
    store, spool = Store(f"sqlite:///{tmp_path / 'milia.db'}"), Spool(tmp_path / "spool")
    assert "milia_database_up 1.0" in read(*looked_up(store, spool))
    store.migrate()
    person = Person("website", "v", "a" * 32)
    store.enqueue_reply(OutgoingReply(person, Reply("Hello"), "sarah"))
    spool.append([{"kind": "Event", "person_key": "", "sender_id": "v"}])
    text = read(*looked_up(store, spool))
    assert 'milia_staff_replies{state="queued"} 1.0' in text
    assert 'milia_messenger_outbox{state="failed"} 0.0' in text
    assert "milia_messenger_inbox 0.0" in text
    size = next(line for line in text.splitlines() if line.startswith('milia_spool_bytes{what="waiting"}'))
    assert float(size.split()[-1]) > 10
    store.close()
    away = Store(f"sqlite:///{tmp_path}")  # a folder is no database
    assert "milia_database_up 0.0" in read(*looked_up(away, spool))


async def test_a_stage_is_timed_also_when_it_fails() -> None:
    @timed("trial")
    async def fails() -> None:
        raise ValueError

    def counted() -> float:
        return metrics.STAGE.labels("trial")._sum.get()

    with pytest.raises(ValueError):
        await fails()
    assert counted() > 0


def test_they_are_served_only_where_a_setting_says(tmp_path: Path) -> None:
    [port] = free_ports(1)
    environ = environment(data_dir=tmp_path, metrics_port=port - 1)
    metrics.OUTCOMES.labels("website", "answered").inc()
    metrics.serve(load_settings(environ, tmp_path / ".env"), 1)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    assert 'milia_outcomes_total{channel="website",outcome="answered"}' in text
    assert "process_resident_memory_bytes" in text
    off = load_settings(environment(data_dir=tmp_path), tmp_path / ".env")
    assert off.metrics_port == 0
    metrics.serve(off, 0)  # nothing
