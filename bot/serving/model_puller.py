"""Fetches the live release from the address that `models:` in endpoints.yml names, and switches to it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from rasa.utils.endpoints import EndpointConfig

from bot.model_inputs import INPUTS_HEADER
from bot.serving.agent import ServedAgent, tag_of, why_not_loaded

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_PULLS = 100.0  # Rasa's own default
_PATIENCE = aiohttp.ClientTimeout(total=60, sock_connect=2, sock_read=10)
_DIGEST = re.compile(r'"([0-9a-f]{64})"')
_PIECE = 1 << 18


class DamagedModel(Exception):
    """What came is not what was sent."""


class ModelPuller:
    """Asks again and again for the model in use, and loads each other one once.

    inputs: digest of the program's files; only a release of the same ones is wanted.
    keep_in: folder for a copy of the release in use, so that a start finds it while the model server is away.
    """

    def __init__(
        self, agent: ServedAgent, server: EndpointConfig, inputs: str = "", keep_in: Path | None = None
    ) -> None:
        self._agent = agent
        self._server = server
        self._inputs = inputs
        self._keep_in = keep_in
        self._refused = ""
        self._reached = False
        self._wait = float(server.kwargs.get("wait_time_between_pulls") or SECONDS_BETWEEN_PULLS)

    async def load_kept(self) -> None:
        """Load the copy of the release that was in use last, if there is one that is whole."""
        for path in self._copies(f"{self._inputs[:16]}-"):
            tag = await asyncio.to_thread(tag_of, path)
            if tag.strip('"') == path.name.partition("-")[2].partition(".")[0]:
                try:
                    return await self._agent.load(path, tag)
                except Exception as error:
                    logger.warning("%s can't be loaded (%s).", path, why_not_loaded(error))

    def _copies(self, beginning: str) -> list[Path]:
        if self._keep_in is None:
            return []
        return sorted(self._keep_in.glob(f"{beginning}*.tar.gz"), key=_age)

    async def pull(self) -> None:
        """Ask once, and load what is new. Whatever goes wrong leaves the model in use where it is."""
        with TemporaryDirectory() as folder:
            archive = Path(folder) / "model.tar.gz"
            try:
                tag = await self._fetch(archive)
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
                # Told once, though it is asked every second, and not at a start, when it may be starting too.
                level = logging.WARNING if self._reached else logging.DEBUG
                why = str(error) or type(error).__name__
                logger.log(level, "No model from %s (%s): the one in use stays.", self._server.url, why)
                self._reached = False
                return
            except DamagedModel as error:
                return self._refuse(str(error))
            self._reached = True
            if not tag:
                return
            self._refused = tag  # unless it loads: a damaged one isn't tried at every pull
            try:
                await self._agent.load(archive, tag)
            except Exception as error:
                return self._refuse(why_not_loaded(error))
            self._refused = ""
            try:
                await asyncio.to_thread(self._keep, archive, tag)
            except OSError as error:
                logger.warning("The new model is used, but no copy of it could be kept (%s).", error)

    def _refuse(self, why: str) -> None:
        logger.error("The new model from %s is refused (%s): the one in use stays.", self._server.url, why)

    async def _fetch(self, archive: Path) -> str:
        """Fetches the model unless it is the one in use or one that was refused; its ETag, or nothing."""
        known = self._refused or self._agent.fingerprint or ""
        headers = {"If-None-Match": known, INPUTS_HEADER: self._inputs}
        async with (
            self._server.session() as session,
            session.get(
                self._server.url,
                headers=headers,
                params=self._server.combine_parameters(),
                timeout=_PATIENCE,
            ) as response,
        ):
            tag = response.headers.get("ETag", "")
            if response.status != 200 or tag == self._refused:
                return ""
            if tag == self._agent.fingerprint:  # the one in use is live again
                self._refused = ""
                return ""
            digest = hashlib.sha256()
            with archive.open("wb") as file:
                async for piece in response.content.iter_chunked(_PIECE):
                    file.write(piece)
                    digest.update(piece)
        told = _DIGEST.fullmatch(tag)
        if told and told[1] != digest.hexdigest():
            self._refused = tag
            raise DamagedModel("the file is damaged")
        return tag

    def _keep(self, archive: Path, tag: str) -> None:
        told = _DIGEST.fullmatch(tag)
        if not told or self._keep_in is None:
            return
        self._keep_in.mkdir(parents=True, exist_ok=True)
        path = self._keep_in / f"{self._inputs[:16]}-{told[1]}.tar.gz"
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_bytes(archive.read_bytes())
        os.replace(scratch, path)
        for other in self._copies(""):
            if other != path:
                with contextlib.suppress(OSError):  # another server was faster
                    other.unlink()

    async def keep_pulling(self) -> None:
        """Ask again and again until cancelled."""
        while True:
            await self.pull()
            await asyncio.sleep(self._wait)


def _age(path: Path) -> float:
    """Sorts the newest first."""
    return -path.stat().st_mtime
