"""A soak: traffic on every channel while everything behind it fails, now this and now that. Is all of it answered once?

    python -m benchmarks.soak [--minutes 30] [--visitors 12] [--people 40] [--seed 1]

Three chat servers behind a proxy without sticky sessions share a PostgreSQL and a Redis, all of them real; Meta is played
on loopback (tests/doubles/graph_api.py). What counts is what people saw, and what a reload of the page shows them.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import aiohttp

from benchmarks.soak_figures import Asked, Figures
from benchmarks.soak_story import Happened, errors, story
from bot.channels.website.session import Sessions
from bot.store.messenger_inbox import Inbox
from bot.store.messenger_model import OutboxState, conversation_of
from bot.store.messenger_outbox import Outbox
from bot.store.store import StoreUnavailable
from bot.texts import load_texts
from tests.cluster import ChatServer, Cluster, cluster
from tests.doubles.graph_api import Fault, Meta
from tests.postgres_server import PostgresServer
from tests.visitors import NotAnswered, WebVisitor, Wrong, answers_to, disorder

PAGE = "100"
SECONDS_BETWEEN_FAULTS = (5.0, 15.0)
SECONDS_AWAY = (1.0, 5.0)
SECONDS_HUNG = (1.0, 20.0)
"""Others take over what a server held after 3 seconds (visitors) and 10 (people on Messenger)."""
SECONDS_TO_SETTLE = 90.0
MOST_STORIES = 20


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
        self.asked: dict[str, list[Asked]] = {}
        self.faults: list[Happened] = []

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
            except NotAnswered:
                pass  # counted as lost

    async def write(self, psid: str) -> None:
        """Somebody on Messenger, whose messages Meta delivers again and again, some of them twice."""
        number = 0
        while not self.over:
            asked = self.asked.setdefault(psid, [])
            question = self.dice.choice(list(self.answers))
            number += 1
            one = Asked(f"mid-{psid}-{number}", question, time.time())
            asked.append(one)
            event = self.meta.text(psid, question, mid=one.mid, at=one.at)
            for _ in range(2 if self.dice.random() < 0.2 else 1):
                await self.meta.deliver_until_accepted(self.meta.body(PAGE, [event]), every=0.2)
            await asyncio.sleep(self.dice.uniform(1.0, 8.0))

    # ------------------------------------------------------------ faults

    async def break_things(self) -> None:
        """One fault after the other, each mended before the next."""
        servers = self.servers.servers
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
            name = self.dice.choice(
                [*faults, "server killed", "server killed", "server stopped", "server hung"]
            )
            fault = Happened(name, time.time())
            self.faults.append(fault)
            if name in faults:
                begin, end = faults[name]
                await asyncio.to_thread(begin)
                await asyncio.sleep(self.dice.uniform(*SECONDS_AWAY))
                await asyncio.to_thread(end)
            else:
                server = self.dice.choice(servers)
                fault.what += f": {servers.index(server)}"
                await self._break(server, name)
            fault.ended = time.time()

    async def _break(self, server: ChatServer, name: str) -> None:
        if name == "server hung":
            server.hang()
            await asyncio.sleep(self.dice.uniform(*SECONDS_HUNG))
            server.go_on()
            return
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
        figures, sessions = self.figures, Sessions(self.servers.settings)
        for visitor in self.visitors:
            wrong = await self._settled(visitor)
            session = sessions.read(visitor.token)
            assert session
            figures.count_website(session.conversation, visitor.said, wrong, self.answers, self.trouble)
        await self._messenger_quiet()
        for psid, asked in self.asked.items():
            conversation = conversation_of(PAGE, psid)
            got = self.meta.got(psid)
            figures.count_messenger(conversation, asked, got, self.answers, self.trouble, self.notice)
        figures.refused_by_graph = len(self.meta.refused) + len(self.meta.unauthorised)
        figures.faults = Counter(fault.what.partition(":")[0] for fault in self.faults)
        return figures

    async def _settled(self, visitor: WebVisitor) -> list[Wrong]:
        """What is wrong with a conversation when every server has stored what it kept for the database."""
        end = time.monotonic() + SECONDS_TO_SETTLE
        while wrong := disorder(await visitor.history(), visitor.said):
            if time.monotonic() > end:
                break
            await asyncio.sleep(1.0)
        return wrong

    async def _messenger_quiet(self) -> None:
        """Waits until the outbox is empty, or nothing has moved for a long time."""
        outbox, inbox = Outbox(self.servers.store), Inbox(self.servers.store, lambda _: "")
        moved, seen = time.monotonic(), -1
        while time.monotonic() - moved < SECONDS_TO_SETTLE:
            try:  # in the order in which a message goes, so that none is missed between
                waiting = await asyncio.to_thread(inbox.waiting)
                counts = await asyncio.to_thread(outbox.counts)
            except StoreUnavailable:
                waiting, counts = 1, {}
            if not waiting and not set(counts) - {OutboxState.SENT, OutboxState.FAILED}:
                await asyncio.sleep(1.0)  # for a message too many
                return
            if len(self.meta.sent) != seen:
                moved, seen = time.monotonic(), len(self.meta.sent)
            await asyncio.sleep(0.5)


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
            for found in figures.wrong[:MOST_STORIES]:
                say(await asyncio.to_thread(story, found, servers, run.faults))
            for line in errors(servers):
                say(f"A server logged {line}")
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
        log_level="INFO",  # for the story of a message with which something is wrong
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
    return 0 if figures.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
