"""Finds where a message may ask more than one thing, and offers each part for understanding."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
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
_ADDING = {"and", "also", "plus", "&", "+", "n"}
_SENTENCE_ENDS = {"?", "!", ".", ";", "...", "??", "?!", "!!", "…"}
_QUESTION_WORDS = frozenset(
    "what what's how how's why when where where's who who's which whats hows wheres whos can could do does "
    "did is are am was will "
    "would should may might any has have shall whose which whether whereabouts".split()
)
_LEAD_INS = frozenset(
    "so also ok okay oh and but then plus last thing lastly first firstly second secondly secondly, "
    "ps btw hi hello hey please".split()
)
_REQUESTS = re.compile(
    r"^(?:can|could|i(?:'d| would) like|i want|i need|i'm after|looking for|need to|want to|please|pls"
    r"|tell me|book|give me|send me|find out|ask|let me know|wondering|keen to)\b"
)
_INDIRECT = re.compile(
    r"\b(?:wondering|wonder|(?:like|want|wanted|love|need) to (?:know|ask)|let me know|curious"
    r"|any idea)\b.{0,15}\b(?:if|whether|how|what|when|where|why|which|who)\b"
)
_BETWEEN = re.compile(r"\b(?:difference|between|both)\b", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\b(?:it|its|it's|they|them|that|this|those|these|she|he|her|him|one)\b", re.IGNORECASE
)
# What is added to a question or a story without asking anything of its own.
_TAG = re.compile(
    r"^(?:so |but |or )?(?:(?:what )?(?:do|would|don't) (?:you|u) (?:think|reckon|say|recommend|know)"
    r"|is (?:that|this|it) (?:ok|okay|right|normal|true|correct|fine|alright|possible|bad|weird)"
    r"|am i right|you know|right|yeah|yes|no|huh|eh|ok|any (?:ideas?|thoughts|advice|tips|suggestions)"
    r"|(?:can|could) you help(?: me)?|please (?:help|advise)(?: me)?|help(?: me)?(?: please)?|thoughts"
    r"|what do i do|what should i do)\W*$",
    re.IGNORECASE,
)
# "Can someone call me about the price" asks for a call, and for the price.
_CALL = re.compile(r"\b(?:call|ring|phone|contact|talk|speak|chat|get back)\b", re.IGNORECASE)
_POLITE = re.compile(
    r"^(?:thanks|thank you|thx|ta|cheers|hi|hello|hey|good (?:morning|evening|afternoon))\b", re.I
)
KEYWORD_WORDS = 3


@dataclass(frozen=True)
class Part:
    """One part of a message.

    strong: it begins after the end of a sentence, or like a question.
    told: what was told just before, and what "it" in this part means.
    added: it comes after "and" or "also".
    """

    text: str
    strong: bool
    told: str = ""
    added: bool = False

    @property
    def in_full(self) -> str:
        """The part as it is to be understood."""
        return f"{self.told}, {self.text}" if self.told else self.text

    @property
    def asks(self) -> bool:
        """Whether it has the form of a question or a request of its own; "and sore after?" has not."""
        text = self.text.lower().rpartition(": ")[2]
        if _INDIRECT.search(text):
            return True
        words = re.findall(r"[a-z']+", text)
        while words and words[0] in _LEAD_INS:
            words = words[1:]
        return len(words) > 1 and (words[0] in _QUESTION_WORDS or bool(_REQUESTS.match(" ".join(words))))

    @property
    def tells(self) -> bool:
        """Whether it is a statement that a question after it may be about."""
        return not (self.asks or self.is_keyword or _POLITE.match(self.text))

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
    tokens = list(_tokenizer()(text))
    parts: list[Part] = []
    begin, strong, added = 0, True, False
    for place, token in enumerate(tokens):
        word = token.text.lower()
        ends = word in _SENTENCE_ENDS or "\n" in word
        joint = word in _JOINTS or word == "," or word == "-" or word == "–"
        joint = joint or (word in {"about", "regarding"} and bool(_CALL.search(text[: token.idx])))
        if not (ends or joint) or len(parts) == most - 1:
            continue
        after = tokens[place + 1].text.lower() if place + 1 < len(tokens) else ""
        if joint and after not in _QUESTION_WORDS and _BETWEEN.search(text[tokens[begin].idx : token.idx]):
            continue  # "the difference between milia and acne" is one question
        piece = (
            text[tokens[begin].idx : token.idx + (len(token.text) if ends else 0)].strip(" ,")
            if begin <= place
            else ""
        )
        if re.search(r"\w", piece):
            parts.append(Part(piece, strong, added=added))
            strong = ends
        begin = place + 1
        strong = strong or ends
        added = word in _ADDING
        if begin < len(tokens) and tokens[begin].text.lower() in _QUESTION_WORDS:
            strong = True
    if begin < len(tokens) and re.search(r"\w", rest := text[tokens[begin].idx :].strip()):
        parts.append(Part(rest, strong, added=added))
    return _with_what_was_told(parts)


def _with_what_was_told(parts: list[Part]) -> list[Part]:
    """The parts, with what can't be understood alone put to what stands before it: "a cyst on my back, can
    you squeeze it out" is one question, and so is "would fish do, do you think?"."""
    whole: list[Part] = []
    for part in parts:
        before = whole[-1] if whole else None
        if before and _TAG.match(part.text):
            whole[-1] = replace(before, text=f"{before.text}, {part.text}")
        elif before and before.tells and part.asks and not part.added and _PRONOUN.search(part.text):
            whole[-1] = replace(part, told=before.in_full, strong=before.strong)
        else:
            whole.append(part)
    return whole


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
