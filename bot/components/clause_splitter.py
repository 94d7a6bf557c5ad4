"""Finds where a message may ask more than one thing, and offers each part for understanding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.spelling_corrector import CORRECTED

CLAUSE_SPANS = "clause_spans"  # message property: the parts that were found

_JOINTS = {"and", "also", "but", "plus", "then", "&", "+", "n"}  # not "or": alternatives are one question
_SENTENCE_ENDS = {"?", "!", ".", ";", "...", "??", "?!", "!!", "…"}
_QUESTION_WORDS = frozenset(
    "what what's how how's why when where where's who who's which whats hows wheres whos can could do does "
    "did is are am was will "
    "would should may might any has have shall whose".split()
)
_LEAD_INS = frozenset(
    "so also ok okay oh and but then plus last thing lastly first firstly second secondly secondly, "
    "ps btw hi hello hey please".split()
)
_REQUESTS = re.compile(
    r"^(?:can|could|i(?:'d| would) like|i want|i need|i'm after|looking for|need to|want to|please|pls"
    r"|tell me|book|give me|send me|find out|ask|let me know|wondering|keen to)\b"
)
_BETWEEN = re.compile(r"\b(?:difference|between)\b", re.IGNORECASE)
KEYWORD_WORDS = 3


@dataclass(frozen=True)
class Part:
    """One part of a message. `strong`: it begins after the end of a sentence, or like a question."""

    text: str
    strong: bool

    @property
    def asks(self) -> bool:
        """Whether it has the form of a question or a request of its own; "and sore after?" has not."""
        words = re.findall(r"[a-z']+", self.text.lower())
        while words and words[0] in _LEAD_INS:
            words = words[1:]
        return len(words) > 1 and (words[0] in _QUESTION_WORDS or bool(_REQUESTS.match(" ".join(words))))

    @property
    def is_keyword(self) -> bool:
        """Whether it is as short as something in a list."""
        return len(self.text.split()) <= KEYWORD_WORDS


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    import spacy

    return spacy.blank("en").tokenizer


def parts_of(text: str, most: int) -> list[Part]:
    """The parts between sentence ends, commas and joining words; the last holds what is left after `most`."""
    if _BETWEEN.search(text):
        return [Part(text, True)]
    tokens = list(_tokenizer()(text))
    parts: list[Part] = []
    begin, strong = 0, True
    for place, token in enumerate(tokens):
        word = token.text.lower()
        ends = word in _SENTENCE_ENDS or "\n" in word
        joint = word in _JOINTS or word == "," or word == "-" or word == "–"
        if not (ends or joint) or len(parts) == most - 1:
            continue
        piece = (
            text[tokens[begin].idx : token.idx + (len(token.text) if ends else 0)].strip()
            if begin <= place
            else ""
        )
        if re.search(r"\w", piece):
            parts.append(Part(piece, strong))
            strong = ends
        begin = place + 1
        strong = strong or ends
        if begin < len(tokens) and tokens[begin].text.lower() in _QUESTION_WORDS:
            strong = True
    if begin < len(tokens) and re.search(r"\w", rest := text[tokens[begin].idx :].strip()):
        parts.append(Part(rest, strong))
    return parts


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER], is_trainable=False)
class ClauseSplitter(GraphComponent):
    """Sets `clause_spans`: the parts of the message, to be understood one by one."""

    @staticmethod
    def required_packages() -> list[str]:
        """What has to be installed for this component to run."""
        return ["spacy"]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml."""
        return {
            # Parts that a message is taken apart into. Raising it answers longer lists of questions, and
            # costs an encoding for each further part and for each neighbouring pair of them.
            "most_parts": 6,
        }

    def __init__(self, config: dict[str, Any]) -> None:
        self._most: int = config["most_parts"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ClauseSplitter:
        """Creates a new component (see parent class for full docstring)."""
        return cls(config)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Training examples ask one thing each."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Splits incoming messages."""
        for message in messages:
            text = message.get(CORRECTED) or message.get(TEXT) or ""
            parts = parts_of(text, self._most)
            if len(parts) > 1:
                message.set(CLAUSE_SPANS, parts)
        return messages
