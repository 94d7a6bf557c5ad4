"""With the project's own model: what is tried reads as it would for a visitor, and leaves nothing behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.answer_model import Answer
from bot.publishing.children import ChildError, Rehearsal
from bot.release_model import RehearsedTurn
from bot.review_model import Who
from bot.settings import Settings, load_settings
from bot.store.answers import AnswerStore
from bot.store.plain import from_plain
from bot.training import ensure_model, trained_model
from tests.conftest import environment

Talk = Callable[..., list[RehearsedTurn]]

NAME, NUMBER = "Persephone Quill", "0491 570 158"
PAIN = "Hardly, says our team: you may feel the odd prick."


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("rehearsal")
    return load_settings(environment(data_dir=folder / "data"), env_file=folder / "none")


@pytest.fixture(scope="module")
def log(settings: Settings) -> Path:
    return settings.data_dir / "trial.log"


@pytest.fixture(scope="module")
def rehearsal(settings: Settings, log: Path) -> Iterator[Rehearsal]:
    ours = load_settings(environment())
    ensure_model(ours, print)
    store = AnswerStore(settings.store_url)
    store.migrate()
    store.save(Answer("faq/pain", "Does it hurt?", PAIN), 0, Who("Kim", "k" * 32))
    store.close()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(data_dir=settings.data_dir).items():
            patch.setenv(name, value)
        rehearsal = Rehearsal(log)
    with rehearsal:
        archive = trained_model(ours.models_dir)
        assert archive
        rehearsal.load("model", archive.absolute())
        yield rehearsal


@pytest.fixture
def talk(rehearsal: Rehearsal) -> Talk:
    """The turns of a conversation."""
    return lambda *sent: [from_plain(RehearsedTurn, turn) for turn in rehearsal.turns("model", sent)]


def last(turns: list[RehearsedTurn]) -> str:
    return "\n".join(reply.text for reply in turns[-1].replies)


pytestmark = pytest.mark.timeout(900)  # a model may have to be trained first


def test_replies_are_whole_and_say_what_staff_wrote(talk: Talk):
    (answer,) = talk("does it hurt")[0].replies
    assert answer.text == PAIN
    (code,) = talk("do you have a discount code")[0].replies
    assert code.code and code.next_steps
    (booking,) = talk("how do I book an appointment")[0].replies
    assert any(link.target.startswith("https://") for link in booking.links)
    several = last(talk("does it hurt and how much is it"))
    assert PAIN in several and "I don't have prices" in several
    assert "I don't know that one" in last(talk("can you zap the spider veins on my legs"))


def test_choices_are_offered_and_taken(talk: Talk):
    vague = ("so are they on my face for good", "what brings milia on in the first place", "stuff for face")
    offers = {text: talk(text)[0].replies[0].next_steps for text in vague}
    text, steps = next((text, steps) for text, steps in offers.items() if steps[-1].title == "None of these")
    chosen = talk(text, steps[0].payload)[-1]
    assert chosen.said == steps[0].title
    assert "I don't know that one" not in chosen.replies[0].text


def test_the_conversation_is_known_and_the_next_one_begins_anew(talk: Talk):
    assert "Is it OK to call you?" in last(talk("I want to talk to a person", "yes"))
    assert "Is it OK to call you?" not in last(talk("yes"))


def test_a_button_is_pressed_and_a_typed_command_is_text(talk: Talk):
    offered = talk("I want to talk to a person")[0].replies[0].next_steps[0]
    pressed = talk("I want to talk to a person", offered.payload)
    assert pressed[-1].said == offered.title
    assert "Is it OK to call you?" in last(pressed)
    assert "Is it OK to call you?" not in last(talk("/request_callback"))


def test_nothing_is_recorded_and_nothing_personal_is_left(
    talk: Talk, settings: Settings, log: Path, rehearsal: Rehearsal
):
    before = everything(settings)
    assert before
    turns = talk(
        "can you zap the spider veins on my legs", "my lump is bleeding", "where can I book",
        "what's your phone number", "do you have a code", "I want to talk to a person", "yes", "yes please",
        NAME, NUMBER, "tomorrow morning",
    )  # fmt: skip
    assert f"Thank you, {NAME.split()[0]}" in last(turns) or "CB-" in last(turns)
    assert everything(settings) == before
    assert list(settings.spool_dir.rglob("*")) == []
    for word in (NAME, NUMBER, "spider"):
        assert word not in log.read_text(encoding="utf-8")
    with pytest.raises(ChildError):
        rehearsal.turns("another", ["hello"])
    assert last(talk("does it hurt")) == PAIN, "what failed leaves the process as it was"


def everything(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the database."""
    connection = sqlite3.connect(settings.data_dir / "milia.db")
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables}
    finally:
        connection.close()
