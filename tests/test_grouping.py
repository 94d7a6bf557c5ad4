"""Which questions are taken for the same; nothing that stands in a group is ever moved."""

from __future__ import annotations

import numpy as np
import pytest

from bot.encoder import shared
from bot.grouping import Anchors, total_of, vectors_of
from bot.review_model import Anchor

SAME = [
    ("do you treat stretch marks", "can you get rid of stretchmarks?"),
    ("do you do laser hair removal", "is laser hair removal something you offer"),
    ("do you take afterpay", "can i pay with afterpay"),
    ("is milia removal covered by medicare", "can i claim my milia appointment on medicare"),
    ("can i get milia removed on my scalp", "milia on scalp removal?"),
    ("do you do teeth whitening", "teeth whitening available?"),
    ("can i wear makeup after milia removal", "how soon after milia removal can i put makeup on"),
    ("do you remove skin tags", "skin tag removal?"),
    ("is the clinic wheelchair accessible", "can i get in with a wheelchair"),
    ("is there parking", "where can i park my car"),
    ("do you ship to new zealand", "can you post products to nz"),
    ("can kids have milia removed", "do you remove milia for children"),
]
DIFFERENT = [
    ("do you sell gift vouchers", "do you sell sunscreen"),
    ("do you treat stretch marks", "do you treat rosacea"),
    ("is there parking", "is there wifi"),
    ("milia in children", "sun exposure and milia"),
    ("can milia be removed while pregnant", "can milia be removed while sunburnt"),
    ("is milia removal covered by medicare", "is milia removal done on sundays"),
    ("can i get milia removed on my scalp", "can i get milia removed on my birthday"),
    ("can i bring my dog", "can i bring my baby"),
    ("milia diameter", "squeeze milia"),
]


def joined(first: str, second: str) -> bool:
    one, other = vectors_of([first, second], shared())
    anchors = Anchors()
    anchors.add("g", one)
    return anchors.find(other) == "g"


def test_paraphrases_are_joined_and_other_questions_are_not() -> None:
    assert sum(joined(*pair) for pair in SAME) >= 0.75 * len(SAME)
    assert sum(joined(*pair) for pair in DIFFERENT) <= 0.12 * len(DIFFERENT)


@pytest.mark.parametrize("text", ["", "[photo]", "🙂", "?" * 3000, "milia", "Kann ich parken?"])
def test_any_text_has_a_place(text: str) -> None:
    assert joined(text, text)


def test_many_anchors_and_merged_ones() -> None:
    rng = np.random.default_rng(1)
    vectors = [v.astype(np.float16).tobytes() for v in _unit(rng.normal(size=(3000, 384)))]
    anchors = Anchors()
    for number, vector in enumerate(vectors):
        anchors.add(str(number), vector)
    assert all(anchors.find(vectors[n]) == str(n) for n in (0, 1023, 1024, 2999))
    anchors.learn([Anchor("7", total_of([vectors[7]]), root="8"), Anchor("9", b"", root="9")])
    assert anchors.root(anchors.find(vectors[7]) or "") == "8"
    assert anchors.find(vectors[9]) is None, "a group that was emptied draws nothing"


def test_a_group_learns_from_what_it_drew() -> None:
    one, two, three = vectors_of(
        ["do you sell gift vouchers", "gift vouchers?", "vouchers for a gift"], shared()
    )
    anchors = Anchors()
    anchors.add("g", one)
    anchors.add("g", two)
    anchors.add("g", three)
    total = np.frombuffer(anchors.add("g", one), np.float32)
    assert np.allclose(total, np.frombuffer(total_of([one, two, three, one]), np.float32), atol=1e-3)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
