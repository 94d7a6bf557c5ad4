"""Decides on a message: answer it, answer several questions, ask which was meant, or admit not to know."""

from __future__ import annotations

import re
from dataclasses import replace
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
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message

from bot.components.clause_splitter import CLAUSE_SPANS, Part
from bot.components.context_reader import ELLIPTICAL, IN_CONTEXT, PREVIOUS_TOPIC, REFUSED_BEFORE
from bot.components.decider import (
    ASK_WHICH,
    CHAT,
    OTHER_LANGUAGE,
    OUT_OF_SCOPE,
    SEVERAL,
    Certainty,
    Decider,
    Decision,
    Thresholds,
)
from bot.components.follow_ups import follow_up
from bot.components.language_identifier import LANGUAGE
from bot.components.later_reading import LaterReading
from bot.components.other_subjects import OTHER_SUBJECT, other_subject
from bot.components.safety_guard import RED_FLAG
from bot.components.text_normaliser import NOT_WORDS, UNREADABLE
from bot.components.topic_classifier import READ_IN_CONTEXT, READINGS, Reading, TopicClassifier
from bot.details import as_name, read_details

SAFETY = ("self_harm", "emergency")
# "What should I put on it?" after a symptom is a question about the symptom.
MEDICAL = frozenset({"ask_medical", "emergency"})
SELF_CARE = frozenset(
    f"faq/{topic}"
    for topic in ("aftercare", "recovery", "home_remedies", "squeeze", "go_away", "harmful", "products")
)
# Asked after the answer about babies, these are about the baby: a doctor knows, not the topics on adults.
ABOUT_MILIA = SELF_CARE | {
    f"faq/{topic}"
    for topic in (
        "what_are_milia",
        "identify",
        "causes",
        "prevention",
        "size",
        "location",
        "not_acne",
        "removal",
    )
}
OF_ADULTS = ABOUT_MILIA - {"faq/harmful", "faq/what_are_milia", "faq/not_acne"}
# After "I'm pregnant" or "I scar easily" these are about whoever says so: the answer on that says what to do.
OF_ANYBODY = frozenset(
    {"faq/removal", "faq/who_removes", "faq/skin_types", "faq/harmful", "faq/size", "ask_cream_cause"}
)
OF_ONESELF = MEDICAL | {"ask_scarring"}
# "Is it for oily skin, and while I am pregnant" asks two things.
_AND_IF = re.compile(r"^(?:if|while|when|during)\b")
_MYSELF = re.compile(
    r"\b(?:i'm|i've|i have|i get|i got|me|mine|myself|my face|adults?|grown.?ups?|grown.up)\b"
)
_WHAT_TO_DO = re.compile(
    r"\bwhat (?:do|can|could|should|would|shall) (?:i|we|you) (?:do|suggest|recommend)\b"
    r"|\bwho (?:do|can|could|should|would|shall) (?:i|we) (?:see|go to|talk to|ask|call)\b"
)
# Answered whatever "it" is: "do you do botox? - can someone call me about it".
OF_ANY_SUBJECT = CHAT | {"contact_human", "request_callback", "ask_phone", "ask_help", "ask_privacy"}
# After an emergency "forget it" would be read as forgetting the emergency.
_DROPS_IT = re.compile(
    r"^(?:(?:ok|oh|no|nah|actually|just)\b[ ,]*)*(?:forget (?:about )?(?:it|that)|never ?mind)\W*$",
    re.IGNORECASE,
)
# Probability below which the words of a message are read in context, if that leads back to the topic before.
_LEADS_BACK = 0.5
# After these answers the bot has offered to call: "yes" takes the offer.
OFFERED_A_CALL = frozenset({"book_appointment", "contact_human", "ask_phone"})


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class AnswerDecider(GraphComponent):
    """Sets the intent, and all that Rasa, the actions and staff need to know about the decision."""

    @classmethod
    def required_components(cls) -> list[type]:
        """It decides on what the classifier read."""
        return [TopicClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml."""
        return {
            # What makes it sure that a message is known: `Certainty`, fitted by benchmarks/thresholds.py.
            "certainty": {
                "bias": 5.17,
                "topic": 5.59,
                "out_of_scope": -1.5,
                "nearness": 0.33,
                "evidence": -0.39,
                "other_subject": -2.4,
            },
            # Certainty from which a question is answered. Raising it gives fewer wrong answers, and more
            # "did you mean" and "I don't know". On tests/data/validation, 0.3 to 0.45 answered 99% rightly;
            # the most careful of them was taken, at which 98% of what is out of scope was not answered.
            "answer": 0.45,
            # Certainty from which "did you mean" is asked. Raising it asks less and admits more.
            "ask": 0.3,
            # Probability that a topic needs for an answer when others come near; below it "did you mean" is
            # asked. Raising it asks more often and answers the wrong one of two less.
            "clear": 0.25,
            # Probability from which one of several questions is answered; and when only a comma or "and"
            # stands before it. Raising them answers fewer messages in parts.
            "part": 0.35,
            "weak_part": 0.4,
            # Certainty from which a follow-up is read in its context. Raising it reads more of them alone.
            "in_context": 0.5,
            # Probability from which a few words stand for themselves, whatever came before. Raising it reads
            # more of them in their context.
            "standing_alone": 0.65,
            # Probability from which distress or an emergency comes first, in the whole message; and in a part
            # of it, which may say more than was meant. Raising them misses more of them.
            "safety": 0.35,
            "safety_in_part": 0.8,
            # Probability of out_of_scope from which a message is no question of several parts. Raising it
            # answers more of what a message asks beside something else, and more that only sounds like it.
            "elsewhere": 0.6,
            # Topics whose answers say much the same, so that doubt between them is no reason to ask.
            "families": [],
        }

    def __init__(self, config: dict[str, Any]) -> None:
        names = Thresholds.__dataclass_fields__
        self._at = Thresholds(**{name: config[name] for name in names})
        self._decider = Decider(Certainty(**config["certainty"]), self._at, config["families"])

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
        context: LaterReading | None = message.get(READ_IN_CONTEXT)
        if message.get(RED_FLAG) in SAFETY:
            return Decision(message.get(RED_FLAG), 1.0)
        in_distress = message.get(PREVIOUS_TOPIC) == "self_harm"
        if readings and not in_distress and _DROPS_IT.match(readings[0].text):
            return Decision("deny", 1.0)
        if readings and message.get(UNREADABLE) != NOT_WORDS:
            for topic in SAFETY:
                whole, *parts = (reading.probability(topic) for reading in readings)
                in_part = self._at.safety_in_part
                if whole >= self._at.safety or max(parts, default=0.0) >= in_part:
                    return Decision(topic, 1.0)
                if context and context.reaches(topic, in_part):
                    return Decision(topic, 1.0)
        if message.get(UNREADABLE) == NOT_WORDS and _is_phone(message.get(TEXT) or ""):
            in_danger = message.get(PREVIOUS_TOPIC) == "emergency"
            return Decision("emergency" if in_danger else "give_details", 1.0)
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
        clauses = self._decider.clauses(parts, readings[1 : 1 + len(parts)], readings[0])
        others = tuple(clause for clause in clauses if clause[1] not in {medical, OUT_OF_SCOPE, *CHAT})
        if not others:
            return Decision(medical, 1.0)
        own = next((text for text, topic in clauses if topic == medical), readings[0].text)
        return _of_oneself(Decision(SEVERAL, 1.0, clauses=((own, medical), *others)), parts)

    def _question(self, message: Message, readings: list[Reading]) -> Decision:
        whole = readings[0]
        parts: list[Part] = message.get(CLAUSE_SPANS) or []
        elsewhere = whole.probability(OUT_OF_SCOPE) >= self._at.elsewhere
        alone = self._decider.one(whole, bool(message.get(OTHER_SUBJECT)))
        asked = list(zip(parts, readings[1:], strict=True))
        if message.get(OTHER_SUBJECT):  # "cradle cap, do I pick it or oil it" asks one thing
            asked = [(part, reading) for part, reading in asked if not part.alternative]
        several = self._decider.several(
            [part for part, _ in asked],
            [reading for _, reading in asked],
            whole,
            elsewhere or alone.intent == OUT_OF_SCOPE,
        )
        if several:
            return _of_a_baby(several) if whole.topic == "ask_baby" else _of_oneself(several, parts)
        if message.get(REFUSED_BEFORE) and message.get(OTHER_SUBJECT) and alone.intent not in OF_ANY_SUBJECT:
            return Decision(OUT_OF_SCOPE, 1.0, candidates=alone.candidates)
        previous = message.get(PREVIOUS_TOPIC)
        if previous in OFFERED_A_CALL and alone.intent == "affirm":
            return Decision("request_callback", alone.confidence)
        unsure = alone.intent in {OUT_OF_SCOPE, ASK_WHICH} and not message.get(OTHER_SUBJECT)
        to_do = alone.intent in SELF_CARE or bool(_WHAT_TO_DO.search(whole.text))
        if previous in MEDICAL and message.get(IN_CONTEXT) and (unsure or to_do):
            return Decision(str(previous), 1.0)
        follows = follow_up(whole.text, previous)
        if follows:
            return Decision(follows, 1.0)
        if previous == "emergency" and unsure and as_name(whole.text):  # for the form, which that has ended
            return Decision(previous, 1.0)
        about_milia = alone.intent in ABOUT_MILIA and not _MYSELF.search(whole.text)
        if previous == "ask_baby" and message.get(IN_CONTEXT) and about_milia:
            return Decision("ask_baby", 1.0)
        context: LaterReading | None = message.get(READ_IN_CONTEXT)
        if context and alone.intent not in CHAT - {"none_of_these"} | {"give_details"}:
            said = self._decider.best(whole)[1]
            vague = unsure or (message.get(ELLIPTICAL) and said < self._at.standing_alone)
            if vague or said < _LEADS_BACK:  # otherwise nothing that it is about in context matters
                together = self._decider.one(
                    context.reading, bool(message.get(OTHER_SUBJECT)), answer=self._at.in_context
                )
                follows_up = vague or together.intent == previous
                if follows_up and together.intent not in {OUT_OF_SCOPE, ASK_WHICH}:
                    return together
        if unsure and not elsewhere:
            return self._in_a_story(parts, readings) or alone
        return alone if unsure else self._decider.both(whole) or alone

    def _in_a_story(self, parts: list[Part], readings: list[Reading]) -> Decision | None:
        """The one question in a long story, when one of its parts is understood; and what else is asked about
        another subject, so that its silence is no yes: "I want my milia out, and do you do botox"."""
        clauses = self._decider.clauses(parts, readings[1 : 1 + len(parts)], readings[0])
        known = [clause for clause in clauses if clause[1] not in CHAT | {OUT_OF_SCOPE}]
        if not known:
            return None
        refused = [clause for clause in clauses if clause[1] == OUT_OF_SCOPE and other_subject(clause[0])]
        if refused:
            return Decision(SEVERAL, self._at.answer, clauses=(known[0], refused[0]))
        return Decision(known[0][1], self._at.answer)


def _is_phone(text: str) -> bool:
    details = read_details(text)
    return bool(details.phone and not details.rest)


def _of_a_baby(several: Decision) -> Decision:
    """What holds for adults is left out beside the answer on babies, unless it is asked of oneself."""
    clauses = tuple(
        (text, topic) for text, topic in several.clauses if topic not in OF_ADULTS or _MYSELF.search(text)
    )
    return replace(several, clauses=clauses) if len(clauses) > 1 else Decision("ask_baby", 1.0)


def _of_oneself(several: Decision, parts: list[Part]) -> Decision:
    """What holds for anybody is left out beside the answer on what somebody has, when both ask one thing:
    "I'm 20 weeks pregnant, can I have them removed?"."""
    told, own = next((clause for clause in several.clauses if clause[1] in OF_ONESELF), ("", ""))
    asked = [part.text for part in parts if part.asks]
    is_list = all(part.is_keyword for part in parts)
    if not own or len(asked) > 1 or is_list or _AND_IF.match(told):
        return several
    clauses = tuple(
        (text, topic)
        for text, topic in several.clauses
        if topic == own or (topic not in OF_ANYBODY and (topic not in SELF_CARE or text in asked))
    )
    return replace(several, clauses=clauses) if len(clauses) > 1 else Decision(own, 1.0)


def write(message: Message, decision: Decision) -> None:
    """Puts a decision into the properties that Rasa and the actions read."""
    intent, _, _ = decision.intent.partition("/")
    message.set(
        INTENT, {INTENT_NAME_KEY: intent, PREDICTED_CONFIDENCE_KEY: decision.confidence}, add_to_output=True
    )
    ranking = [
        {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: round(chance, 4)}
        for name, chance in decision.candidates
    ]
    message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
    message.set(
        "candidates",
        [{"name": name, "confidence": round(chance, 4)} for name, chance in decision.candidates],
        add_to_output=True,
    )
    if decision.clauses or message.get("clauses"):  # also those of a decision that is overruled
        clauses = [{"text": text, "intent": topic} for text, topic in decision.clauses]
        message.set("clauses", clauses, add_to_output=True)
    message.set(RESPONSE_SELECTOR, selected(decision), add_to_output=True)


def selected(decision: Decision) -> dict[str, Any]:
    """What Rasa's own response selector would say; always there, so that `utter_faq` finds its answer."""
    full = (
        decision.intent
        if "/" in decision.intent
        else next((n for n, _ in decision.candidates if "/" in n), "")
    )
    if not full:
        return {"all_retrieval_intents": ["faq"]}
    intent = full.partition("/")[0]
    return {
        "all_retrieval_intents": ["faq"],
        intent: {
            "response": {
                "responses": [],
                "confidence": decision.confidence,
                "intent_response_key": full,
                "utter_action": f"utter_{full}",
            },
            "ranking": [],
        },
    }
