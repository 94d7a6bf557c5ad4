"""Finds where a message may ask more than one thing, and offers each part for understanding."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
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

_WH = (
    r"(?:what|how|why|when|where|who|which|whose|whereabouts)(?:'?s|'?d|'?re|'?ll)?|whats|hows|wheres|whos"
    r"|whether"
)
_AUXILIARY = (
    r"can|could|do|does|did|is|are|am|was|will|would|should|shall|may|might|has|have|isn't|aren't|don't"
    r"|doesn't|can't|won't|couldn't|shouldn't"
)
# "Will it hurt", wherever it stands in a part; "it will hurt" is told, and so is "you can do it".
_INVERTED = (
    r"(?:can|could|does|did|is|are|am|was|will|would|should|shall|may|might) "
    r"(?:i|you|u|we|they|he|she|it|there)\b"
    r"|do (?:i|you|u|we|they|milia \w+)\b|(?:does|did|will|can) milia\b"
)
_REQUEST = (
    r"(?:i(?:'d| would) like|i want|i need|i'm after|looking for|need to|want to|please|pls|tell me|book"
    r"|give me|send me|find out|ask|let me know|wondering|keen to)\b"
)
# Said before a question, and no part of it.
_LEAD_IN = re.compile(
    r"^(?:(?:so|also|ok|okay|oh|and|but|or|then|plus|(?:one )?(?:last|more) thing|lastly|first(?:ly)?"
    r"|second(?:ly)?|third(?:ly)?|ps|btw|by the way|hi|hello|hey|please|just|like|roughly|actually|otherwise"
    r"|if (?:so|not|yes|no)|(?:in|if) that(?:'s the)? case|after that)\b[ ,:]*)+",
    re.IGNORECASE,
)
_ASKS = re.compile(
    rf"^(?:{_WH}|{_AUXILIARY}|any)\b\W+\w|^{_REQUEST}|\b(?:{_INVERTED})|\?$"
    r"|\b(?:wondering|wonder|(?:like|want|wanted|love|need) to (?:know|ask)|let me know|curious"
    r"|any idea)\b.{0,15}\b(?:if|whether|how|what|when|where|why|which|who)\b",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"^(?!if\b)(?:(?:i|my|mine|we|our|he|his|she|her|it|its|they|their|this|that|these|those|there|you|your|since|because"
    r"|got|had|have|never|been|just)\b"
    r"|.*\b(?:(?:i|we|he|she|it|they)(?:'\w+)? \w|(?:is|are|was|were|has|have|had|didn't|doesn't|isn't)\b))",
    re.IGNORECASE,
)
# Said after a question, and no part of it.
_TAIL = re.compile(r"\W+(?:please|pls|plz|(?:many )?thanks|thank you|thx|cheers|ta|lol)\W*$", re.IGNORECASE)
_IF_NOT = re.compile(r"^if (?:not|so)\b[ ,]*(?=\w)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<!\S)\(?[1-9][.):]\s")  # of an item of a list
_JOINT = re.compile(
    r"(?P<end>[?!…]+|[.;]+(?=\s|$))|\b(?:and|also|plus|but|then|btw|by the way)\b|(?<!\S)[&+n](?!\S)"
    rf"|[,()–—]|(?<!\S)-+(?!\S)|\s*/\s*(?=[a-z])|\bor (?=(?:{_WH}|{_AUXILIARY})\b)"
    r"|\b(?P<or>or)\b|(?=\bif (?:not|so)\b)"
    r"|\b(?P<call>about|regarding)\b",
    re.IGNORECASE,
)
# A question that begins where the one before ends, without a sign: "how much is it | does it hurt".
_VERB = r"(?:can|could|does|did|is|are|am|was|will|would|should|shall|may)"
_ANYBODY = r"(?:i|you|u|yous|we|they|he|she|it|there|these|those|this|that|milia|the|my|your|ur)"
_INVERSION = rf"(?:{_VERB} {_ANYBODY}|do (?:i|you|u|yous|we|they|milia \w+)|does \w+)\b"
_RUN_ON = re.compile(
    rf"\s+(?=(?P<verb>{_INVERSION})|(?:what|how|why|when|where|which) (?:\w+ ){{0,2}}?{_INVERSION}"
    rf"|(?:what|how|where|who|when)'?s (?:the|your|ur|it|that|this)\b"
    rf"|how (?:much|long|big|many|often|old)\b(?! {_ANYBODY}\b)"
    r"|what about\b|why not\b|i (?:need|want) (?:a|to)\b)",
    re.IGNORECASE,
)
# After these words a question goes on, and none begins: "do you know | how much is it".
_GOES_ON = re.compile(
    r"\b(?:know|knows|wonder|wondering|tell|show|ask|asks|asking|see|sure|idea|explain|says?|said|think|reckon"
    r"|remember|understand|about|regarding|of|for|to|(?<!come )(?<!go )(?<!get )in|(?<!put )(?<!get )on|at"
    r"|from|with|by|than|that|if|whether|and|or|but|so|then|cos|because|since|when|while|once|where|what|how"
    r"|why|who|which|me|just|even|also|is|are|was|i|(?<!are )(?:you|u|we|they)|(?<!is )(?:he|she)|no|not"
    r"|really|exactly|roughly|please|(?:some|any|every)thing|all|stuff"
    r"|do|does|did|can|could|should|would|will)\W*$",
    re.IGNORECASE,
)
# "How long after that | does it take": what is asked for, and not yet asked.
_UNASKED = re.compile(
    rf"\b(?:what|how|why|when|where|which|who)\b(?!'s\b)(?!.*\b(?:{_AUXILIARY}|about)\b)", re.IGNORECASE
)
_IN_CASE = re.compile(r"^(?:if|when|once|after|before|since|because|while|where|as)\b", re.IGNORECASE)
# "Will it hurt or swell": what stands before each of them.
_ALTERNATIVES = re.compile(
    r"^(?:can|could|does|do|did|is|are|will|would|should) "
    r"(?:i|you|u|yous|they|it|she|he|this|that|these|those|milia)\b",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\b(?:difference|between|both)\b", re.IGNORECASE)
_POINTS_AT = re.compile(r"^(?:it|this|that|them|these|those|one|you|us|me|him|her)$", re.IGNORECASE)
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
KEYWORD_WORDS = 3
_LONGEST = 200  # characters of a question; what is looked at again and again mustn't grow with the message
# "Price pain downtime": each of these words asks for something by itself.
_KEYWORD = re.compile(
    r"(?<!\S)(?:prices?|pricing|costs?|pain|painful|downtime|recovery|healing|scars?|scarring|redness|aftercare"
    r"|email address|phone number|address|location|parking|hours|phone|number|email|discount code|discount"
    r"|code|afterpay|payment|bookings?)(?![^\s?!.])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Part:
    """One part of a message.

    strong: it begins after the end of a sentence, or like a question.
    alternative: it is one of several things that a question asks about: "is it red *or sore*".
    """

    text: str
    strong: bool
    alternative: bool = False

    @cached_property
    def asks(self) -> bool:
        """Whether it has the form of a question or a request of its own; "and sore after" has not."""
        return bool(_ASKS.search(_LEAD_IN.sub("", self.text)))

    @cached_property
    def tells(self) -> bool:
        """Whether it is a statement, which mostly says what a question is about: no question, no keyword."""
        return not self.asks and bool(_STATEMENT.search(_LEAD_IN.sub("", self.text)))

    @property
    def is_keyword(self) -> bool:
        """Whether it is as short as something in a list."""
        return len(self.text.split()) <= KEYWORD_WORDS


def parts_of(text: str, most: int) -> list[Part]:
    """The parts between sentence ends, commas and joining words; the last holds what is left after `most`."""
    if len(_NUMBER.findall(text)) > 1:
        text = _NUMBER.sub("; ", text)
    if not _KEYWORD.sub("", text).strip(" ?!."):
        text = "; ".join(_KEYWORD.findall(text))
    parts: list[Part] = []
    begin, strong, head = 0, True, ""
    for joint in _JOINT.finditer(text):
        if len(parts) == most - 1:
            break
        before, after = text[begin : joint.start()], text[joint.end() :].lstrip()
        if joint["call"] and not _CALL.search(before):
            continue
        if not joint["end"] and _BETWEEN.search(before) and not _ASKS.match(after):
            continue  # "the difference between milia and acne" is one question
        alternative = _ALTERNATIVES.match(_LEAD_IN.sub("", head + before.lstrip())) if joint["or"] else None
        if joint["or"] and (not alternative or _ASKS.match(after)):
            continue
        if re.search(r"\w", before):
            _add(parts, before.lstrip() + (joint["end"] or ""), strong, head)
            strong = False
        head = f"{alternative[0]} " if alternative else ""
        strong = strong or bool(joint["end"])
        begin = joint.end()
    if re.search(r"\w", text[begin:]):
        _add(parts, text[begin:].lstrip(), strong, head)
    rest = " ".join(part.text for part in parts[most - 1 :])
    return [*parts[: most - 1], replace(parts[most - 1], text=rest)] if len(parts) > most else parts


def _add(parts: list[Part], text: str, strong: bool, head: str) -> None:
    """Adds a part; one that only rounds a question off ("do you think?") goes with what it rounds off.

    Args:
        head: how the question begins of which the text is an alternative; empty when it is none.
    """
    text = _IF_NOT.sub("", _TAIL.sub("", text.strip(" ,;")))
    bare = _LEAD_IN.sub("", text + " ").strip()
    if not re.search(r"\w", bare) or _POINTS_AT.match(bare):
        return
    if parts and _TAG.match(text):
        parts[-1] = replace(parts[-1], text=f"{parts[-1].text}, {text.rstrip('?!. ')}?")
        return
    for piece in _run_on(head + text):
        parts.append(Part(piece, strong or Part(piece, False).asks, alternative=bool(head)))
        strong, head = False, ""


def _run_on(text: str) -> list[str]:
    """The questions of a text that follow each other without a sign."""
    pieces, begin = [], 0
    for joint in _RUN_ON.finditer(text):
        before = text[begin : joint.start()].lstrip()
        bare = _LEAD_IN.sub("", before[-_LONGEST:] + " ").strip()
        if _is_complete(bare) and not (joint["verb"] and _UNASKED.search(bare)):
            pieces.append(before)
            begin = joint.end()
    return [*pieces, text[begin:]]


def _is_complete(text: str) -> bool:
    """Whether a text is a question or a statement that needs nothing after it."""
    words = len(text.split())
    if words < 2 or _GOES_ON.search(text) or (_IN_CASE.match(text) and not re.search(_INVERTED, text)):
        return False
    return words >= 4 or bool(_ASKS.search(text))


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER], is_trainable=False)
class ClauseSplitter(GraphComponent):
    """Sets `clause_spans`: the parts of the message, to be understood one by one."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml."""
        return {
            # Parts that a message is taken apart into. Raising it answers longer lists of questions, and
            # costs an encoding (2 ms) for each further part.
            "most_parts": 8,
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
