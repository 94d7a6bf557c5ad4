"""Training data: the repository's files, and what staff decided, merged when a model is trained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from rasa.shared.core.domain import Domain
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.answer_model import OUT_OF_SCOPE
from bot.plain_text import same_words
from bot.release_model import Decisions
from bot.settings import load_settings
from bot.store.plain import from_plain


class DecisionsImporter(RasaFileImporter):
    """Reads the files as Rasa does; without decisions its results are Rasa's.

    The decisions come from the file that MILIA_DECISIONS_FILE names, not from the database: what a candidate
    was made of stands still while it is made.
    """

    @cached_property
    def decisions(self) -> Decisions:
        """What staff decided."""
        path = load_settings().decisions_file
        return read_decisions(Path(path)) if path else Decisions()

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """The examples of the files and of staff (see parent class for full docstring).

        What the files say is not to be answered, and staff answer by now, is left out.
        """
        return self._nlu_data

    @cached_property
    def _nlu_data(self) -> TrainingData:
        """Read once: Rasa asks with a language and without, and the files say the same to both."""
        data = super().get_nlu_data()
        if claimed := {same_words(text) for part in self.decisions.topics for text in part.examples}:
            data = data.filter_training_examples(
                lambda example: (
                    example.get("intent") != OUT_OF_SCOPE or same_words(example.get("text")) not in claimed
                )
            )
        known = {(example.get("intent_response_key") or example.get("intent"), example.get("text"))
                 for example in data.intent_examples} if self.decisions else set()  # fmt: skip
        added = [
            Message.build(text, intent=part.topic)
            for part in self.decisions.topics
            for text in dict.fromkeys(part.examples)
            if (part.topic, text) not in known
        ]
        return data.merge(TrainingData(added)) if added else data

    def get_domain(self) -> Domain:
        """The domain of the files with staff's new topics (see parent class for full docstring)."""
        domain = super().get_domain()
        new = {name: [response] for name, response in self._responses(domain)}
        return domain.merge(Domain.from_dict({"responses": new})) if new else domain

    def _responses(self, domain: Domain) -> Iterator[tuple[str, dict[str, Any]]]:
        """The responses of topics that the files don't have; texts of others are live without training."""
        titles = {f"utter_{part.topic}": part.title for part in self.decisions.topics}
        for part in self.decisions.topics:
            name = f"utter_{part.topic}"
            if not part.text or name in domain.responses:
                continue
            buttons = []
            for intent in part.next_steps:
                known = domain.responses.get(f"utter_{intent}") or [{}]
                title = (known[0].get("metadata") or {}).get("title") or titles.get(f"utter_{intent}")
                if title:
                    buttons.append({"title": title, "payload": f"/{intent}"})
            response: dict[str, Any] = {"text": part.text, "metadata": {"title": part.title}}
            yield name, {**response, "buttons": buttons} if buttons else response


def read_decisions(path: Path) -> Decisions:
    """The decisions in a file that the publishing wrote."""
    return from_plain(Decisions, json.loads(path.read_text(encoding="utf-8")))
