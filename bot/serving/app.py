"""The chat server as a Sanic app: Rasa's channels and agent, as `rasa run` makes it, of lighter parts."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from rasa.core.channels import BUILTIN_CHANNELS
from rasa.core.channels.channel import InputChannel, register
from rasa.core.utils import AvailableEndpoints
from rasa.shared.utils.common import class_from_module_path
from rasa.shared.utils.io import read_config_file
from rasa.utils.endpoints import EndpointConfig
from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot import metrics
from bot.channels.website.pages import pages
from bot.metrics import Looked
from bot.model_inputs import LIVE_FOLDER, digest_of_inputs
from bot.serving import in_rasa
from bot.serving.action_token import actions_token
from bot.serving.actions_endpoint import actions_endpoint
from bot.serving.agent import load_latest, make_agent
from bot.serving.errors import StartError
from bot.serving.lock_store import LaneLockStore
from bot.serving.model_puller import ModelPuller
from bot.serving.understanding import Understanding
from bot.settings import Settings
from bot.store.recorder import shared_recorder
from bot.store.watch import looked_up

ENDPOINTS = "endpoints.yml"
CREDENTIALS = "credentials.yml"
MAX_BODY_BYTES = 1024 * 1024


def build_app(settings: Settings) -> Sanic:
    """The app; it makes the agent and loads the model when its server starts.

    Rasa's HTTP API, which reads and writes any conversation, is not part of it.
    """
    in_rasa.replace()
    if os.getcwd() not in sys.path:  # where config.yml's and credentials.yml's classes are found
        sys.path.insert(0, os.getcwd())
    app = Sanic("milia_chat", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = MAX_BODY_BYTES
    register(_channels(), app, route="/webhooks/")
    app.blueprint(pages(settings))

    @app.get("/health")
    async def health(_: Request) -> HTTPResponse:
        """For the supervisor and load balancers. The server listens only once it has a model."""
        return json_response({"status": "ok", "model": app.ctx.agent.model_id})

    @app.exception(SanicException)
    async def refused(_: Request, error: SanicException) -> HTTPResponse:
        """What no channel answers: no such address, another method, too large. Sanic would send pages."""
        status, headers = getattr(error, "status_code", 500), getattr(error, "headers", {})
        return json_response({"error": str(error)}, status=status, headers=headers)

    @app.before_server_start
    async def start(app: Sanic, _: Any) -> None:
        endpoints = AvailableEndpoints.read_endpoints(ENDPOINTS)
        endpoints.action = actions_endpoint(
            settings.actions_url, settings.actions_timeout, actions_token(settings)
        )
        understanding = Understanding(settings.understanding_processes)
        await understanding.start()
        app.ctx.agent = agent = await make_agent(endpoints, understanding)
        if endpoints.model is None:
            await load_latest(agent, settings.models_dir)
            return
        server = models_endpoint(settings, endpoints.model)
        inputs = digest_of_inputs(Path.cwd())
        puller = ModelPuller(agent, server, inputs, settings.data_dir / LIVE_FOLDER)
        await puller.load_kept()  # the release that was live last, should the model server be away
        if not agent.is_ready() and any(settings.models_dir.glob("*.tar.gz")):
            await load_latest(agent, settings.models_dir)
        await puller.pull()
        if not agent.is_ready():
            raise StartError(f"There is no model at {server.url}, nor one in {settings.models_dir}.")
        app.ctx.pulling = asyncio.create_task(puller.keep_pulling())

    @app.after_server_start
    async def watch(app: Sanic, _: Any) -> None:
        agent = app.ctx.agent
        recorder = shared_recorder(settings)
        model = Looked(
            "milia_model", "The model that answers.", lambda: {str(agent.model_id): 1.0}, "release"
        )
        metrics.serve(settings, 0, [model, *looked_up(recorder.store, recorder.spool)])

    @app.after_server_stop
    async def stop(app: Sanic, _: Any) -> None:
        if hasattr(app.ctx, "pulling"):
            app.ctx.pulling.cancel()
        await app.ctx.agent.action_endpoint.close()
        await app.ctx.agent.understanding.close()
        if isinstance(app.ctx.agent.lock_store, LaneLockStore):
            await app.ctx.agent.lock_store.close()
        broker = app.ctx.agent.tracker_store.event_broker
        if broker:
            await broker.close()

    return app


def models_endpoint(settings: Settings, configured: EndpointConfig) -> EndpointConfig:
    """`models:` of endpoints.yml; without a url it is the staff app, which wants its token."""
    if configured.url:
        return configured
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(  # noqa: S104 -- not bound to
        settings.staff_host, settings.staff_host
    )
    configured.url = settings.models_url or f"http://{host}:{settings.staff_port}/models/live"
    configured.headers = {"Authorization": f"Bearer {settings.signing_key('models').hex()}"}
    return configured


def _channels() -> list[InputChannel]:
    """The channels of credentials.yml."""
    if not Path(CREDENTIALS).is_file():
        raise StartError(
            f"{CREDENTIALS} is missing in {os.getcwd()}: start the server in the project's folder."
        )
    return [_channel(name, credentials) for name, credentials in read_config_file(CREDENTIALS).items()]


def _channel(name: str, credentials: dict[str, Any] | None) -> InputChannel:
    if name in BUILTIN_CHANNELS:
        return BUILTIN_CHANNELS[name].from_credentials(credentials)
    try:
        channel = class_from_module_path(name)
    except (ImportError, AttributeError) as error:
        raise StartError(f"{CREDENTIALS}: the channel {name} can't be imported ({error}).") from error
    return channel.from_credentials(credentials)
