"""What a soak counts, on conversations with which something is wrong in one way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.soak_figures import Asked, Figures
from bot.channels.messenger.events import METADATA_PREFIX
from bot.logs import turn_of
from tests.doubles.graph_api import Sent
from tests.visitors import Item, Said, disorder

ANSWERS = {"one?": "One.", "two?": "Two.", "three?": "Three."}
TROUBLE, NOTICE = "Please call us.", "An automated assistant writes here."
THREE = [Asked(f"mid-{number}", text, 10.0 * number) for number, text in enumerate(ANSWERS)]


def sent(number: int, text: str) -> Sent:
    """A message that answers the one with this number; two of the same text are one sent twice."""
    place = 0 if text == NOTICE else 1
    turn = turn_of("anna", f"mid-{number}")
    message = {"text": text, "metadata": f"{METADATA_PREFIX}{turn}{place:08x}"}
    return Sent("100", "anna", message, "", "m", 10.0 * number + 1)


WHOLE = [sent(0, NOTICE), sent(0, "One."), sent(1, "Two."), sent(2, "Three.")]


@pytest.mark.parametrize(
    ("got", "counts"),
    [
        (WHOLE, (3, 0, 0, 0)),
        ([WHOLE[0], sent(0, TROUBLE), *WHOLE[2:]], (3, 0, 0, 0)),
        ([*WHOLE[:2], WHOLE[3]], (2, 1, 0, 0)),
        (WHOLE[1:], (3, 1, 0, 0)),
        ([*WHOLE, WHOLE[2]], (3, 0, 1, 0)),
        ([*WHOLE, sent(2, TROUBLE)], (3, 0, 1, 0)),
        ([WHOLE[0], *WHOLE], (3, 0, 1, 0)),
        ([*WHOLE, sent(7, "Two.")], (3, 0, 1, 0)),
        ([WHOLE[0], WHOLE[2], WHOLE[1], WHOLE[3]], (3, 0, 0, 1)),
        ([], (0, 4, 0, 0)),
    ],
)
def test_on_messenger(got: Sequence[Sent], counts: tuple[int, ...]) -> None:
    figures = Figures()
    figures.count_messenger("anna", THREE, got, ANSWERS, TROUBLE, NOTICE)
    assert (figures.answered, figures.lost, figures.doubled, figures.out_of_order) == counts
    assert len(figures.wrong) == sum(counts[1:]) and figures.good == (counts[1:] == (0, 0, 0))


def said(number: int, *texts: str) -> Said:
    """A message and the replies that were seen."""
    replies = [{"id": f"reply-{number}-{text}", "text": text} for text in texts]
    return Said(f"message-{number}", list(ANSWERS)[number], replies, came=[(10.0 * number, "answered")])


def kept(*messages: Said) -> list[Item]:
    """What the page shows after a reload."""
    items: list[Item] = []
    for one in messages:
        items.append({"id": one.id, "from": "visitor"})
        items += [{**reply, "from": "bot"} for reply in one.replies]
    return items


ONE, TWO, THREE_ = said(0, "One."), said(1, "Two."), said(2, "Three.")


@pytest.mark.parametrize(
    ("seen", "history", "counts"),
    [
        ([ONE, TWO, THREE_], kept(ONE, TWO, THREE_), (3, 0, 0, 0)),
        ([said(0, TROUBLE), TWO], kept(said(0, TROUBLE), TWO), (2, 0, 0, 0)),
        ([said(0), TWO], kept(said(0), TWO), (1, 1, 0, 0)),
        ([ONE, TWO, THREE_], kept(ONE, THREE_), (3, 1, 0, 0)),
        ([ONE, TWO, THREE_], kept(ONE, TWO, TWO, THREE_), (3, 0, 1, 0)),
        ([said(0, "One.", TROUBLE), TWO], kept(said(0, "One.", TROUBLE), TWO), (2, 0, 1, 0)),
        ([ONE, TWO], kept(said(0, "One.", TROUBLE), TWO), (2, 0, 1, 0)),
        ([ONE, TWO], kept(said(0), TWO), (2, 1, 0, 0)),
        ([ONE, TWO, THREE_], kept(TWO, ONE, THREE_), (3, 0, 0, 1)),
    ],
)
def test_on_the_website(seen: Sequence[Said], history: Sequence[Item], counts: tuple[int, ...]) -> None:
    figures = Figures()
    figures.count_website("ben", seen, disorder(history, seen), ANSWERS, TROUBLE)
    assert (figures.answered, figures.lost, figures.doubled, figures.out_of_order) == counts
    assert len(figures.wrong) == sum(counts[1:])
    assert all(found.turn == turn_of("ben", found.wrong.id) for found in figures.wrong)
