"""Lines that machines and people can read, each under the id of its message."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys

from bot.logs import JsonLines, TextLines, current_turn, take_up, turn, turn_of
from tests.conftest import ROOT


def record(**given: object) -> logging.LogRecord:
    made = logging.LogRecord("bot.x", logging.WARNING, "x.py", 1, "%d “turns”\n\x1b", (2,), None)
    made.__dict__.update(given)
    return made


def test_a_line_is_one_json_object() -> None:
    with turn("a" * 24):
        line = JsonLines("chat").format(record(fields={"seconds": 0.1}))
    assert "\n" not in line and "\x1b" not in line
    read = json.loads(line)
    assert read.pop("time").endswith("+00:00")
    assert read == {
        "level": "warning",
        "process": "chat",
        "logger": "bot.x",
        "message": "2 “turns”\n\x1b",
        "seconds": 0.1,
        "turn": "a" * 24,
    }
    assert "turn" not in json.loads(JsonLines("chat").format(record()))


def test_an_exception_is_part_of_its_line() -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        line = JsonLines("chat").format(record(exc_info=sys.exc_info()))
    assert "ValueError: odd" in json.loads(line)["exception"]


def test_text_names_the_turn_too() -> None:
    with turn("b" * 24):
        assert TextLines().format(record()).endswith(f" [{'b' * 24}]")


def test_the_id_is_of_the_message_and_tells_nothing() -> None:
    assert turn_of("facebook-1-2", "m") == turn_of("facebook-1-2", "m") != turn_of("facebook-1-3", "m")
    assert len(turn_of("\ud800", "")) == 24


async def test_turns_at_the_same_time_do_not_mix() -> None:
    async def work(name: str) -> str:
        with turn(name):
            await asyncio.sleep(0)
            return await asyncio.create_task(seen())

    async def seen() -> str:
        return current_turn()

    names = [f"{number:024x}" for number in range(5)]
    assert await asyncio.gather(*map(work, names)) == names
    assert current_turn() == ""


async def test_an_id_from_outside_is_taken_only_when_it_is_one() -> None:
    take_up("c" * 24)
    assert current_turn() == "c" * 24
    take_up("c" * 23 + "\n")
    assert current_turn() == ""


def test_what_rasa_logs_is_json_with_the_turn_and_without_texts() -> None:
    code = (
        "from bot.serving import quiet; quiet.log_to_stderr('INFO', 'chat', 'json')\n"
        "import logging, structlog; from bot import logs\n"
        "with logs.turn('d' * 24):\n"
        "    structlog.get_logger().warning('processor.odd', text='my secret', number=1)\n"
        "    logging.getLogger('bot.x').warning('plain')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    rasas, ours = (json.loads(line) for line in done.stderr.splitlines())
    assert rasas["turn"] == ours["turn"] == "d" * 24
    assert rasas["level"] == "warning" and rasas["number"] == 1 and "secret" not in done.stderr
