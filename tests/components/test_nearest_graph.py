"""The graph that compares in bytes: it finds nearly all of the nearest, for each text by itself."""

import numpy as np

from bot.components.nearest_graph import CANDIDATES, open_search, search_graph
from tests.components.conftest import unit_vectors

VECTORS = unit_vectors(3000, 1)
ASKED = unit_vectors(50, 2)


def test_the_nearest_are_among_the_candidates() -> None:
    found = open_search(search_graph(VECTORS))(ASKED)
    assert found.shape == (50, CANDIDATES)
    nearest = np.argsort(-(ASKED @ VECTORS.T), axis=1)[:, :15]
    among = [len(set(some) & set(all_found)) for some, all_found in zip(nearest, found, strict=True)]
    assert np.mean(among) >= 0.99 * 15


def test_each_vector_has_a_scale_of_its_own() -> None:
    search = open_search(search_graph(VECTORS))
    for one, other in zip(ASKED, ASKED[::-1], strict=True):
        alone, beside = search(one[None])[0], search(np.stack([one, 100 * other]))[0]
        assert len(set(alone) & set(beside)) >= 0.95 * CANDIDATES  # floats may round to another byte
