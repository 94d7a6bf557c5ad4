"""What is noted beside a trained model, so that no other file is taken for it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

STAMP = "trained.json"


def digest_of(archive: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while piece := file.read(1 << 18):
            digest.update(piece)
    return digest.hexdigest()


def write_stamp(models: Path, inputs: str, archive: str) -> None:
    """Notes the model that was trained last, and from what."""
    stamp = {"inputs": inputs, "model": archive, "digest": digest_of(models / archive)}
    (models / STAMP).write_text(json.dumps(stamp) + "\n")


def read_stamp(models: Path) -> dict[str, str]:
    """`inputs`, `model` and `digest` of the model that was trained last; empty when there is none."""
    try:
        stamp = json.loads((models / STAMP).read_text())
        return stamp if isinstance(stamp, dict) else {}
    except (OSError, ValueError):
        return {}


def is_changed(archive: Path) -> bool:
    """Whether a model's file is no longer what was trained, as far as that was noted."""
    stamp = read_stamp(archive.parent)
    noted = stamp.get("digest") if stamp.get("model") == archive.name else None
    return noted is not None and noted != digest_of(archive)
