"""What staff save is known to the running servers within two seconds, and the last of it when the database is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answer_model import Answer, ResolvedQuestion
from bot.answer_source import AnswerSource, FixedAnswers, share, shared_answers
from bot.model import utc_now
from bot.review_model import Who
from bot.settings import Settings, load_settings
from bot.store.answers import AnswerStore
from tests.conftest import environment

KIM = Who("Kim")
PARKING = Answer("faq/parking", "Parking", "Behind the clinic.")


class Watched(AnswerStore):
    """Says when somebody looked."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.looked = threading.Event()
        self.readings = 0

    def version(self) -> int:
        found = super().version()
        self.looked.set()
        return found

    def answers(self) -> list[Answer]:
        self.readings += 1
        return super().answers()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(environment(data_dir=tmp_path), env_file=tmp_path / "none")


@pytest.fixture
def store(settings: Settings) -> Iterator[Watched]:
    store = Watched(settings.store_url)
    yield store
    store.close()


@pytest.fixture
def source(settings: Settings, store: Watched) -> Iterator[AnswerSource]:
    store.migrate()
    source = AnswerSource(settings, store)
    yield source
    source.stop()


def test_it_looks_by_itself_and_reads_only_what_changed(store: Watched, source: AnswerSource) -> None:
    assert source.by_topic == {}
    store.save(PARKING, 0, KIM)
    for _ in range(2):  # the first look may have begun before it was saved
        store.looked.clear()
        assert store.looked.wait(60)
    store.looked.clear()
    assert store.looked.wait(60)
    assert source.by_topic["faq/parking"].text == "Behind the clinic."
    assert store.readings == 2


def test_without_the_database_the_last_answers_stay(store: Watched, source: AnswerSource) -> None:
    store.save(PARKING, 0, KIM)
    source.refresh()
    store.close()
    Path(store.url.removeprefix("sqlite:///")).rename(Path(store.url.removeprefix("sqlite:///") + ".away"))
    source.refresh()
    assert list(source.by_topic) == ["faq/parking"]


def test_a_database_without_tables_has_no_answers(settings: Settings, store: Watched) -> None:
    source = AnswerSource(settings, store)
    assert source.by_topic == {}
    assert source.resolved("is there parking") is None
    store.migrate()
    store.save(PARKING, 0, KIM)
    source.refresh()
    assert list(source.by_topic) == ["faq/parking"]
    source.stop()


def test_the_latest_decision_on_the_same_words_counts() -> None:
    later, earlier = (
        ResolvedQuestion("Is there parking?", intent, "Kim", utc_now()) for intent in ("a", "b")
    )
    fixed = FixedAnswers(resolved=[later, earlier, ResolvedQuestion("??", "c", "Kim", utc_now())])
    assert fixed.resolved("is there PARKING") == "a"
    assert fixed.resolved("??") is None


def test_fixed_answers_can_stand_in(settings: Settings) -> None:
    fixed = FixedAnswers([PARKING])
    share(settings, fixed)
    assert shared_answers(settings) is fixed
