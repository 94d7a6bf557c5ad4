"""A soak: traffic on every channel while everything behind it fails, now this and now that. Is all of it answered once?

    python -m benchmarks.soak [--minutes 30] [--visitors 12] [--people 40] [--seed 1]

Three chat servers behind a proxy without sticky sessions share a PostgreSQL and a Redis, all of them real; Meta is played
on loopback (tests/doubles/graph_api.py). What counts is what people saw, and what a reload of the page shows them.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import aiohttp

from bot.store.messenger_inbox import Inbox
from bot.store.messenger_model import OutboxState
from bot.store.messenger_outbox import Outbox
from bot.store.store import StoreUnavailable
from bot.texts import load_texts
from tests.cluster import Cluster, cluster
from tests.doubles.graph_api import Fault, Meta
from tests.postgres_server import PostgresServer
from tests.visitors import NotAnswered, Said, WebVisitor, answers_to, disorder

PAGE = "100"
SECONDS_BETWEEN_FAULTS = (5.0, 15.0)
SECONDS_AWAY = (1.0, 5.0)
SECONDS_TO_SETTLE = 90.0


@dataclass
class Figures:
    """What came of a soak. by_phone_line: answered with the phone line, in the middle of a fault."""

    sent: int = 0
    answered: int = 0
    by_phone_line: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    refused_by_graph: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    reply_times: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order or self.refused_by_graph) and bool(
            self.sent
        )

    def __str__(self) -> str:
        cuts = statistics.quantiles(self.reply_times or [0, 0], n=100)
        return (
            f"sent {self.sent}, answered {self.answered} (with the phone line {self.by_phone_line}), lost {self.lost}, "
            f"doubled {self.doubled}, out of order {self.out_of_order}, refused by Graph {self.refused_by_graph}; "
            f"{self.seconds:.0f} s; first reply p50 {1000 * cuts[49]:.0f} ms, p99 {1000 * cuts[98]:.0f} ms, "
            f"longest {max(self.reply_times or [0]):.1f} s; faults: "
            + ", ".join(f"{name} {number}" for name, number in sorted(self.faults.items()))
        )


class Soak:
    """One run. `until` is when visitors and faults stop."""

    def __init__(
        self, servers: Cluster, postgres: PostgresServer, meta: Meta, seconds: float, seed: int
    ) -> None:
        self.servers = servers
        self.postgres = postgres
        self.meta = meta
        self.dice = random.Random(seed)
        self.until = time.monotonic() + seconds
        self.figures = Figures()
        self.answers = answers_to(servers.settings)
        texts = load_texts(servers.settings)
        self.trouble, self.notice = (
            texts.reply("utter_trouble").text,
            texts.reply("utter_messenger_notice").text,
        )
        self.visitors: list[WebVisitor] = []
        self.asked: dict[str, list[str]] = {}

    @property
    def over(self) -> bool:
        return time.monotonic() > self.until

    # ------------------------------------------------------------ traffic

    async def browse(self, http: aiohttp.ClientSession) -> None:
        """Somebody on the website, and the next one when they leave."""
        while not self.over:
            visitor = WebVisitor(http, self.servers.url, patience=120)
            try:
                await visitor.meet()
                self.visitors.append(visitor)
                for question in self.dice.sample(list(self.answers), self.dice.randint(2, 8)):
                    await visitor.says(question)
                    await asyncio.sleep(self.dice.uniform(0.2, 1.5))
                    if self.over:
                        break
            except NotAnswered as never:
                self.figures.wrong.append(f"never answered: {never}")

    async def write(self, psid: str) -> None:
        """Somebody on Messenger, whose messages Meta delivers again and again, some of them twice."""
        number = 0
        while not self.over:
            asked = self.asked.setdefault(psid, [])
            question = self.dice.choice(list(self.answers))
            number += 1
            event = self.meta.text(psid, question, mid=f"mid-{psid}-{number}")
            asked.append(question)
            for _ in range(2 if self.dice.random() < 0.2 else 1):
                await self.meta.deliver_until_accepted(self.meta.body(PAGE, [event]), every=0.2)
            await asyncio.sleep(self.dice.uniform(1.0, 8.0))

    # ------------------------------------------------------------ faults

    async def break_things(self) -> None:
        """One fault after the other, each mended before the next."""
        faults: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "database killed": (self.postgres.kill, self.postgres.start),
            "database hung": (self.postgres.hang, self.postgres.go_on),
            "Redis killed": (self.servers.redis.stop, self.servers.redis.start),
            "Redis hung": (self.servers.redis.hang, self.servers.redis.go_on),
        }
        while True:
            await asyncio.sleep(self.dice.uniform(*SECONDS_BETWEEN_FAULTS))
            if self.over:
                return
            name = self.dice.choice([*faults, "server killed", "server killed", "server stopped"])
            self.figures.faults[name] += 1
            if name in faults:
                begin, end = faults[name]
                await asyncio.to_thread(begin)
                await asyncio.sleep(self.dice.uniform(*SECONDS_AWAY))
                await asyncio.to_thread(end)
            else:
                server = self.dice.choice(self.servers.servers)
                await asyncio.to_thread(server.kill if name == "server killed" else server.stop)
                server.launch()
                await asyncio.to_thread(server.wait)

    def fault_of_graph(self) -> Fault | None:
        """Every eighth call to Graph goes wrong in some way."""
        roll = self.dice.random()
        if roll < 0.05:
            return Fault(error=self.dice.choice([1, 2, 4, 613, 1200]))
        if roll < 0.08:
            return Fault(delay=self.dice.uniform(0.2, 1.0))
        if roll < 0.10:
            return Fault(lost=True)
        return Fault(reset=True) if roll < 0.115 else Fault(status=502) if roll < 0.125 else None

    # ------------------------------------------------------------ judgement

    async def judge(self) -> Figures:
        """Compares what everybody saw with what they asked, when nothing is on its way any more."""
        for visitor in self.visitors:
            self._count_website(visitor.said, await self._settled(visitor))
        await self._messenger_quiet()
        for psid, questions in self.asked.items():
            self._count_messenger(psid, questions)
        self.figures.refused_by_graph = len(self.meta.refused) + len(self.meta.unauthorised)
        return self.figures

    async def _settled(self, visitor: WebVisitor) -> list[str]:
        """What is wrong with a conversation when every server has stored what it kept for the database."""
        end = time.monotonic() + SECONDS_TO_SETTLE
        while wrong := disorder(await visitor.history(), visitor.said):
            if time.monotonic() > end:
                break
            await asyncio.sleep(1.0)
        return wrong

    def _count_website(self, messages: list[Said], wrong: list[str]) -> None:
        figures = self.figures
        figures.sent += len(messages)
        for said in messages:
            texts = [reply["text"] for reply in said.replies]
            right = texts.count(self.answers[said.text])
            figures.answered += bool(texts)
            figures.by_phone_line += right == 0 and self.trouble in texts
            figures.lost += not right and self.trouble not in texts
            figures.doubled += max(0, len(texts) - 1)
            if texts:
                figures.reply_times.append(said.seconds)
        figures.lost += sum(one.startswith("lost") for one in wrong)
        figures.doubled += sum(one.startswith(("doubled", "replies")) for one in wrong)
        figures.out_of_order += sum("order" in one for one in wrong)
        figures.wrong += wrong

    async def _messenger_quiet(self) -> None:
        """Waits until the outbox is empty, or nothing has moved for a long time."""
        outbox, inbox = Outbox(self.servers.store), Inbox(self.servers.store, lambda _: "")
        moved, seen = time.monotonic(), -1
        while time.monotonic() - moved < SECONDS_TO_SETTLE:
            try:
                counts = await asyncio.to_thread(outbox.counts)
                waiting = await asyncio.to_thread(inbox.waiting)
            except StoreUnavailable:
                counts, waiting = {}, 1
            if not waiting and not set(counts) - {OutboxState.SENT, OutboxState.FAILED}:
                await asyncio.sleep(1.0)  # for a message too many
                return
            if len(self.meta.sent) != seen:
                moved, seen = time.monotonic(), len(self.meta.sent)
            await asyncio.sleep(0.5)

    def _count_messenger(self, psid: str, questions: list[str]) -> None:
        figures, got = self.figures, [sent.text for sent in self.meta.got(psid)]
        wanted = [self.notice, *(self.answers[question] for question in questions)]
        figures.sent += len(questions)
        trouble = got.count(self.trouble)
        figures.by_phone_line += trouble
        missing = sum((Counter(wanted) - Counter(got)).values()) - trouble
        extra = sum((Counter(got) - Counter(wanted)).values()) - trouble
        figures.lost += max(0, missing)
        figures.doubled += max(0, extra)
        figures.answered += len(questions) - max(0, missing)
        in_order = all(one in (right, self.trouble) for one, right in zip(got, wanted, strict=False))
        if not missing and not extra and not in_order:
            figures.out_of_order += 1
        if missing or extra or not in_order:
            figures.wrong.append(f"Messenger {psid}: missing {missing}, extra {extra}, in order {in_order}")


async def soak(
    minutes: float, visitors: int = 12, people: int = 40, seed: int = 1, say: Callable[[str], None] = print
) -> Figures:
    """Runs everything for so long and says what came of it."""
    async with Meta(tokens={PAGE: f"token-{PAGE}"}) as meta:
        with PostgresServer() as postgres, _servers(postgres, meta) as servers:
            meta.webhooks = [f"{servers.url}/webhooks/facebook/webhook"]
            run = Soak(servers, postgres, meta, minutes * 60, seed)
            meta.chaos = run.fault_of_graph
            begun = time.monotonic()
            say(
                f"{len(servers.servers)} servers answer; {visitors} visitors and {people} people on Messenger ..."
            )
            patience = aiohttp.ClientTimeout(total=20)  # the widget's
            connections = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connections, timeout=patience) as http:
                await asyncio.gather(
                    run.break_things(),
                    *(run.browse(http) for _ in range(visitors)),
                    *(run.write(f"{70000 + number}") for number in range(people)),
                )
                say("Everybody has left; looking at what they saw ...")
                figures = await run.judge()
            figures.seconds = time.monotonic() - begun
            return figures


def _servers(postgres: PostgresServer, meta: Meta) -> AbstractContextManager[Cluster]:
    return cluster(
        postgres.url,
        3,
        session_rate=1000,
        address_rate=1_000_000,
        messenger_app_secret=meta.app_secret,
        messenger_verify_token="verify-me",
        messenger_page_tokens=f"{PAGE}:token-{PAGE}",
        messenger_graph_url=meta.url,
    )


def main(arguments: list[str]) -> int:
    """Runs a soak and prints its figures; 1 when anything was lost, doubled or out of order."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--visitors", type=int, default=12)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    figures = asyncio.run(soak(given.minutes, given.visitors, given.people, given.seed))
    print(figures)
    for line in figures.wrong[:20]:
        print(" ", line)
    return 0 if figures.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
