"""Prints every route of every process that listens, as JSON: process, method, path, and who the code says may call it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.serving import quiet, standin

quiet.quieten()
standin.install(serving=True)

from sanic import Sanic  # noqa: E402

from bot.serving import action_app, app  # noqa: E402
from bot.settings import Settings, load_settings  # noqa: E402
from bot.web.app import create_app  # noqa: E402
from bot.web.guard import _PUBLIC, _ROLE  # noqa: E402

EVERYTHING_ON = {
    "MILIA_REST": "yes",
    "MILIA_MESSENGER_APP_SECRET": "x",
    "MILIA_MESSENGER_VERIFY_TOKEN": "x",
    "MILIA_MESSENGER_PAGE_TOKENS": "1:x",
}

Route = tuple[str, str, str, str]


def of_sanic(process: str, made: Sanic) -> Iterator[Route]:
    for route in made.router.routes:
        for method in sorted(route.methods):
            yield process, method, f"/{route.path.lstrip('/')}", ""


def of_staff(settings: Settings) -> Iterator[Route]:
    made = create_app(settings)
    for rule in made.url_map.iter_rules():
        view: Any = made.view_functions[rule.endpoint]
        role = getattr(view, _ROLE, None)
        open_to_all = getattr(view, _PUBLIC, False) or rule.endpoint == "static"
        who = "anybody" if open_to_all else f"{role.value if role else 'reviewer'}s"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield "staff", method, rule.rule, who


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({**EVERYTHING_ON, "MILIA_DATA_DIR": folder}, Path(folder) / ".env")
        os.environ.update(EVERYTHING_ON, MILIA_DATA_DIR=folder)  # Rasa makes the channels, which read it
        routes = [
            *of_sanic("chat", app.build_app(settings)),
            *of_sanic("actions", action_app.build_app()),
            *of_staff(settings),
        ]
    json.dump(routes, sys.stdout)
