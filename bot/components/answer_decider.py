"""Decides what to do with a message: answer it, answer several questions, ask which was meant, or admit not to know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import (
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    PREDICTED_CONFIDENCE_KEY,
    RESPONSE_SELECTOR,
)
from rasa.shared.nlu.training_data.message import Message

from bot.components.clause_splitter import CLAUSE_SPANS, Part
from bot.components.context_reader import ELLIPTICAL, IN_CONTEXT, PREVIOUS_TOPIC
from bot.components.language_identifier import LANGUAGE
from bot.components.other_subjects import OTHER_SUBJECT
from bot.components.safety_guard import RED_FLAG
from bot.components.text_normaliser import UNREADABLE
from bot.components.topic_classifier import READINGS, Reading, TopicClassifier

OUT_OF_SCOPE, ASK_WHICH, SEVERAL, OTHER_LANGUAGE = "out_of_scope", "nlu_fallback", "several_questions", "other_language"
CHAT = frozenset({"greet", "thank", "goodbye", "affirm", "deny", "none_of_these"})
SAFETY = ("self_harm", "emergency")
_LEADS = frozenset({"greet", "affirm", "deny", "goodbye"})  # said before a question, not asked
_BEYOND_DOUBT = 0.9
_SHORT = 6  # words
_SURELY_UNKNOWN = 0.7  # from which one of several questions is admitted not to be known
# After these answers the bot has offered to call: "yes" takes the offer.
OFFERED_A_CALL = frozenset({"book_appointment", "contact_human", "ask_phone"})


@dataclass(frozen=True)
class Thresholds:
    """Where the line runs; see `AnswerDecider.get_default_config`."""

    answer: float
    ask: float
    near: float
    part: float
    weak_part: float
    in_context: float
    other_subject: float
    safety: float


@dataclass(frozen=True)
class Decision:
    """The intent of a message; its parts for several questions; the candidates that it was chosen from."""

    intent: str
    confidence: float
    clauses: tuple[tuple[str, str], ...] = ()  # (text, intent)
    candidates: tuple[tuple[str, float], ...] = ()


class Decider:
    """The decision, without Rasa.

    Args:
        families: topics whose answers say much the same: doubt between them is no reason to ask.
    """

    def __init__(self, thresholds: Thresholds, families: list[list[str]]) -> None:
        self._at = thresholds
        self._family = {topic: number for number, family in enumerate(families) for topic in family}

    def one(self, reading: Reading, answer: float | None = None) -> Decision:
        """What to do with a text that asks one thing."""
        topic, confidence = self._topic(reading)
        candidates = tuple((name, chance) for name, chance in reading.topics[:3])
        if topic == OUT_OF_SCOPE:
            return Decision(OUT_OF_SCOPE, confidence, candidates=candidates)
        if confidence >= (self._at.answer if answer is None else answer) and reading.nearness >= self._at.near:
            return Decision(topic, confidence, candidates=candidates)
        offers = tuple(
            (name, chance) for name, chance in reading.topics[:3] if name != OUT_OF_SCOPE and name not in CHAT and chance > 0.08
        )
        if confidence >= self._at.ask and len(offers) >= 2 and reading.nearness >= self._at.near:
            return Decision(ASK_WHICH, confidence, candidates=offers)
        return Decision(OUT_OF_SCOPE, 1.0 - confidence, candidates=candidates)

    def _topic(self, reading: Reading) -> tuple[str, float]:
        """The likeliest topic, with what the topics of its family add to its confidence."""
        totals: dict[Any, float] = {}
        for name, chance in reading.topics:
            totals[self._family.get(name, name)] = totals.get(self._family.get(name, name), 0.0) + chance
        best = max(totals, key=lambda key: totals[key])
        return next(name for name, _ in reading.topics if self._family.get(name, name) == best), totals[best]

    def several(self, parts: list[Part], readings: list[Reading]) -> Decision | None:
        """What to do with a message that may ask several things; None when it asks one."""
        clauses = self.clauses(parts, readings)
        if len(clauses) < 2 or {topic for _, topic in clauses} <= CHAT | {OUT_OF_SCOPE}:
            return None
        return Decision(SEVERAL, 1.0, clauses=clauses)

    def clauses(self, parts: list[Part], readings: list[Reading]) -> tuple[tuple[str, str], ...]:
        """The parts that ask something, each with its topic; of those with the same answer the first."""
        is_list = all(part.is_keyword for part in parts)
        found: dict[Any, tuple[str, str]] = {}
        for part, reading in zip(parts, readings, strict=True):
            topic, confidence = self._topic(reading)
            if topic == OUT_OF_SCOPE:
                if part.asks and part.strong and confidence >= _SURELY_UNKNOWN and len(part.text.split()) > 2:
                    found.setdefault(OUT_OF_SCOPE, (part.text, OUT_OF_SCOPE))
            elif topic not in _LEADS and reading.nearness >= self._at.near:
                needed = self._at.part if part.strong and part.asks else self._at.weak_part
                if confidence >= needed and (is_list or _counts(part, topic, confidence)):
                    found.setdefault(self._family.get(topic, topic), (part.text, topic))
        return tuple(found.values())


def _counts(part: Part, topic: str, confidence: float) -> bool:
    """Whether a part is a question of its own. A statement mostly tells what the question is about; it is one
    when it wishes for something that only staff can answer, or when it is short and beyond doubt."""
    if part.asks or topic in {"thank", "contact_human", "book_appointment"}:
        return True
    words = len(part.text.split())
    return (topic.startswith("ask_") and words > 2) or (confidence >= _BEYOND_DOUBT and 1 < words <= _SHORT and part.strong)


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class AnswerDecider(GraphComponent):
    """Sets the intent, and with it everything that Rasa, the actions and staff need to know about the decision."""

    @classmethod
    def required_components(cls) -> list[type]:
        """It decides on what the classifier read."""
        return [TopicClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml."""
        return {
            # Confidence from which a question is answered. Raising it gives fewer wrong answers, and more
            # "did you mean" and "I don't know".
            "answer": 0.27,
            # Confidence from which "did you mean" is asked. Raising it asks less and admits more.
            "ask": 0.2,
            # Least cosine to the examples of a topic. Raising it refuses what no example resembles.
            "near": 0.37,
            # Confidence from which one of several questions is answered; and when only a comma or "and"
            # stands before it. Raising them answers fewer messages in parts.
            "part": 0.45,
            "weak_part": 0.45,
            # Confidence from which a follow-up is read in its context. Raising it reads more of them alone.
            "in_context": 0.4,
            # Confidence that an answer needs when the message names another condition, service or thing.
            # Raising it refuses more near misses, and more questions that mention something else in passing.
            "other_subject": 0.6,
            # Probability from which distress or an emergency comes first. Raising it misses more of them.
            "safety": 0.35,
            # Topics whose answers say much the same, so that doubt between them is no reason to ask.
            "families": [],
        }

    def __init__(self, config: dict[str, Any]) -> None:
        names = Thresholds.__dataclass_fields__
        self._at = Thresholds(**{name: config[name] for name in names})
        self._decider = Decider(self._at, config["families"])

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> AnswerDecider:
        """Creates a new component (see parent class for full docstring)."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Decides on incoming messages."""
        for message in messages:
            write(message, self.decide(message))
        return messages

    def decide(self, message: Message) -> Decision:
        """The decision on one message: safety first, then what can't be read, then what it asks."""
        readings: list[Reading] = message.get(READINGS) or []
        if message.get(RED_FLAG) in SAFETY:
            return Decision(message.get(RED_FLAG), 1.0)
        if readings:
            for topic in SAFETY:
                if max(reading.probability(topic) for reading in readings) >= self._at.safety:
                    return Decision(topic, 1.0)
        if message.get(UNREADABLE) or not readings:
            return Decision(OUT_OF_SCOPE, 1.0)
        if message.get(LANGUAGE):
            return Decision(OTHER_LANGUAGE, 1.0)
        if message.get(RED_FLAG):
            return self._medical_first(message, readings)
        return self._question(message, readings)

    def _medical_first(self, message: Message, readings: list[Reading]) -> Decision:
        """The medical answer first, then whatever else the message asks."""
        parts: list[Part] = message.get(CLAUSE_SPANS) or []
        medical = str(message.get(RED_FLAG))
        clauses = self._decider.clauses(parts, readings[1 : 1 + len(parts)])
        others = tuple(clause for clause in clauses if clause[1] not in {medical, OUT_OF_SCOPE, *CHAT})
        if not others:
            return Decision(medical, 1.0)
        own = next((text for text, topic in clauses if topic == medical), readings[0].text)
        return Decision(SEVERAL, 1.0, clauses=((own, medical), *others))

    def _question(self, message: Message, readings: list[Reading]) -> Decision:
        whole = readings[0]
        parts: list[Part] = message.get(CLAUSE_SPANS) or []
        if message.get(OTHER_SUBJECT):
            sure = self._decider.one(whole, answer=self._at.other_subject)
            return sure if sure.intent != ASK_WHICH else replace(sure, intent=OUT_OF_SCOPE)
        if parts:
            several = self._decider.several(parts, readings[1 : 1 + len(parts)])
            if several:
                return several
        alone = self._decider.one(whole)
        previous = message.get(PREVIOUS_TOPIC)
        if previous in OFFERED_A_CALL and alone.intent == "affirm":
            return Decision("request_callback", alone.confidence)
        if message.get(IN_CONTEXT) and alone.intent not in CHAT | {"give_details"}:
            together = self._decider.one(readings[-1], answer=self._at.in_context)
            weak = alone.intent in {OUT_OF_SCOPE, ASK_WHICH} or message.get(ELLIPTICAL) and alone.confidence < 0.9
            if weak and together.intent not in {OUT_OF_SCOPE, ASK_WHICH}:
                return together
        if alone.intent in {OUT_OF_SCOPE, ASK_WHICH} and parts:
            return self._one_of_the_parts(readings[1 : 1 + len(parts)]) or alone
        return alone

    def _one_of_the_parts(self, readings: list[Reading]) -> Decision | None:
        """The one question in a long story, when exactly one of its parts is understood."""
        known = [decision for reading in readings if (decision := self._decider.one(reading, self._at.weak_part)).intent not in CHAT | {OUT_OF_SCOPE, ASK_WHICH}]
        return max(known, key=lambda decision: decision.confidence, default=None)


