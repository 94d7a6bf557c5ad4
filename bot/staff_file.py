"""The answers of staff as YAML, for those who keep everything in git: written, read, brought back in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from bot.answer_check import broken_rules
from bot.answer_model import CONTENT, Answer, AnswerState
from bot.clinic import Clinic
from bot.editor import is_topic
from bot.review_model import Who
from bot.store.answers import AnswerStore
from bot.topics import default_responses, reply_with

_UNUSUAL = re.compile("[^\n -~\u00a0-\u2027\u2030-\ufefe\uff00-\U0010ffff]")  # lines of their own kind
STAFF_FILE = Path("data/staff.yml")
IMPORT = Who("import")

_HEADING = """\
# The answers that staff wrote, made by `make export`; `make import` brings them back in. The assistant reads
# them from its database: training takes nothing from this file, so that no example counts twice.
"""
_KINDS: Mapping[str, type] = {
    "next_steps": list, "examples": list, "is_answered": bool, "health": bool, "facts_published": bool,
    "review_by": date,
}  # fmt: skip
_DEFAULTS = {
    field.name: field.default
    for field in fields(Answer)
    if field.name in CONTENT and field.default is not MISSING
}


class StaffFileError(Exception):
    """The file can't be brought in. The message says where and why."""


@dataclass(frozen=True)
class BroughtIn:
    """What an import did, by topic: those that were new, and those that changed."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def written(answers: Iterable[Answer]) -> str:
    """The answers as YAML: sorted by topic, one line a text, equal for equal answers."""
    items = [
        {name: _plain(getattr(answer, name)) for name in CONTENT if _says_something(answer, name)}
        for answer in sorted(answers, key=lambda answer: answer.topic)
    ]
    body = yaml.dump(
        {"answers": items}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return _HEADING + body


def read(text: str) -> list[Answer]:
    """The answers in such a file.

    Raises:
        StaffFileError: it isn't one.
    """
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StaffFileError(f"It is not readable YAML: {error}") from None
    if not isinstance(found, Mapping) or not isinstance(found.get("answers"), list):
        raise StaffFileError("It has to hold a list under `answers:`.")
    answers = [_answer(item, number) for number, item in enumerate(found["answers"], start=1)]
    topics = [answer.topic for answer in answers]
    twice = sorted({topic for topic in topics if topics.count(topic) > 1})
    if twice:
        raise StaffFileError(f"{twice[0]} stands there twice.")
    return answers


def against_the_rules(answers: Iterable[Answer], clinic: Clinic) -> list[str]:
    """What must not go live, as sentences: the rules are those of the editor."""
    by_topic = {answer.topic: answer for answer in answers}
    delivered = default_responses()
    unknown = [
        topic for topic in by_topic if not topic.startswith("faq/") and f"utter_{topic}" not in delivered
    ]
    return [f"{topic}: a new topic begins with faq/." for topic in unknown] + [
        f"{answer.topic}: {breach.name}. {breach.says}"
        for answer in by_topic.values()
        for _, breach in broken_rules(answer, reply_with(answer, clinic, by_topic), clinic)
        if breach.blocks
    ]


def bring_in(store: AnswerStore, answers: Iterable[Answer], who: Who = IMPORT) -> BroughtIn:
    """Makes these answers live; those that are live already stay untouched, and so do all others.

    Each change is a revision like any other: kept, told in the history, and taken back in the staff app.
    """
    added: list[str] = []
    changed: list[str] = []
    for answer in answers:
        standing = store.answer_standing(answer.topic)
        before = standing.latest.revision if standing else 0
        live = next((one for one in store.answers() if one.topic == answer.topic), None)
        if live and live.content == answer.content:
            continue
        store.save(answer, before, who, "imported")
        (changed if live else added).append(answer.topic)
    return BroughtIn(tuple(added), tuple(changed))


def export_to(path: Path, store: AnswerStore, say: Callable[[str], None]) -> int:
    """Writes the file; the exit status."""
    answers = store.answers()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(answers), encoding="utf-8")
    say(f"{path}: {len(answers)} {'answer' if len(answers) == 1 else 'answers'}.")
    return 0


def import_from(path: Path, store: AnswerStore, clinic: Clinic, say: Callable[[str], None]) -> int:
    """Brings the file in, all of it or nothing; the exit status."""
    try:
        answers = read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        say(f"{path} can't be read: {error}.")
        return 1
    except StaffFileError as error:
        say(f"{path}: {error}")
        return 1
    wrong = against_the_rules(answers, clinic)
    if wrong:
        say("\n".join([f"{path}: nothing was brought in.", *wrong]))
        return 1
    done = bring_in(store, answers)
    for name, topics in (("new", done.added), ("changed", done.changed)):
        for topic in topics:
            say(f"{topic}: {name}")
    if not (done.added or done.changed):
        say("Nothing has changed.")
    return 0


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, so that a changed line is one line in a diff."""


def _text(dumper: yaml.SafeDumper, text: str) -> Any:
    style = '"' if _UNUSUAL.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _says_something(answer: Answer, name: str) -> bool:
    return name not in _DEFAULTS or getattr(answer, name) != _DEFAULTS[name]


def _answer(item: Any, number: int) -> Answer:
    place = f"Answer {number}"
    if not isinstance(item, Mapping):
        raise StaffFileError(f"{place} has to hold `name: value` lines.")
    if isinstance(item.get("topic"), str):
        place = f"{place} ({item['topic']})"
    for name, value in item.items():
        if name not in CONTENT:
            raise StaffFileError(f"{place}: {name} is not known; one of {', '.join(CONTENT)}.")
        kind = _KINDS.get(name, str)
        texts = value if isinstance(value, list) else []
        fits = type(value) is kind and all(isinstance(text, str) for text in texts)
        if not fits:
            raise StaffFileError(f"{place}: {name} has to be {_CALLED.get(kind, 'text')}.")
    for name in ("topic", "title", "text"):
        if not item.get(name):
            raise StaffFileError(f"{place}: {name} is missing.")
    if not is_topic(item["topic"]):
        raise StaffFileError(f"{place}: a topic is small letters and _, such as faq/parking.")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in item.items()
    }
    return Answer(**values, state=AnswerState.APPROVED)


_CALLED = {list: "a list of texts", bool: "true or false", date: "a day such as 2027-03-01"}
