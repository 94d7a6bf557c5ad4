"""Faults of everything behind the chat, with the real processes: what a visitor sees, what is kept, how it comes back.

Required each time: every message is answered (with the phone line, if with nothing else) within 5 seconds, none twice,
in order, and the conversation that a reload of the page shows is the one that was seen.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from benchmarks.switch import same_again, taken
from bot.model_stamp import digest_of, read_stamp
from bot.release_model import Release
from bot.review_model import Who
from bot.store.staff_store import StaffStore
from bot.store.store import Store
from tests.alone import Alone
from tests.cluster import ChatServer, Cluster, cluster
from tests.conftest import ROOT, System, free_ports
from tests.postgres_server import PostgresServer
from tests.private import leaks
from tests.visitors import Said, WebVisitor, answers_to, disorder

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE = "1300 455 792"
SECONDS = 7.0  # 5, and what a machine adds that runs all of this at once
UNKNOWN = "which mechanic do you recommend for my car"


@pytest.fixture(autouse=True)
def _apart_from_asynchronous_tests() -> None:
    """These tests are asynchronous themselves and need no browser."""


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    patience = aiohttp.ClientTimeout(total=20)  # the widget's
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=patience) as http:
        yield http


async def met(http: aiohttp.ClientSession, url: str) -> WebVisitor:
    """A visitor whose conversation has begun."""
    visitor = await WebVisitor(http, url).meet()
    assert "hard white lumps" in (await visitor.says("What are milia?")).read
    return visitor


async def helped(visitor: WebVisitor, text: str) -> Said:
    """A message that is answered at once, with the phone line at least."""
    said = await visitor.says(text)
    assert said.tries == 1 and said.seconds < SECONDS
    assert said.replies and "Traceback" not in said.read
    return said


async def answered(visitor: WebVisitor, text: str, expected: str) -> Said:
    said = await helped(visitor, text)
    assert expected in said.read, said.read
    return said


async def assert_kept(*visitors: WebVisitor) -> None:
    for visitor in visitors:
        assert disorder(await visitor.history(), visitor.said) == []


async def eventually(look: Callable[[], Any], seconds: float = 40.0) -> Any:
    """What another process makes at last."""
    end = time.monotonic() + seconds
    while not (found := await asyncio.to_thread(look)):
        assert time.monotonic() < end, "it never happened"
        await asyncio.sleep(0.1)
    return found


# ---------------------------------------------------------------- the action server


async def test_while_the_action_server_is_killed_the_chat_server_does_its_work(
    alone: Alone, http: aiohttp.ClientSession
) -> None:
    visitor = await met(http, alone.chat.url)
    await answered(visitor, "do you have a discount code?", "miliagone")
    alone.actions.kill()
    await answered(visitor, "is there any discount?", "miliagone")
    await answered(visitor, UNKNOWN, PHONE)
    await answered(visitor, "please call me back", "Is it OK to call you?")
    alone.actions.launch()
    alone.actions.wait()
    await answered(visitor, "yes", "What name")
    await assert_kept(visitor)
    assert await eventually(lambda: UNKNOWN in alone.asked())


async def test_a_hanging_action_server_costs_one_visitor_an_answer_but_not_a_reply(
    alone: Alone, http: aiohttp.ClientSession
) -> None:
    first, other = await met(http, alone.chat.url), await met(http, alone.chat.url)
    await answered(first, "do you have a discount code?", "miliagone")
    assert alone.actions.process
    alone.actions.process.send_signal(signal.SIGSTOP)
    try:
        await answered(first, "is there any discount?", PHONE)
        await answered(other, "do you have a discount code?", "miliagone")
        await answered(first, "is there any discount?", "miliagone")
    finally:
        alone.actions.process.send_signal(signal.SIGCONT)
    await assert_kept(first, other)


@asynccontextmanager
async def slow(server: ChatServer) -> AsyncIterator[None]:
    """The process has a tenth of the time that it needs, as on a machine that is far too small."""
    process = server.process
    assert process

    async def hold_back() -> None:
        while True:
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.45)
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.05)

    holding_back = asyncio.create_task(hold_back())
    try:
        yield
    finally:
        holding_back.cancel()
        process.send_signal(signal.SIGCONT)


async def test_a_slow_action_server_is_waited_for(alone: Alone, http: aiohttp.ClientSession) -> None:
    visitors = [await met(http, alone.chat.url) for _ in range(3)]
    async with slow(alone.actions):
        for question in ("do you have a discount code?", "is there any discount?"):
            for said in await asyncio.gather(*(helped(visitor, question) for visitor in visitors)):
                assert "miliagone" in said.read and len(said.replies) == 1
    await assert_kept(*visitors)


# ---------------------------------------------------------------- the database and the disk


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else writes, and never ends."""
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def full(server: ChatServer) -> Iterator[None]:
    """The process can write to no file, as on a full disk."""
    assert server.process
    size = resource.RLIMIT_FSIZE
    soft, hard = resource.prlimit(server.process.pid, size)
    resource.prlimit(server.process.pid, size, (1, hard))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, size, (soft, hard))


