"""Keeps the vectors of training examples on disk, so that training again encodes only what is new."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.encoder import ORIGIN, Vectors, features_of_many

CACHE_FILE = "examples.npz"


def encoded(texts: Sequence[str], folder: Path, threads: int) -> Vectors:
    """The features of texts, shape [n, 1152] in half precision's accuracy; what `folder` remembers is not
    encoded again.

    A cache that is missing, damaged or of another encoder is made anew.
    """
    known = _read(folder / CACHE_FILE)
    keys = [_key(text) for text in texts]
    new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    vectors = features_of_many(list(new.values()), threads, folder).astype(np.float16)
    known.update(zip(new, vectors, strict=True))
    if new:
        _write(folder / CACHE_FILE, {key: known[key] for key in dict.fromkeys(keys)})
    return np.stack([known[key] for key in keys]).astype(np.float32)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _read(path: Path) -> dict[str, Vectors]:
    try:
        with np.load(path, allow_pickle=False) as saved:
            if str(saved["origin"]) == str(ORIGIN):
                return dict(zip(saved["keys"].tolist(), saved["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError):
        pass
    return {}


def _write(path: Path, known: dict[str, Vectors]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.stem}.{os.getpid()}.npz")
    np.savez(
        scratch,
        origin=np.array(str(ORIGIN)),
        keys=np.array(list(known)),
        vectors=np.stack(list(known.values())),
    )
    os.replace(scratch, path)
