"""The memory of a process that holds a model."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def keep() -> None:
    """What is there now stays until the next model: the garbage collector needn't walk through it again, and
    what loading it took is given back to the system."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.enable()
    with contextlib.suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
