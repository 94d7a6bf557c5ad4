"""`make chat`: a conversation in the terminal, over the REST channel of the running assistant."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from bot.model import new_id
from bot.processes import dies_with_parent
from bot.settings import Settings
from bot.supervisor import answers

Message = dict[str, Any]
Ask = Callable[[str], str]

PATIENCE = 30.0
STARTING = 600.0  # a model may have to be trained first


class ChatError(Exception):
    """No conversation is possible. The message says why."""


def chat(settings: Settings) -> int:
    """Talk until Ctrl-D or Ctrl-C; returns the exit status."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 -- line editing and history for input()
    try:
        with running(settings):
            _say("Type a question, or the number of a suggestion. Ctrl-D ends the conversation.\n")
            converse(settings)
    except ChatError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        _say("")
    return 0


def converse(settings: Settings, ask: Ask = input) -> None:
    """One conversation with the assistant at the settings' address."""
    sender = f"terminal-{new_id()[:12]}"
    offered: list[Message] = []
    while True:
        try:
            text = ask("You: ").strip()
        except EOFError:
            _say("")
            return
        if not text:
            continue
        messages = send(settings, sender, chosen(text, offered))
        offered = [button for message in messages for button in message.get("buttons", [])]
        _say(show(messages))


def chosen(text: str, offered: list[Message]) -> str:
    """The payload of the suggestion whose number was typed; anything else is sent as typed."""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(offered):
        return str(offered[int(text) - 1]["payload"])
    return text


def show(messages: list[Message]) -> str:
    """Replies as text: links written out, suggestions numbered through."""
    lines: list[str] = []
    number = 0
    for message in messages:
        text = message.get("text", "")
        lines += ["", f"Assistant: {text}"]
        lines += [
            f"  {link['title']}: {link['target']}"
            for link in message.get("links", [])
            if link["target"] not in text
        ]
        if message.get("code"):
            lines.append(f"  Code: {message['code']}")
        for button in message.get("buttons", []):
            number += 1
            lines.append(f"  {number}) {button['title']}")
    return "\n".join([*lines, ""])


def send(settings: Settings, sender: str, text: str) -> list[Message]:
    """The assistant's replies to one message.

    Raises:
        ChatError: it can't be reached or doesn't answer on this channel.
    """
    url = f"http://{settings.host}:{settings.chat_port}/webhooks/rest/webhook"
    body = json.dumps({"sender": sender, "message": text}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=PATIENCE) as response:
            return list(json.load(response))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise ChatError("The REST channel is off: set MILIA_REST=yes to talk in the terminal.") from error
        raise ChatError(f"The assistant refused the message (status {error.code}).") from error
    except (OSError, ValueError) as error:
        raise ChatError(f"The assistant at {url} doesn't answer ({error}).") from error


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[None]:
    """With an assistant that runs: the one that is there, or one for this conversation."""
    if answers(settings.host, settings.chat_port, "/health"):
        yield
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,  # Ctrl-C ends the conversation first
        preexec_fn=dies_with_parent(signal.SIGTERM),
    )
    try:
        end = time.monotonic() + STARTING
        while not answers(settings.host, settings.chat_port, "/health"):
            if process.poll() is not None or time.monotonic() > end:
                raise ChatError("The assistant could not be started.")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