@pytest.mark.parametrize("fault", ["database locked", "disk full"])
async def test_the_chat_goes_on_and_nothing_is_lost_while_nothing_can_be_written(
    alone: Alone, http: aiohttp.ClientSession, fault: str
) -> None:
    visitor = await met(http, alone.chat.url)
    with full(alone.chat) if fault == "disk full" else locked(alone.settings.data_dir / "milia.db"):
        await answered(visitor, "Does milia removal hurt?", "prick")
        await helped(visitor, UNKNOWN)
        await answered(visitor, "please call me back", "Is it OK to call you?")
        await answered(visitor, "yes", "What name")
    await answered(visitor, "Jo Citizen, 0491 570 156, after 4", "CB-")
    await answered(visitor, "Can I squeeze milia myself?", "squeez")
    await assert_kept(visitor)


# ---------------------------------------------------------------- the start


def refusal(alone: Alone, **changed: object) -> str:
    """What a chat server says that must not start."""
    variables = {
        **alone.variables,
        **{f"MILIA_{name.upper()}": str(value) for name, value in changed.items()},
    }
    done = subprocess.run(
        [sys.executable, "-m", "bot", "serve"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    return done.stderr


async def test_without_tables_a_server_says_what_to_do(alone: Alone, tmp_path: Path) -> None:
    [port] = free_ports(1)
    said = await asyncio.to_thread(refusal, alone, data_dir=tmp_path, chat_port=port)
    assert "run `python -m bot migrate` first" in said


async def test_a_damaged_model_stops_the_start_and_is_named(alone: Alone, tmp_path: Path) -> None:
    models = Path(shutil.copytree(alone.settings.models_dir, tmp_path / "models"))
    model = models / read_stamp(models)["model"]
    with model.open("r+b") as file:
        file.truncate(model.stat().st_size // 2)
    store = Store(f"sqlite:///{tmp_path / 'milia.db'}")
    store.migrate()
    store.close()
    [port] = free_ports(1)
    said = await asyncio.to_thread(refusal, alone, data_dir=tmp_path, models_dir=models, chat_port=port)
    assert said == (
        f"The chat server can't start. The model {model} can't be loaded (the file is damaged):"
        " train again with `make train`.\n"
    )


async def test_without_a_database_a_server_starts_and_answers(
    alone: Alone, http: aiohttp.ClientSession
) -> None:
    visitor = await met(http, alone.chat.url)
    await asyncio.to_thread(alone.chat.stop)
    with locked(alone.settings.data_dir / "milia.db"):
        alone.chat.launch()
        await asyncio.to_thread(alone.chat.wait)
        await answered(visitor, "Does milia removal hurt?", "prick")
    await kept_at_last(visitor)


# ---------------------------------------------------------------- a new model


def refusals(system: System) -> int:
    """How often a chat server has said that it refuses a model that is damaged."""
    logs = (path.read_text() for path in (system.data_dir / "log").glob("chat*.log"))
    return sum(log.count("the file is damaged): the one in use stays.") for log in logs)


@pytest.mark.parametrize("damaged", ["before it was published", "afterwards"])
async def test_a_damaged_release_leaves_the_model_in_use_and_the_next_one_is_taken(
    system: System, tmp_path: Path, http: aiohttp.ClientSession, damaged: str
) -> None:
    somebody, store = Who("Kim"), StaffStore(system.database_url)
    first, second = await asyncio.to_thread(same_again, store, tmp_path)
    try:
        await asyncio.to_thread(taken, system.data_dir, second)
        whole, half = tmp_path / "whole.tar.gz", tmp_path / "half.tar.gz"
        whole.write_bytes(b"".join(store.archive(second.id)))
        half.write_bytes(whole.read_bytes()[: second.size // 2].ljust(second.size, b"\0"))
        digest = "0" * 64 if damaged == "afterwards" else digest_of(half)
        release = Release(first.inputs, digest, second.size, kind="repository")
        before = refusals(system)
        visitor = await met(http, system.chat_url)
        store.register_release(release, half, somebody)
        await answered(visitor, "Does milia removal hurt?", "prick")
        await eventually(lambda: refusals(system) > before)
        await answered(visitor, "Can I squeeze milia myself?", "squeez")
        await assert_kept(visitor)
    finally:
        store.roll_back(first.id, somebody)
        store.close()
    await asyncio.to_thread(taken, system.data_dir, first)


# ---------------------------------------------------------------- the clock, and files


async def test_a_clock_that_jumps_and_visitors_who_use_up_all_files_disturb_nobody(
    system: System, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    alone = Alone(tmp_path)
    alone.store.migrate()
    program = str(ROOT / "tests" / "programs" / "serve_at_another_time.py")
    variables = {**alone.variables, "MILIA_CHAT_PORT": str(alone.chat.port), "PYTHONPATH": str(ROOT)}
    with alone.chat.log.open("ab") as log:
        process = subprocess.Popen([sys.executable, program], cwd=ROOT, env=variables, stdout=log, stderr=log)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (200, 200))
    alone.chat.process = process
    await asyncio.to_thread(alone.chat.wait)
    idle = []
    try:
        visitor = await met(http, alone.chat.url)
        await answered(visitor, "please call me back", "Is it OK to call you?")
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            process.send_signal(number)
            await answered(visitor, "Does milia removal hurt?", "prick")
            await answered(visitor, "Can I squeeze milia myself?", "squeez")
        for _ in range(300):
            _, writer = await asyncio.open_connection("127.0.0.1", alone.chat.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a")
            idle.append(writer)
        late = await met(http, alone.chat.url)
        await answered(late, UNKNOWN, PHONE)
        await assert_kept(visitor, late)
        assert await eventually(lambda: UNKNOWN in alone.asked())
    finally:
        for writer in idle:
            writer.close()
        alone.stop()


# ---------------------------------------------------------------- a power cut


async def test_after_a_power_cut_conversations_go_on_where_they_were(
    alone: Alone, http: aiohttp.ClientSession
) -> None:
    visitors = [await met(http, alone.chat.url) for _ in range(3)]
    for visitor in visitors:
        await answered(visitor, "please call me back", "Is it OK to call you?")
    with locked(alone.settings.data_dir / "milia.db"):  # what the disk holds is in the spool
        for visitor in visitors:
            await answered(visitor, "yes", "What name")
        asking = [
            asyncio.create_task(visitor.says("Jo Citizen, 0491 570 156, after 4")) for visitor in visitors
        ]
        alone.chat.kill()
        alone.actions.kill()
    alone.start()
    for said in await asyncio.gather(*asking):
        assert "CB-" in said.read
    await assert_kept(*visitors)
    assert len(await eventually(alone.store.callbacks)) >= 3


# ---------------------------------------------------------------- three servers, PostgreSQL and Redis


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as postgres:
        yield postgres


@pytest.fixture(scope="module")
def three(system: System, postgres: PostgresServer) -> Iterator[Cluster]:
    """`system` has seen to the model."""
    with cluster(postgres.url, 3, session_rate=1000, address_rate=100_000) as three:
        yield three
        logs = [server.log for server in three.servers]
        assert leaks(three.settings, three.store, logs) == []


async def kept_at_last(*visitors: WebVisitor) -> None:
    """Each conversation is as its visitor saw it, when every server has stored what it had to keep."""
    end = time.monotonic() + 40
    while True:
        wrong = [disorder(await visitor.history(), visitor.said) for visitor in visitors]
        if not any(wrong):
            return
        assert time.monotonic() < end, [one for one in wrong if one]
        await asyncio.sleep(0.5)


FAULTS = (
    "database hangs",
    "database restarted",
    "database gone for a minute",
    "database full",
    "redis hangs",
    "redis restarted",
)


@pytest.mark.parametrize("fault", FAULTS)
async def test_three_servers_go_on_while_what_they_share_is_away(
    three: Cluster, postgres: PostgresServer, http: aiohttp.ClientSession, fault: str
) -> None:
    visitors = [await met(http, three.url) for _ in range(3)]
    end: Callable[[], None]
    if "database" in fault:
        away, end = postgres.kill, postgres.start
        if "hangs" in fault:
            away, end = postgres.hang, postgres.go_on
        elif "full" in fault:
            away, end = postgres.fill, postgres.make_room
    else:
        away, end = three.redis.stop, three.redis.start
        if "hangs" in fault:
            away, end = three.redis.hang, three.redis.go_on
    away()
    pause = 20 if "minute" in fault else 0
    try:
        for question in ("Does milia removal hurt?", UNKNOWN, "Can I squeeze milia myself?"):
            for said in await asyncio.gather(*(helped(visitor, question) for visitor in visitors)):
                assert PHONE in said.read or question != UNKNOWN
            await asyncio.sleep(pause)
    finally:
        end()
    for visitor in visitors:
        await answered(visitor, "Why do I get milia?", "omega 3")
    await kept_at_last(*visitors)
    assert await eventually(lambda: [q.text for q in three.store.questions()].count(UNKNOWN) >= 3)


class Talking:
    """People who ask one question after the other, at whichever server, until the block ends.

    pause: seconds that each thinks before the next question; they begin one after the other within the first one.
    """

    def __init__(self, http: aiohttp.ClientSession, three: Cluster, number: int, pause: float = 0.5) -> None:
        self._answers = answers_to(three.settings)
        self._ending = asyncio.Event()
        self._pause = pause
        self.visitors = [WebVisitor(http, three.url, patience=100) for _ in range(number)]

    async def __aenter__(self) -> Talking:
        each = self._pause / len(self.visitors)
        self._tasks = [
            asyncio.create_task(self._talk(visitor, number * each))
            for number, visitor in enumerate(self.visitors)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Everybody gets the answer to what they have asked, and nobody got anything twice."""
        self._ending.set()
        await asyncio.gather(*self._tasks)
        await kept_at_last(*self.visitors)

    async def _talk(self, visitor: WebVisitor, later: float) -> None:
        await self._thinks(later)
        await visitor.meet()
        for question, answer in itertools.cycle(self._answers.items()):
            said = await visitor.says(question)
            assert answer in said.read and len(said.replies) == 1, (question, said.read)
            await self._thinks(self._pause)
            if self._ending.is_set():
                return

    async def _thinks(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    async def more(self, number: int) -> None:
        """Returns when so many more messages have been sent."""
        wanted = number + sum(len(visitor.said) for visitor in self.visitors)
        while sum(len(visitor.said) for visitor in self.visitors) < wanted:
            await asyncio.sleep(0.02)


async def test_killed_servers_cost_nobody_a_message(three: Cluster, http: aiohttp.ClientSession) -> None:
    async with Talking(http, three, 200, pause=15) as talking:
        for server in three.servers:
            await talking.more(200)
            await asyncio.to_thread(server.kill)
            server.launch()
            await asyncio.to_thread(server.wait)
        await talking.more(10)


async def test_after_a_power_cut_of_everything_everything_goes_on(
    three: Cluster, postgres: PostgresServer, http: aiohttp.ClientSession
) -> None:
    async with Talking(http, three, 10) as talking:
        await talking.more(20)
        for server in three.servers:
            assert server.process
            server.process.kill()
        await asyncio.to_thread(postgres.kill)
        three.redis.stop()
        await asyncio.to_thread(postgres.start)
        three.redis.start()
        for server in three.servers:
            server.stop()
            server.launch()
        for server in three.servers:
            await asyncio.to_thread(server.wait)
        await talking.more(10)


async def test_a_message_in_the_spool_of_a_killed_server_that_another_one_answers_is_kept_once(
    three: Cluster, postgres: PostgresServer, http: aiohttp.ClientSession
) -> None:
    """The end of the answer never reached the visitor, and the database is back before the server."""
    one, other = three.servers[:2]
    visitor = await met(http, one.url)
    postgres.hang()
    try:
        said = await answered(visitor, "Does milia removal hurt?", "prick")
        await asyncio.to_thread(one.kill)
    finally:
        postgres.go_on()
    await visitor.sends(said, url=other.url)
    await answered(visitor, "Why do I get milia?", "omega 3")
    one.launch()
    await asyncio.to_thread(one.wait)
    assert len(said.replies) == 1
    await kept_at_last(visitor)
