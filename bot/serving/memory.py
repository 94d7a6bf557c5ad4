"""The garbage collector, for a process that holds a model."""

from __future__ import annotations

import gc


def keep() -> None:
    """What is there now stays until the next model: the collector needn't walk through it again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.enable()
