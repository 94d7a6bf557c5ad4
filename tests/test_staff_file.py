"""Answers as YAML in git: out and in again is the same, whatever they say; what is wrong is named, nothing half done."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from yamllint import linter
from yamllint.config import YamlLintConfig

from bot.answer_model import Answer
from bot.clinic import load_clinic
from bot.model_inputs import digest_of_inputs
from bot.publishing.candidate import decisions_of
from bot.review_model import Who
from bot.staff_file import StaffFileError, bring_in, export_to, import_from, read, written
from bot.store.answers import AnswerStore
from tests.conftest import ROOT, environment

KIM = Who("Kim", "k" * 32)
CLINIC = load_clinic(Path("clinic.yml"))
PARKING = Answer(
    "faq/parking", "Parking", "Park behind {clinic}: it's free.\n\nCall {phone}.", ("ask_location", "faq/pain"),
    ("where can I park", "is there parking: yes or no?"), health=False, owner="Kim", review_by=date(2027, 3, 1),
)  # fmt: skip
PAIN = Answer("faq/pain", "Does it hurt?", "Hardly.", ("faq/procedure",), is_answered=True)

Open = Callable[[], AnswerStore]

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60)
contents = st.fixed_dictionaries(
    {
        "title": words,
        "text": words,
        "next_steps": st.lists(st.sampled_from(["faq/pain", "ask_price", "faq/a_b"]), max_size=3).map(tuple),
        "examples": st.lists(words, max_size=4).map(tuple),
        "is_answered": st.booleans(),
        "health": st.booleans(),
        "facts_published": st.booleans(),
        "owner": st.one_of(st.just(""), words),
        "review_by": st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    }
)
delivered = st.sampled_from(
    ["faq/pain", "ask_price", "ask_medical"]
)  # the last one: what only a person may answer
topics = delivered | st.from_regex(r"(faq/)?[a-z][a-z0-9_]{0,20}", fullmatch=True)
states = st.dictionaries(topics, contents, max_size=4).map(
    lambda found: [Answer(topic, **content) for topic, content in found.items()]
)


@pytest.fixture(scope="module")
def open_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Opens stores with nothing in them."""
    folder = tmp_path_factory.mktemp("stores")
    first = AnswerStore(f"sqlite:///{folder / 'empty.db'}")
    first.migrate()
    first.close()
    opened: list[AnswerStore] = []

    def open_store() -> AnswerStore:
        path = folder / f"{len(opened)}.db"
        shutil.copy(folder / "empty.db", path)
        opened.append(AnswerStore(f"sqlite:///{path}"))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@given(states)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_what_is_written_is_read_again(answers: list[Answer]) -> None:
    text = written(answers)
    again = read(text)
    assert [one.content for one in again] == [one.content for one in sorted(answers, key=lambda a: a.topic)]
    assert written(again) == text
    assert written(reversed(answers)) == text


@given(before=states, after=states)
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_importing_an_export_and_exporting_again_changes_nothing(
    open_store: Open, before: list[Answer], after: list[Answer]
) -> None:
    here, elsewhere = open_store(), open_store()
    for state in (before, after):
        for answer in state:
            standing = here.answer_standing(answer.topic)
            here.save(answer, standing.latest.revision if standing else 0, KIM)
    exported = written(here.answers())
    edition = here.version()
    bring_in(here, read(exported))
    assert here.version() == edition, "nothing is written where nothing is new"
    assert written(here.answers()) == exported
    bring_in(elsewhere, read(exported))
    assert written(elsewhere.answers()) == exported
    learnt = decisions_of(here.answers(), here.resolved_questions())
    assert decisions_of(elsewhere.answers(), elsewhere.resolved_questions()) == learnt, (
        "the same model comes of it"
    )


def test_the_file_is_sorted_and_in_the_style_of_the_project(tmp_path: Path, open_store: Open) -> None:
    store = open_store()
    store.save(PARKING, 0, KIM)
    store.save(replace(PAIN, topic="ask_price"), 0, KIM)
    store.withdraw("ask_price", 1, KIM)
    store.save(PAIN, 0, KIM)
    said: list[str] = []
    path = tmp_path / "data" / "staff.yml"
    assert export_to(path, store, said.append) == 0
    assert "2 answers" in said[0]
    text = path.read_text(encoding="utf-8")
    assert [item["topic"] for item in yaml.safe_load(text)["answers"]] == ["faq/pain", "faq/parking"]
    style = YamlLintConfig((ROOT / ".yamllint.yml").read_text(encoding="utf-8"))
    assert [str(problem) for problem in linter.run(text, style)] == []


