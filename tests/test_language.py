"""English is never called foreign, whatever it borrows; other languages are known, and by their name."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.language import NAMES, OTHER, Language, identify
from bot.language.words import WORDS_FILE

MESSAGES: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "data" / "language.yml").read_text(encoding="utf-8")
)
OWN_REPLY: list[tuple[str, str]] = [(code, text) for code in NAMES for text in MESSAGES["foreign"][code]]
OTHERS: list[tuple[str, str]] = [
    (name, text) for name, texts in MESSAGES["foreign"][OTHER].items() for text in texts
]


def name_of(text: str) -> str | None:
    language = identify(text)
    return language.name if language else None


def test_there_are_enough_messages_to_tell() -> None:
    assert len(MESSAGES["english"]) >= 150
    assert len(OWN_REPLY) + len(OTHERS) >= 150
    assert len(MESSAGES["foreign"]) - 1 + len(MESSAGES["foreign"][OTHER]) >= 20


def test_english_is_never_called_foreign() -> None:
    alarms = {text: found for text in MESSAGES["english"] if (found := name_of(text))}
    assert not alarms


@pytest.mark.parametrize(
    "change", [str.upper, str.title, lambda text: text + " milia", lambda text: f"  {text}?!"]
)
def test_nor_is_it_in_capitals_or_with_a_word_more(change: Any) -> None:
    alarms = {change(text): found for text in MESSAGES["english"] if (found := name_of(change(text)))}
    assert not alarms


@pytest.mark.parametrize("code", NAMES)
def test_a_language_with_its_own_reply_is_known(code: str) -> None:
    found = {text: identify(text) for each, text in OWN_REPLY if each == code}
    assert found == dict.fromkeys(found, Language(code, NAMES[code]))


def test_other_languages_are_known_by_name() -> None:
    missed = {text: name_of(text) for name, text in OTHERS if name not in (name_of(text) or "")}
    assert set(missed) <= set(MESSAGES["too_short"]), missed


def test_a_word_that_english_borrowed_is_no_evidence() -> None:
    assert not [text for text in MESSAGES["missed"] if identify(text)]


@pytest.mark.parametrize(
    "text",
    [
        "como se dice perro en ingles",
        "puedes ayudarme con mi tarea de matematicas",
        "quel temps fait il à paris",
        "wie spät ist es in Berlin",
        "volevo un'informazione sui prezzi",
        "estoy embarazada, hay riesgo?",
        "une petite boule dure est apparue près de la paupière",
        "thứ bảy có mở cửa không",
        "saya lagi hamil, aman nggak",
    ],
)
def test_sentences_of_every_day_are_known(text: str) -> None:
    assert identify(text) is not None


def test_a_long_message_is_cut_and_not_searched_at_length() -> None:
    began = time.perf_counter()
    assert name_of("眼睛周围的小白点是什么? " * 100_000) == "Mandarin"
    assert name_of("a'" * 500_000) is None
    assert name_of("what are milia " * 100_000) is None
    assert time.perf_counter() - began < 1


def test_a_line_break_or_odd_character_does_no_harm() -> None:
    assert name_of("quanto costa\ntogliere\r\n\x00i milia?\u200b") == "Italian"
    assert name_of("\x00\ud800 \u202e") is None
    assert name_of("accettate anche \ud800 la carta di credito?") == "Italian"
    assert name_of("accettate anche \ud800 la carta di credito?") == "Italian"
    assert name_of("accettate anche \ud800 la carta di credito?") == "Italian"


def test_english_costs_next_to_nothing() -> None:
    identify("quanto costa il trattamento")  # loads what is loaded once
    times = []
    for text in MESSAGES["english"] * 3:
        began = time.perf_counter()
        identify(text)
        times.append(time.perf_counter() - began)
    assert statistics.median(times) < 0.0005


def test_nothing_is_loaded_at_import() -> None:
    code = "import sys, bot.language; bot.language.identify('hi there'); print('fasttext' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"


def test_the_word_lists_hold_to_their_own_rules() -> None:
    lists = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    english = set(lists["english"].split())
    for language, entry in lists["languages"].items():
        strong, weak = entry["strong"].split(), entry["weak"].split()
        assert not set(strong) & english, language
        assert not set(strong) & set(weak), language
        assert len(strong) == len(set(strong)) and len(weak) == len(set(weak)), language
        assert all(word == word.lower() for word in strong + weak), language
