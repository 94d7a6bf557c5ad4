"""Notices what else a message is about: another condition, another service, a dog, an engine."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.training_data.message import Message

from bot.components.context_reader import REFUSED_BEFORE, ContextReader
from bot.components.sentence_encoder import wording

MOST_WORDS = 22  # a long story names many things that it isn't about
OTHER_SUBJECT = "other_subject"  # message property: the words that name it
WORDS_FILE = Path(__file__).with_name("other_subjects.yml")

# All in lower case, like the words in the file: ignoring case in them takes three times as long.
_MILIA = re.compile(r"\bmili(?:a|um|as)\b")
_LUMPS = re.compile(
    r"\b(?:white|hard|tiny|little|small|pale) (?:\w+ )?(?:bumps?|lumps?|dots?|spots?|seeds?|beads?|balls?"
    r"|pearls?|bits?|things?|grains?)\b"
    r"|\b(?:these|those|my) (?:\w+ )?(?:bumps?|lumps?|dots?|beads?|seeds?)\b|\b(?:get|have|had|got|getting"
    r"|having) (?:them|these|it|mine|one|some) (?:\w+ )?(?:out|removed|done|extracted)\b"
)
_OURS = re.compile(
    r"\b(?:skin|face|milia|appointment|aesthetician|extraction|immerse|ultra dry|sarah|miliagone"
    r"|your (?:clinic|place))\b"
)
_COMPARING = re.compile(r"\b(?:versus|vs|difference|same as|confus\w+|mistak\w+|looks? like|instead of)\b")


@lru_cache(maxsize=1)
def _words() -> dict[str, re.Pattern[str]]:
    groups: dict[str, list[str]] = yaml.safe_load(WORDS_FILE.read_text(encoding="utf-8"))
    return {name: re.compile(rf"\b(?:{'|'.join(lines)})\b") for name, lines in groups.items()}


def other_subject(text: str) -> str | None:
    """The words of a text that name something else, when nothing in it says that it is about milia too."""
    if len(text.split()) > MOST_WORDS:
        return None
    text = text.lower()
    if plainly := _words()["names"].search(text) or _words()["orders"].search(text):
        return plainly[0]
    if _MILIA.search(text):
        return None
    skin, elsewhere = _words()["skin"].search(text), _words()["elsewhere"].search(text)
    if elsewhere and not _OURS.search(text):
        return elsewhere[0]
    if skin and not _LUMPS.search(text) and not _COMPARING.search(text):
        return skin[0]
    return None


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class OtherSubjects(GraphComponent):
    """Sets `other_subject`, which makes the decider ask for more certainty."""

    @classmethod
    def required_components(cls) -> list[type]:
        """It asks what "it" is."""
        return [ContextReader]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml; the words stand in other_subjects.yml."""
        return {}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> OtherSubjects:
        """Creates a new component (see parent class for full docstring)."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Looks at incoming messages."""
        for message in messages:
            text, before = wording(message), message.get(REFUSED_BEFORE)
            named = other_subject(text) or (
                other_subject(before) if before and not _MILIA.search(text.lower()) else None
            )  # "do you do botox": no; "how much is it": of botox
            if named:
                message.set(OTHER_SUBJECT, named)
        return messages
