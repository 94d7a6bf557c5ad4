"""Who understands messages: processes beside the chat server, and its own thread where none of them can.

The thread and the event loop take turns at Python's one lock, which costs both of them time; a process has a
lock of its own, and a processor. What a process can't take the thread does: while it loads a model, when it
hangs, or when it has ended and another one is started.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.processes import dies_with_parent

logger = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds for one message; a visitor is given the phone line after 4.5."""
PATIENCE_FOR_A_MODEL = 60.0
REST, LONGEST_REST = 1.0, 60.0
"""Seconds between the end of a process and the start of the next; they double while none loads the model."""
LONGEST_LINE = 1 << 22

Parsed = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A message to be understood.

    model: the name of the model that is asked.
    here: has this process understand it.
    there: what another process is told instead.
    """

    model: str
    here: Callable[[], Parsed]
    there: Callable[[], dict[str, Any]]


class CantTake(Exception):
    """The process couldn't make anything of it."""


class Gone(Exception):
    """The process has ended, or hangs."""


class Process:
    """`python -m bot.serving.understand`, which answers one question after the other and dies with us."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._model = ""  # while it loads one it has none
        self._asked: deque[asyncio.Future[dict[str, Any]]] = deque()  # what it hasn't answered yet, in order
        self._heard = 0.0  # when it answered last
        self._listening = asyncio.ensure_future(self._listen())

    @classmethod
    async def start(cls) -> Process:
        """Starts one; it answers when it has imported what it needs, some seconds later."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot.serving.understand"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
        return cls(process)

    @property
    def waiting(self) -> int:
        """Questions that it hasn't answered yet."""
        return len(self._asked)

    def takes(self, model: str) -> bool:
        """Whether it would answer a question to this model at once."""
        return model == self._model

    async def load(self, model: str, archive: Path) -> None:
        """Has it load a model in the place of the one that it has. Raises `CantTake` or `Gone`."""
        self._model = ""
        await self._ask({"load": str(archive)}, "loaded", PATIENCE_FOR_A_MODEL)
        self._model = model

    async def understand(self, question: Question) -> Parsed:
        """What a message means. Raises `CantTake` or `Gone`."""
        parsed: Parsed = await self._ask(question.there(), "parsed", PATIENCE)
        return parsed

    async def end(self) -> None:
        """Ends it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._listening

    async def _ask(self, told: dict[str, Any], wanted: str, patience: float) -> Any:
        assert self._process.stdin  # noqa: S101 -- it is a pipe
        if self._listening.done():
            raise Gone("it has ended")
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        answer.add_done_callback(asyncio.Future.exception)  # heeded, though whoever asked may have gone
        begun = loop.time()
        self._asked.append(answer)
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        while not answer.done():
            await asyncio.wait({answer}, timeout=patience)
            if not answer.done() and loop.time() - max(begun, self._heard) >= patience:
                raise Gone("it hangs")
        said = answer.result()
        if wanted not in said:
            raise CantTake(said.get("error"))
        return said[wanted]

    async def _listen(self) -> None:
        """Hands over what it says, until it ends."""
        assert self._process.stdout  # noqa: S101 -- it is a pipe
        try:
            while line := await self._process.stdout.readline():
                self._heard = asyncio.get_running_loop().time()
                self._asked.popleft().set_result(json.loads(line))
        except (OSError, ValueError, IndexError):
            logger.error("A process that understands messages said something else.")
        finally:
            while self._asked:
                self._asked.popleft().set_exception(Gone("it has ended"))


class Understanding:
    """Has messages understood.

    processes: how many do it beside this one.
    """

    def __init__(self, processes: int = 0) -> None:
        # Only one, because components need not bear to be run by two at once.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="understanding")
        self._number = processes
        self._processes: list[Process] = []
        self._model: tuple[str, Path] | None = None
        self._copies: TemporaryDirectory[str] | None = None
        self._replacing: set[asyncio.Future[None]] = set()

    @property
    def beside(self) -> bool:
        """Whether processes do it, and this one only in their place."""
        return self._number > 0

    async def start(self) -> None:
        """Starts the processes. Until they have a model the thread does their work."""
        self._processes = [await Process.start() for _ in range(self._number)]

    async def load(self, model: str, archive: Path) -> None:
        """Has the processes load a model; it is known by this name from then on."""
        if not self._number:
            return
        self._model = model, await asyncio.to_thread(self._copy, archive)
        for process in list(self._processes):
            try:
                await process.load(*self._model)
            except CantTake as error:
                logger.warning("A process beside can't load the model (%s); the thread understands.", error)
            except Gone as error:
                self._lost(process, error)

    async def understand(self, question: Question) -> Parsed:
        """What a message means."""
        able = [process for process in self._processes if process.takes(question.model)]
        if able:
            process = min(able, key=lambda one: one.waiting)
            try:
                return await process.understand(question)
            except CantTake as error:
                logger.error("A process beside could not understand a message (%s).", error)
            except Gone as error:
                self._lost(process, error)
        return await asyncio.get_running_loop().run_in_executor(self._thread, question.here)

    async def close(self) -> None:
        """Ends the processes."""
        for task in self._replacing:
            task.cancel()
        ending, self._processes = self._processes, []  # so that none of them is missed and replaced
        for process in ending:
            await process.end()
        if self._copies is not None:
            self._copies.cleanup()

    def _lost(self, process: Process, error: Gone) -> None:
        if process in self._processes:  # else somebody else has seen it
            logger.error("A process that understands messages is gone (%s); another is started.", error)
            self._processes.remove(process)
            task = asyncio.ensure_future(self._replace(process))
            self._replacing.add(task)
            task.add_done_callback(self._replacing.discard)

    async def _replace(self, gone: Process) -> None:
        await gone.end()
        rest = REST
        while True:
            await asyncio.sleep(rest)
            process = await Process.start()
            try:
                while self._model and not process.takes(self._model[0]):  # another may come meanwhile
                    await process.load(*self._model)
                break
            except (CantTake, Gone) as error:
                logger.error("It can't load the model (%s).", error)
                await process.end()
                rest = min(2 * rest, LONGEST_REST)
        self._processes.append(process)

    def _copy(self, archive: Path) -> Path:
        """The model where it stays: a process that is started later wants it too."""
        if archive.is_dir():
            return archive.absolute()
        old, self._copies = self._copies, TemporaryDirectory(prefix="milia-understanding-")
        copy = Path(shutil.copy(archive, self._copies.name))
        if old is not None:
            old.cleanup()
        return copy