def write(message: Message, decision: Decision) -> None:
    """Puts a decision into the properties that Rasa and the actions read."""
    intent, _, _ = decision.intent.partition("/")
    message.set(INTENT, {INTENT_NAME_KEY: intent, PREDICTED_CONFIDENCE_KEY: decision.confidence}, add_to_output=True)
    ranking = [{INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: round(chance, 4)} for name, chance in decision.candidates]
    message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
    message.set("candidates", [{"name": name, "confidence": round(chance, 4)} for name, chance in decision.candidates], add_to_output=True)
    if decision.clauses:
        message.set("clauses", [{"text": text, "intent": topic} for text, topic in decision.clauses], add_to_output=True)
    message.set(RESPONSE_SELECTOR, selected(decision), add_to_output=True)


def selected(decision: Decision) -> dict[str, Any]:
    """What Rasa's own response selector would say; always there, so that `utter_faq` finds its answer."""
    full = decision.intent if "/" in decision.intent else next((n for n, _ in decision.candidates if "/" in n), "")
    if not full:
        return {"all_retrieval_intents": ["faq"]}
    intent = full.partition("/")[0]
    return {
        "all_retrieval_intents": ["faq"],
        intent: {
            "response": {"responses": [], "confidence": decision.confidence, "intent_response_key": full, "utter_action": f"utter_{full}"},
            "ranking": [],
        },
    }
