"""The responses of domain.yml for moments when no conversation engine is at hand, or it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.answer_reply import Responses
from bot.clinic import Clinic
from bot.clinic_source import shared_clinic
from bot.model import Reply
from bot.reply import to_reply
from bot.settings import Settings
from bot.topics import default_responses


class Texts:
    """Responses by name, filled with the clinic's facts as they are at the moment."""

    def __init__(self, responses: Responses, clinic: Callable[[], Clinic]) -> None:
        self._responses = responses
        self._clinic = clinic

    def reply(self, name: str, **facts: str) -> Reply:
        """The `Reply` of a response such as `utter_trouble`. Raises KeyError for an unknown name."""
        return to_reply(self._responses[name][0], self._clinic(), facts)


def load_texts(settings: Settings, domain_file: Path = Path("domain.yml")) -> Texts:
    """Reads domain.yml, once a process; the clinic's facts stay up to date."""
    source = shared_clinic(settings)
    return Texts(default_responses(domain_file), lambda: source.clinic)
