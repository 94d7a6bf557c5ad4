"""The agent behind the chat server: made of exactly the parts that are configured, fed with new models."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import tarfile
import zlib
from pathlib import Path
from typing import Any

from rasa.core.agent import Agent
from rasa.core.brokers.broker import EventBroker
from rasa.core.lock_store import LockStore
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.tracker_store import TrackerStore
from rasa.core.utils import AvailableEndpoints
from rasa.exceptions import ModelNotFound
from rasa.model import get_latest_model
from rasa.shared.utils.common import class_from_module_path
from rasa.utils.endpoints import EndpointConfig

from bot import scrub
from bot.model import new_id
from bot.model_stamp import is_changed
from bot.serving import memory
from bot.serving.errors import StartError
from bot.serving.processor import ServedProcessor
from bot.serving.understanding import Understanding
from bot.store.recorder import Recorder
from bot.store.store import StoreUnavailable
from bot.store.tracker_store import AppendTrackerStore

logger = logging.getLogger(__name__)


class ServedAgent(Agent):
    """An `Agent` that loads models in a thread, so that visitors are answered meanwhile.

    understanding: who understands messages.
    """

    def __init__(self, *args: Any, understanding: Understanding | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.understanding = understanding or Understanding()

    async def load(self, model: Path, fingerprint: str | None = None) -> None:  # type: ignore[override, unused-ignore]
        """Load the model at `model`, an archive or a folder with one, and answer with it from then on.

        A model that fails to load leaves the one in use where it is.
        """
        name = new_id()
        processor = await asyncio.to_thread(self._ready_processor, model, name)
        await self.understanding.load(name, model)
        # From here on as `Agent.load_model`, on the event loop: messages see either all of it or nothing.
        self.processor = processor
        self.domain = processor.domain
        self._set_fingerprint(fingerprint)
        self.tracker_store.domain = self.domain
        if isinstance(self.nlg, TemplatedNaturalLanguageGenerator):
            self.nlg.responses = self.domain.responses
        memory.keep()

    def _ready_processor(self, model: Path, name: str) -> ServedProcessor:
        processor = ServedProcessor(
            model_path=str(model),
            tracker_store=self.tracker_store,
            lock_store=self.lock_store,
            action_endpoint=self.action_endpoint,
            generator=self.nlg,
            http_interpreter=self.http_interpreter,
            understanding=self.understanding,
            name=name,
        )
        if not self.understanding.beside:
            processor.warm_up()
        scrub.warm_up()
        return processor


async def make_agent(
    endpoints: AvailableEndpoints, understanding: Understanding | None = None
) -> ServedAgent:
    """An agent without a model yet, from the parts in endpoints.yml.

    Raises:
        StartError: a part can't be made. Rasa itself would take an in-memory one in its place and lose
            conversations without a word.
    """
    _check_importable("tracker_store", endpoints.tracker_store)
    _check_importable("lock_store", endpoints.lock_store)
    _check_importable("nlg", endpoints.nlg)
    broker = await EventBroker.create(endpoints.event_broker, loop=asyncio.get_running_loop())
    if endpoints.event_broker is not None and broker is None:
        raise StartError("The event_broker in endpoints.yml can't be made: see the warning above.")
    tracker_store = TrackerStore.create(endpoints.tracker_store, event_broker=broker)
    lock_store = LockStore.create(endpoints.lock_store)
    agent = ServedAgent(
        generator=endpoints.nlg,
        tracker_store=tracker_store,
        lock_store=lock_store,
        action_endpoint=endpoints.action,
        understanding=understanding,
    )
    _check_made(
        "tracker_store", endpoints.tracker_store, getattr(tracker_store, "_tracker_store", tracker_store)
    )
    _check_made("lock_store", endpoints.lock_store, agent.lock_store)
    _check_made("nlg", endpoints.nlg, agent.nlg)
    if isinstance(tracker_store, AppendTrackerStore):
        await asyncio.to_thread(_take_up, tracker_store.recorder)
    return agent


def _take_up(recorder: Recorder) -> None:
    """Stores what was left in the spool, by a power cut perhaps: conversations go on from there."""
    try:
        if not recorder.store.is_migrated():
            raise StartError(
                "The database isn't prepared for this version: run `python -m bot migrate` first."
            )
        recorder.drain()
    except StoreUnavailable as error:
        logger.warning("The database can't be used (%s); visitors are answered without it.", error)
        recorder.database_failed()
    except OSError as error:
        logger.error("The spool can't be read (%s).", error)


def _check_importable(part: str, configured: EndpointConfig | None) -> None:
    if configured is not None and configured.type and "." in configured.type:
        try:
            class_from_module_path(configured.type)
        except (ImportError, AttributeError) as error:
            raise StartError(
                f"{part} in endpoints.yml: {configured.type} can't be imported ({error})."
            ) from error


def _check_made(part: str, configured: EndpointConfig | None, made: object) -> None:
    if configured is None or not configured.type or configured.type == "in_memory":
        return
    if "." in configured.type:
        right = isinstance(made, class_from_module_path(configured.type))
    else:
        right = not type(made).__name__.startswith("InMemory")
    if not right:
        raise StartError(
            f"{part} in endpoints.yml: Rasa made a {type(made).__name__} in the place of {configured.type},"
            " whose constructor raised an ImportError or AttributeError."
        )


async def load_latest(agent: ServedAgent, models: Path) -> None:
    """Load the newest model of a folder.

    Raises:
        StartError: there is none, or it can't be loaded.
    """
    newest = get_latest_model(str(models))
    if newest is None:
        raise StartError(f"There is no trained model in {models}: train one with `make train`.")
    try:
        if await asyncio.to_thread(is_changed, Path(newest)):
            raise ModelNotFound  # its digest is not the one that was noted when it was trained
        await agent.load(Path(newest), await asyncio.to_thread(tag_of, Path(newest)))
    except Exception as error:
        logger.debug("Loading %s failed.", newest, exc_info=True)
        raise StartError(
            f"The model {newest} can't be loaded ({why_not_loaded(error)}): train again with `make train`."
        ) from error


def tag_of(archive: Path) -> str:
    """The ETag under which the staff app offers a release with this archive."""
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while piece := file.read(1 << 18):
            digest.update(piece)
    return f'"{digest.hexdigest()}"'


_OF_DAMAGE = (
    ModelNotFound, tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile,
    FileNotFoundError,  # one of the archive's own
)  # fmt: skip


def why_not_loaded(error: BaseException) -> str:
    """Why a model can't be loaded, on one line."""
    if isinstance(error, _OF_DAMAGE):
        return "the file is damaged"
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
