"""What a model is made from; its digest says which models, servers and releases belong together."""

from __future__ import annotations

import hashlib
from pathlib import Path

INPUTS_HEADER = "X-Milia-Inputs"
"""How a server says which files it runs, when it asks for the release that belongs to them."""

LIVE_FOLDER = "live-model"
"""Folder in the data folder, with a copy of the release that this machine's chat servers use."""

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

NOT_READ = ("data/staff.yml",)
"""What of it training takes nothing from (bot/staff_file.py)."""


def digest_of_inputs(root: Path) -> str:
    """A digest of every file that a model is made from."""
    digest = hashlib.sha256()
    left_out = {root / name for name in NOT_READ}
    found = {path for pattern in INPUTS for path in root.glob(pattern) if path.is_file()}
    for path in sorted(found - left_out):
        digest.update(f"{path.relative_to(root)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
