"""How fast the review queue is with 50,000 questions: opening it, one question's page, grouping a new one.

python -m benchmarks.review [number of questions]
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np

from bot.encoder import shared
from bot.grouping import Anchors, vectors_of
from bot.model import Candidate, Reason, UnansweredQuestion, new_id, utc_now
from bot.passwords import hash_password
from bot.review_model import Account, Role, Who
from bot.settings import load_settings
from bot.web.app import create_app, make_desk
from bot.web.desk import Desk

QUESTIONS = 50_000
FILTERED = "/?text=parking&reason=red_flag&channel=facebook"
MEANINGS = 12_000
LIMITS = {
    "the queue": 300.0,
    "a filtered search": 300.0,
    "one question": 300.0,
    "grouping a new question": 50.0,
}
"""Milliseconds, for the median: the machine may be doing other things as well."""


class _Known(Anchors):
    """Finds the group by the meaning that the question was made with, which takes no time."""

    def __init__(self) -> None:
        super().__init__()
        self.meaning: dict[bytes, int] = {}
        self._group: dict[int, str] = {}

    def find(self, vector: bytes) -> str | None:
        return self._group.get(self.meaning[vector])

    def add(self, anchor_id: str, vector: bytes) -> bytes:
        self._group.setdefault(self.meaning[vector], anchor_id)
        return super().add(anchor_id, vector)


def fill(desk: Desk, number: int) -> None:
    """Questions of many meanings, asked by many people over a year, grouped as they would be."""
    rng = np.random.default_rng(3)
    means = rng.normal(size=(MEANINGS, 384))
    known = _Known()
    often, once = np.minimum(rng.zipf(1.3, number) - 1, MEANINGS - 1), rng.integers(MEANINGS, size=number)
    which = np.where(rng.random(number) < 0.6, often, once)
    subjects = [
        "vouchers",
        "parking",
        "laser",
        "tattoos",
        "scalp",
        "children",
        "makeup",
        "sunscreen",
        "Sundays",
        "dogs",
    ]
    channels, reasons = ("website", "facebook"), list(Reason)
    for start in range(0, number, 1000):
        questions, vectors = [], []
        for n in range(start, min(start + 1000, number)):
            person = desk.settings.person(channels[n % 2], f"v{rng.integers(number)}")
            text = f"question {which[n]} about {subjects[n % 10]} and {subjects[n % 7]}"
            asked = utc_now() - timedelta(minutes=float(rng.integers(60 * 24 * 365)))
            near = (Candidate("faq/pain", 0.3), Candidate("faq/size", 0.2))
            questions.append(
                UnansweredQuestion(person, text, reasons[n % 7], "out_of_scope", near, asked_at=asked)
            )
            vector = means[which[n]] + rng.normal(size=384) * 0.4
            stored = (vector / np.linalg.norm(vector)).astype(np.float16).tobytes()
            known.meaning[stored] = int(which[n])
            vectors.append((questions[-1].id, stored))
        desk.store.record_all(questions)
        desk.store.place(vectors, known, utc_now(), 10**6)


def milliseconds(work: Callable[[], object], times: int = 15) -> list[float]:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def main(number: int = QUESTIONS) -> int:
    """Prints the figures; 1 when one is over its limit."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = load_settings({"MILIA_DATA_DIR": folder}, Path(folder) / "none")
        desk = make_desk(settings)
        desk.store.migrate()
        begun = time.perf_counter()
        fill(desk, number)
        groups = sum(desk.store.count_states().values())
        took = time.perf_counter() - begun
        print(f"{number:,} questions in {groups:,} groups, filled in {took:.0f} s (SQLite)", flush=True)
        client = create_app(settings, desk).test_client()
        account = Account(new_id(), "Kim", Role.ADMIN, hash_password("bench bench"), False, True, utc_now())
        desk.store.add_account(account, Who("bench"))
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)
        assert token
        client.post("/sign-in", data={"csrf_token": token[1], "name": "Kim", "password": "bench bench"})
        links = re.findall(r"/questions/[0-9a-f]{32}", client.get("/").text)
        shared().encode(["warm"])
        asked = iter(range(10_000))

        def group_one() -> None:
            text = f"could my cousin number {next(asked)} come along with me"
            [vector] = vectors_of([text], shared())
            desk.review._place([(question_with(text), vector)])

        def question_with(text: str) -> str:
            question = UnansweredQuestion(settings.person("website", text), text, Reason.FALLBACK)
            desk.store.record_question(question)
            return question.id

        figures = {
            "the queue": milliseconds(lambda: client.get("/")),
            "a filtered search": milliseconds(
                lambda: client.get("/?text=parking&reason=red_flag&channel=facebook")
            ),
            "one question": milliseconds(lambda: client.get(links[0])),
            "grouping a new question": milliseconds(group_one),
        }
        desk.clinic.stop()
        desk.answers.stop()
        desk.store.close()
    failed = 0
    for name, taken in figures.items():
        median, worst, limit = statistics.median(taken), max(taken), LIMITS[name]
        failed += median > limit
        verdict = "ok" if median <= limit else "TOO SLOW"
        print(f"{name}: median {median:.0f} ms, worst {worst:.0f} ms (limit {limit:.0f} ms) {verdict}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
