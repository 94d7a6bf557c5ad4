"""The memory of a process that holds a model."""

from __future__ import annotations

import contextlib
import ctypes
import gc

FULL_COLLECTIONS = 1000
"""Collections of younger objects before one that walks through all, in which nobody is answered for a tenth
of a second. It finds next to nothing (docs/profile.md). Raising it leaves that there for longer."""


def keep() -> None:
    """What is there now stays until the next model: the garbage collector needn't walk through it again, and
    what loading it took is given back to the system."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_COLLECTIONS)
    gc.enable()
    with contextlib.suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
