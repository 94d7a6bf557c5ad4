"""What a model is made from; its digest says which models, servers and releases belong together."""

from __future__ import annotations

import hashlib
from pathlib import Path

INPUTS = (
    "config.yml",
    "domain.yml",
    "data/**/*.yml",
    "bot/components/**/*.py",
    "bot/components/**/*.yml",
    "bot/encoder*.py",
    "bot/grams.py",
    "bot/importer.py",
    "bot/plain_text.py",
    "bot/spelling.py",
    "bot/language*",
    "build/encoder/manifest.json",
    "requirements.txt",
)
"""What a model is made from, as patterns below the project's folder."""


def digest_of_inputs(root: Path) -> str:
    """A digest of every file that a model is made from."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in INPUTS for path in root.glob(pattern) if path.is_file()}):
        digest.update(f"{path.relative_to(root)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