def test_an_import_is_told_and_can_be_taken_back(tmp_path: Path, open_store: Open) -> None:
    store = open_store()
    store.save(PAIN, 0, KIM)
    path = tmp_path / "staff.yml"
    path.write_text(written([replace(PAIN, text="You may feel the odd prick."), PARKING]), encoding="utf-8")
    said: list[str] = []
    assert import_from(path, store, CLINIC, said.append) == 0
    assert said == ["faq/parking: new", "faq/pain: changed"]
    entry = store.history("faq/pain")[0]
    assert (entry.who, entry.action) == ("import", "imported")
    store.undo_answer("faq/pain", 2, KIM, entry.id)
    assert {one.topic: one.text for one in store.answers()}["faq/pain"] == "Hardly."
    store.save(replace(PAIN, topic="ask_price"), 0, KIM)
    import_from(path, store, CLINIC, said.append)
    assert "ask_price" in {one.topic for one in store.answers()}, "what is not in the file stays"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("answers: [", "not readable YAML"),
        ("- one", "a list under `answers:`"),
        ("answers: [text]", "`name: value` lines"),
        ("answers: [{topic: faq/x, title: X}]", "text is missing"),
        ("answers: [{topic: faq/x, title: X, text: [a]}]", "text has to be text"),
        ("answers: [{topic: faq/x, title: X, text: x, examples: [1]}]", "a list of texts"),
        ("answers: [{topic: faq/x, title: X, text: x, review_by: soon}]", "a day such as"),
        ("answers: [{topic: faq/x, title: X, text: x, price: 3}]", "price is not known"),
        ("answers: [{topic: ../x, title: X, text: x}]", "small letters"),
        ("answers: [{topic: a, title: X, text: x}, {topic: a, title: Y, text: y}]", "twice"),
        ("answers: [{topic: ask_dog, title: Dogs, text: Yes.}]", "a new topic begins with faq/"),
        ("answers: [{topic: faq/x, title: X, text: We guarantee it.}]", "No promises"),
        ("answers: [{topic: faq/x, title: A title that is too long, text: x}]", "Messenger shows 20"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_brought_in(
    tmp_path: Path, open_store: Open, text: str, says: str
) -> None:
    store = open_store()
    path = tmp_path / "staff.yml"
    path.write_text(
        text.replace("answers: [", "answers: [{topic: faq/b, title: B, text: b}, "), encoding="utf-8"
    )
    said: list[str] = []
    assert import_from(path, store, CLINIC, said.append) == 1
    assert says in "\n".join(said)
    assert store.answers() == []


def test_the_commands_work_on_a_database_that_is_not_there_yet(tmp_path: Path) -> None:
    def bot(*arguments: str) -> str:
        command = [sys.executable, "-m", "bot", *arguments, str(tmp_path / "staff.yml")]
        variables = environment(data_dir=tmp_path / "data")
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "0 answers" in bot("export")
    (tmp_path / "staff.yml").write_text(written([PARKING]), encoding="utf-8")
    assert bot("import") == "faq/parking: new\n"
    assert bot("import") == "Nothing has changed.\n"


def test_a_missing_file_is_named(tmp_path: Path, open_store: Open) -> None:
    said: list[str] = []
    assert import_from(tmp_path / "none.yml", open_store(), CLINIC, said.append) == 1
    assert "none.yml can't be read" in said[0]
    with pytest.raises(StaffFileError):
        read("")


def test_an_export_does_not_ask_for_training(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nlu.yml").write_text("nlu: []")
    before = digest_of_inputs(tmp_path)
    (tmp_path / "data" / "staff.yml").write_text(written([PARKING]))
    assert digest_of_inputs(tmp_path) == before


def test_rasa_reads_nothing_from_the_file(tmp_path: Path) -> None:
    from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
    from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader

    path = tmp_path / "staff.yml"
    path.write_text(written([PARKING]), encoding="utf-8")
    kinds: tuple[Any, ...] = (RasaYAMLReader.is_yaml_nlu_file, YAMLStoryReader.is_stories_file)
    assert [kind(str(path)) for kind in kinds] == [False, False]
