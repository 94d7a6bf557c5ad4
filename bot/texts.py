"""The responses of domain.yml for moments when no conversation engine is at hand: it is down, slow or refuses."""
from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Dict

import yaml

from bot.clinic import Clinic, load_clinic
from bot.model import Reply
from bot.reply import to_reply
from bot.settings import Settings


class Texts:
    """Responses by name, filled with the clinic's facts."""

    def __init__(self, responses: Dict[str, Any], clinic: Clinic) -> None:
        self._responses = responses
        self._clinic = clinic

    def reply(self, name: str, **facts: str) -> Reply:
        """The `Reply` of a response such as `utter_trouble`. Raises KeyError for an unknown name."""
        return to_reply(self._responses[name][0], self._clinic, facts)


@lru_cache(maxsize=4)
def _load(domain_file: Path, clinic_file: Path) -> Texts:
    domain = yaml.load(domain_file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return Texts(domain["responses"], load_clinic(clinic_file))


def load_texts(settings: Settings, domain_file: Path = Path("domain.yml")) -> Texts:
    """Reads domain.yml and the clinic's facts, once a process."""
    return _load(domain_file, settings.clinic_file)
