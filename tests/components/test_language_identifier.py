"""Messages in another language carry its code; English ones carry nothing."""

from __future__ import annotations

import pytest

from bot.components.language_identifier import LANGUAGE, LanguageIdentifier
from tests.components.conftest import Make, message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("¿Cuánto cuesta quitar los milia de la cara?", "es"),
        ("Quanto costa togliere i grani di miglio dal viso?", "it"),
        ("什么是粟粒疹，怎么去除？", "zh"),
        ("ما هي الدخينات؟", "ar"),
        ("what are milia?", None),
        ("milia", None),
        ("g'day, keen to get these zapped ay", None),
        ("", None),
    ],
)
def test_language(make: Make, text: str, code: str | None) -> None:
    (done,) = make(LanguageIdentifier).process([message(text)])
    assert done.get(LANGUAGE) == code
