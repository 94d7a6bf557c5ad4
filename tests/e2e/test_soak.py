"""A short soak: traffic on the website and Messenger, three servers, random faults. `make soak` is half an hour."""

from __future__ import annotations

import pytest

from benchmarks.soak import soak
from tests.conftest import System


@pytest.fixture(autouse=True)
def _apart_from_asynchronous_tests() -> None:
    """This test is asynchronous itself and needs no browser."""


async def test_nothing_is_lost_doubled_or_out_of_order(system: System) -> None:
    """`system` has seen to the model."""
    figures = await soak(minutes=0.7, visitors=6, people=15)
    print(figures)
    assert figures.good, figures.wrong
    assert figures.answered == figures.sent and figures.faults
