"""Messenger under a burst of events, faults of Graph and killed servers: is everything answered once?

    python -m benchmarks.messenger_burst [--events 1000] [--people 200] [--kills 2] [--servers 1] [--postgres]

Meta is played on loopback (tests/doubles/graph_api.py); the servers are real ones, with the project's model.
Batches come shuffled and a fifth of the events twice. What counts is what people got, not what tables say.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.settings import Settings, load_settings
from bot.store.messenger_model import OutboxState
from bot.store.messenger_outbox import Outbox
from bot.store.store import Store
from bot.texts import load_texts
from tests.cluster import ChatServer
from tests.conftest import environment, free_ports
from tests.doubles.graph_api import Fault, Meta
from tests.store.conftest import new_postgres_database, start_postgres

PAGE = "100"
EVENTS_PER_SECOND = 50.0
SHUFFLED = 5  # neighbouring events that may come in any order
DELIVERIES_AT_ONCE = 4
QUESTIONS = (
    "What are milia?",
    "Does milia removal hurt?",
    "Can I squeeze milia myself?",
    "Why do I get milia?",
    "How can I prevent milia?",
    "How long is the recovery after milia removal?",
    "Are milia the same as acne?",
    "Which products do you use?",
)


@dataclass
class Figures:
    """What came of a burst."""

    sent: int = 0
    answered: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    invalid: int = 0
    seconds: float = 0.0
    answer_times: list[float] = field(default_factory=list)

    def percentile(self, percent: int) -> float:
        """Milliseconds in which the webhook answered this share of the requests."""
        return 1000 * statistics.quantiles(self.answer_times, n=100)[percent - 1]

    def __str__(self) -> str:
        return (
            f"sent {self.sent}, answered {self.answered}, lost {self.lost}, doubled {self.doubled}, "
            f"out of order {self.out_of_order}, refused by Graph {self.invalid}; {self.seconds:.0f} s; "
            f"{len(self.answer_times)} webhook requests answered in p50 {self.percentile(50):.0f} ms, "
            f"p99 {self.percentile(99):.0f} ms"
        )


async def _kill(server: ChatServer, meta: Meta, one_at_a_time: asyncio.Lock) -> None:
    """Kills a server as hard as it can be while it sends, and starts it anew."""
    async with one_at_a_time:
        before = len(meta.sent)
        while len(meta.sent) < before + 5:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(server.kill)
        server.launch()
        await asyncio.to_thread(server.wait)


async def burst(
    events: int,
    people: int,
    kills: int,
    servers: int = 1,
    database_url: str = "",
    say: Callable[[str], None] = print,
    seed: int = 1,
) -> Figures:
    """Runs it once and says what came of it."""
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        async with Meta(tokens={PAGE: "token-100"}) as meta:
            variables = environment(
                data_dir=folder,
                database_url=database_url,
                messenger_app_secret=meta.app_secret,
                messenger_verify_token="verify-me",
                messenger_page_tokens=f"{PAGE}:token-100",
                messenger_graph_url=meta.url,
            )
            settings = load_settings(variables, Path(folder) / ".env")
            store = Store(settings.store_url)
            store.migrate()
            running = [
                ChatServer(variables, port, Path(folder) / f"{port}.log") for port in free_ports(servers)
            ]
            try:
                for server in running:
                    server.launch()
                for server in running:
                    await asyncio.to_thread(server.wait)
                say(f"{servers} server(s) answer; {events} events of {people} people, {kills} kills ...")
                answers = await _answers(running[0].url)
                meta.webhooks = [f"{server.url}/webhooks/facebook/webhook" for server in running]
                figures = await _burst(meta, running, settings, store, answers, events, people, kills, dice)
            finally:
                for server in running:
                    await asyncio.to_thread(server.stop)
                store.close()
            logged = "".join(server.log.read_text(errors="replace") for server in running)
    trouble = [line for line in logged.splitlines() if " ERROR " in line or "Traceback" in line]
    if trouble:
        say(f"The servers logged {len(trouble)} errors, the first: {trouble[0]}")
    return figures


async def _answers(url: str) -> dict[str, str]:
    """The text that answers each question, as another channel has it."""
    answers = {}
    async with aiohttp.ClientSession() as http:
        for number, question in enumerate(QUESTIONS):
            body = {"sender": f"burst-{number}", "message": question}
            async with http.post(f"{url}/webhooks/rest/webhook", json=body) as response:
                [reply] = await response.json()
                answers[question] = reply["text"].partition("\nBook online:")[0]
    if len(set(answers.values())) < len(QUESTIONS):
        raise RuntimeError(f"Two questions have the same answer: {answers}")
    return answers


async def _burst(
    meta: Meta,
    running: Sequence[ChatServer],
    settings: Settings,
    store: Store,
    answers: dict[str, str],
    events: int,
    people: int,
    kills: int,
    dice: random.Random,
) -> Figures:
    meta.chaos = lambda: _fault(dice)
    asked: dict[str, list[str]] = {}
    waiting: asyncio.Queue[list[Any] | None] = asyncio.Queue()
    begun = time.monotonic()

    async def deliver() -> None:
        while (batch := await waiting.get()) is not None:
            await meta.deliver_until_accepted(meta.body(PAGE, batch), every=0.05)

    deliverers = [asyncio.create_task(deliver()) for _ in range(DELIVERIES_AT_ONCE)]
    killing: list[asyncio.Task[None]] = []
    one_at_a_time = asyncio.Lock()
    kill_at = {events * (n + 1) // (kills + 1) for n in range(kills)}
    neighbours: list[Any] = []
    repeats: list[Any] = []
    order = [f"{70000 + n % people}" for n in range(events)]
    for start in range(0, events, people):  # everybody asks about as often as the others
        block = order[start : start + people]
        dice.shuffle(block)
        order[start : start + people] = block
    for number, psid in enumerate(order):
        questions = asked.setdefault(psid, [])
        question = dice.choice([one for one in QUESTIONS if one not in questions] or list(QUESTIONS))
        questions.append(question)
        event = meta.text(psid, question, mid=f"mid-{number}")
        neighbours.append(event)
        if dice.random() < 0.2:
            repeats.append(event)
        if len(neighbours) == SHUFFLED or number == events - 1:
            if number % 3 == 0:
                neighbours += repeats
                repeats = []
            dice.shuffle(neighbours)
            while neighbours:
                size = dice.randint(1, 4)
                waiting.put_nowait(neighbours[:size])
                del neighbours[:size]
        if number in kill_at:
            killing.append(asyncio.create_task(_kill(dice.choice(running), meta, one_at_a_time)))
        await asyncio.sleep(max(0.0, begun + number / EVENTS_PER_SECOND - time.monotonic()))
    waiting.put_nowait(repeats)
    for _ in deliverers:
        waiting.put_nowait(None)
    await asyncio.gather(*deliverers, *killing)
    await _all_quiet(meta, store, events + len(asked))
    figures = _judge(meta, settings, asked, answers)
    figures.seconds = time.monotonic() - begun
    return figures


async def _all_quiet(meta: Meta, store: Store, messages: int, patience: float = 90.0) -> None:
    """Waits until nothing is on its way any more, or nothing has moved for a long time."""
    outbox, moved, seen = Outbox(store), time.monotonic(), -1
    closed = {OutboxState.SENT, OutboxState.FAILED}
    while time.monotonic() - moved < patience:
        counts = await asyncio.to_thread(outbox.counts)
        if sum(counts.values()) >= messages and not set(counts) - closed:
            await asyncio.sleep(1.0)  # for a message too many
            return
        if len(meta.sent) != seen:
            moved, seen = time.monotonic(), len(meta.sent)
        await asyncio.sleep(0.25)


def _judge(meta: Meta, settings: Settings, asked: dict[str, list[str]], answers: dict[str, str]) -> Figures:
    """Compares what everybody got with what they asked."""
    figures = Figures(
        answer_times=list(meta.answer_times), invalid=len(meta.refused) + len(meta.unauthorised)
    )
    notice = load_texts(settings).reply("utter_messenger_notice").text
    for psid, questions in asked.items():
        got = [sent.text for sent in meta.got(psid)]
        wanted = [notice, *(answers[question] for question in questions)]
        counts, expected = Counter(got), Counter(wanted)
        figures.sent += len(questions)
        figures.lost += sum((expected - counts).values())
        figures.doubled += sum((counts - expected).values())
        figures.answered += sum(min(counts[answers[q]], 1) for q in questions)
        if sorted(got) == sorted(wanted) and got != wanted:
            figures.out_of_order += 1
    return figures


def _fault(dice: random.Random) -> Fault | None:
    """Every eighth call goes wrong in some way."""
    roll = dice.random()
    if roll < 0.05:
        return Fault(error=dice.choice([1, 2, 4, 613, 1200]))
    if roll < 0.08:
        return Fault(delay=dice.uniform(0.2, 1.0))
    if roll < 0.10:
        return Fault(lost=True)
    if roll < 0.115:
        return Fault(reset=True)
    if roll < 0.125:
        return Fault(status=502)
    return None


def main(arguments: list[str]) -> int:
    """Runs a burst and prints its figures; 1 when anything was lost, doubled or out of order."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.messenger_burst", description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    given = parser.parse_args(arguments)
    postgres = start_postgres() if given.postgres else None
    try:
        url = new_postgres_database(postgres) if postgres else ""
        figures = asyncio.run(burst(given.events, given.people, given.kills, given.servers, url))
    finally:
        if postgres:
            postgres.cleanup()
    print(figures)
    wrong = figures.lost + figures.doubled + figures.out_of_order + figures.invalid
    return 1 if wrong or figures.percentile(99) >= 250 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
