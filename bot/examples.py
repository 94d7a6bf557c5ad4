"""The examples that came with the assistant (data/nlu.yml), by their words: whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.answer_model import OUT_OF_SCOPE
from bot.plain_text import same_words


def delivered_examples(nlu_file: Path = Path("data/nlu.yml")) -> Mapping[str, str]:
    """Topics by the wordings of their examples; a file is read once a process.

    What is there as not to be answered is left out: staff may come to answer it, and training leaves it out
    then as well.
    """
    return _read(nlu_file.absolute())


@lru_cache(maxsize=2)
def _read(nlu_file: Path) -> Mapping[str, str]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    nlu: Any = yaml.load(nlu_file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 -- a safe loader
    return {
        same_words(line.removeprefix("- ")): block["intent"]
        for block in nlu["nlu"]
        if block["intent"] != OUT_OF_SCOPE
        for line in block["examples"].splitlines()
        if line.strip()
    }
