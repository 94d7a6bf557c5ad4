"""The widget as one script, put together from the files in `static/`."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sanic.request import Request
from sanic.response import HTTPResponse, raw

from bot.model import Reply
from bot.texts import Texts

STATIC = Path(__file__).parent / "static"
SCRIPTS = (
    "facts.js",
    "theme.js",
    "elements.js",
    "server.js",
    "message.js",
    "outbox.js",
    "chat.js",
    "start.js",
)
MINUTES_5 = "public, max-age=300, stale-while-revalidate=86400"
FOR_GOOD = "public, max-age=31536000, immutable"

_BLOCK_COMMENT = re.compile(r"^ */\*.*?\*/\n", re.DOTALL | re.MULTILINE)
_LINE_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
_INDENT = re.compile(r"^ +|\n(?=\n)", re.MULTILINE)


@dataclass(frozen=True)
class Script:
    """A script as it is served. version: changes with its content."""

    body: bytes
    zipped: bytes
    version: str

    def response(self, request: Request) -> HTTPResponse:
        """The script, or word that the browser has it already."""
        headers = {
            "Cache-Control": FOR_GOOD if request.args.get("v") == self.version else MINUTES_5,
            "ETag": f'"{self.version}"',
            "Vary": "Accept-Encoding",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("if-none-match", "").removeprefix("W/") == headers["ETag"]:
            return HTTPResponse(status=304, headers=headers)
        body = self.body
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = self.zipped
            headers["Content-Encoding"] = "gzip"
        return raw(body, headers=headers, content_type="text/javascript; charset=utf-8")


class WidgetScript:
    """The widget with the clinic's own words in it, so that it can say them when no server answers."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._words: dict[str, Any] = {}
        self._script: Script | None = None

    def current(self) -> Script:
        """The script with the words as they are now."""
        words = _words(self._texts)
        if self._script is None or words != self._words:
            self._words, self._script = words, _script(words)
        return self._script


def _words(texts: Texts) -> dict[str, Any]:
    return {
        "title": texts.reply("utter_widget_title").text,
        "greeting": texts.reply("utter_widget_greeting").text,
        "notice": _plain(texts.reply("utter_widget_notice")),
        "offline": _plain(texts.reply("utter_widget_offline")),
        "slow": texts.reply("utter_widget_slow").text,
        "tooLong": texts.reply("utter_widget_too_long").text,
    }


def _script(words: dict[str, Any]) -> Script:
    # Joined as they are but for comments and indentation: names stay, so that an error's line can be read.
    source = "\n".join(_small((STATIC / name).read_text(encoding="utf-8")) for name in SCRIPTS)
    styles = _small((STATIC / "widget.css").read_text(encoding="utf-8"))
    body = (
        '(()=>{"use strict";\n'
        f"const WORDS={json.dumps(words)};\nconst STYLES={json.dumps(styles)};\n{source}\n"
        "})();\n"
    ).encode()
    return Script(body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:16])


def _plain(reply: Reply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "links": [{"title": link.title, "target": link.target} for link in reply.links],
    }


def _small(source: str) -> str:
    for pattern in (_BLOCK_COMMENT, _LINE_COMMENT, _INDENT):
        source = pattern.sub("", source)
    return source
