"""Reads a follow-up ("how long?", "and around the eyes?") together with what the conversation was about."""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.components.spelling_corrector import CORRECTED

PREVIOUS_TOPIC = "previous_topic"  # message property: what the visitor was last told about
IN_CONTEXT = "in_context"  # message property: the message as a question that stands by itself
REFUSED_BEFORE = "refused_before"  # message property: what "it" is when the message before was not known
ELLIPTICAL = "elliptical"  # message property: whether it hardly says anything by itself

# What "it" is after a topic, and the question that a fragment ("around the eyes?") goes on with.
_SUBJECTS: dict[str, tuple[str, str]] = {
    "faq/pain": ("milia removal", "does milia removal hurt"),
    "faq/procedure": ("milia removal", "what happens when milia are removed"),
    "faq/removal": ("milia removal", "how are milia removed"),
    "faq/effective": ("milia removal", "does milia removal work"),
    "faq/recovery": ("the skin after milia removal", "how long is the recovery after milia removal"),
    "faq/aftercare": ("the skin after milia removal", "what do i do after milia removal"),
    "faq/who_removes": ("milia removal", "who removes milia"),
    "faq/products": ("the moisturiser", "which moisturiser do you recommend"),
    "faq/skin_types": ("the moisturiser", "does the moisturiser suit skin that is"),
    "faq/exfoliation": ("the scrub", "which exfoliating scrub"),
    "faq/omega3": ("fish oil", "does fish oil help milia"),
    "faq/squeeze": ("squeezing milia", "can i squeeze milia"),
    "faq/home_remedies": ("a home treatment for milia", "does it get rid of milia:"),
    "faq/skin_diagnosis": ("a skin diagnosis", "what is a skin diagnosis"),
    "faq/about_clinic": ("the clinic", "tell me about the clinic"),
    "faq/location": ("milia", "do you get milia"),
    "faq/causes": ("milia", "what causes milia"),
    "faq/prevention": ("milia", "how do i prevent milia"),
    "book_appointment": ("the appointment", "can i book an appointment"),
    "ask_discount": ("the discount code", "do you have a discount"),
    "ask_policy": ("the discount or the appointment", "what are your terms"),
    "ask_payment": ("the gift card or refund", "how can i pay"),
    "ask_hours": ("the clinic", "when are you open"),
    "ask_location": ("the clinic", "where are you located"),
    "ask_hygiene": ("the needle", "are your needles sterile"),
    "ask_privacy": ("what i type", "do you keep what i type"),
    "ask_photo": ("the photo", "can i send a photo"),
    "ask_price": ("milia removal", "how much does it cost"),
    "ask_scarring": ("milia removal", "does milia removal leave scars"),
    "ask_other_method": ("milia removal", "do you use"),
    "ask_before_visit": ("the appointment", "what should i do before the appointment"),
    "ask_cream_cause": ("eye cream", "does it cause milia:"),
    "ask_lookalike": ("milia and a stye", "how do i tell milia from other lumps like"),
    "ask_baby": ("milia on my baby", "my baby has milia"),
    "ask_medical": ("a sore bleeding lump", "i have a sore bleeding lump"),
    "emergency": ("the swelling in my throat", "my throat is swelling"),
}
_DEFAULT_SUBJECT = ("milia", "what about milia")
_SMALL_TALK = {
    "greet", "thank", "affirm", "deny", "goodbye", "bot_challenge", "ask_help", "out_of_scope",
    "nlu_fallback", "none_of_these",
    "give_details", "other_language",
}  # fmt: skip
_PRONOUN = re.compile(r"\b(it|they|them|that|this|those|these|one)\b")
_CONTINUES = re.compile(
    r"^(?:ok(?:ay)?|oh|right|so|hmm|yes|no)?[ ,.]*(?:and|what about|how about|what if|or|but|then)\b"
    r"|^(?:no[ ,.]*)?i meant?\b|^no[ ,.]*the\b"
)
_CORRECTED_AWAY = re.compile(r"[ ,]*\bnot (?:the|a|an) [\w ]+$")
_FRAGMENT = re.compile(
    r"^(?:and|or|but|what about|how about|also|even|only|just|especially)?\s*(?:the\s+)?"
    r"(?:around|on|near|under|for|in|at|with|after|before)\b"
)
# "What about the other one?": the question that was answered, asked again of something beside it.
_ANOTHER = re.compile(r"\b(?:the|that) other (?:ones?|products?|creams?|kinds?|options?|brands?)\b")
# Said of oneself, it may be what the answer before has to fit: "I'm vegan", "my skin is oily though".
_OF_ONESELF = re.compile(r"^(?:but |and |well )?(?:i'm|i am|i have|i've got|i don't|i do not|my skin)\b")
_QUESTION = re.compile(r"^(?:how|why|when|where|who|which|what|is|are|does|do|can|will|would|should)\b")
MOST_WORDS = 8


def subject_of(topic: str) -> tuple[str, str]:
    """What "it" means after a topic, and the question it answered."""
    return _SUBJECTS.get(topic, _DEFAULT_SUBJECT)


def in_context(text: str, topic: str) -> str | None:
    """A follow-up as a question that stands by itself; None for a text that already does.

    Args:
        text: corrected, in lower case.
        topic: what the visitor was last told about.
    """
    plain = text.strip(" ?!.")
    words = plain.split()
    if not words or len(words) > MOST_WORDS:
        return None
    subject, question = subject_of(topic)
    if _ANOTHER.search(plain):
        return question if topic in _SUBJECTS else None
    if _FRAGMENT.match(plain) or (_CONTINUES.match(plain) and not _PRONOUN.search(plain)):
        rest = re.sub(
            r"^(?:ok(?:ay)?|oh|so|no)?[ ,.]*(?:i meant?)?\s*(?:and|or|but|then|also)?\s*"
            r"(?:what about|how about|what if)?\s*",
            "",
            _CORRECTED_AWAY.sub("", plain),
        )
        return f"{question} {rest}" if rest else question
    if _PRONOUN.search(plain):
        return _PRONOUN.sub(subject, plain, count=1)
    if _QUESTION.match(plain) and len(words) <= 5:
        return f"{plain} {subject}"
    if _OF_ONESELF.match(plain):
        return f"{question}, {plain}"
    return None


def is_elliptical(text: str) -> bool:
    """Whether a text doesn't mean much, or something else, without what came before."""
    plain = text.strip(" ?!.")
    return bool(_FRAGMENT.match(plain) or _ANOTHER.search(plain)) or len(plain.split()) <= 3


def leans_on_context(text: str) -> bool:
    """Whether a text means something else after another topic ("does it hurt?", "how long?")."""
    plain = text.lower().strip(" ?!.")
    leans = _FRAGMENT.match(plain) or _CONTINUES.match(plain) or _PRONOUN.search(plain)
    return bool(leans) or len(plain.split()) <= 2


def previous_topic(tracker: DialogueStateTracker, look_back: int) -> str | None:
    """The last topic, within some messages, that was more than small talk."""
    seen = 0
    for event in reversed(tracker.events):
        if isinstance(event, ActionExecuted) and event.action_name == "action_session_start":
            return None
        if isinstance(event, UserUttered):
            seen += 1
            topic = topic_of(event.parse_data)
            if topic == "several_questions":
                clauses = event.parse_data.get("clauses") or [{}]
                topic = clauses[-1].get("intent")
            if topic and topic not in _SMALL_TALK:
                return str(topic)
            if seen >= look_back:
                return None
    return None


def refused_before(tracker: DialogueStateTracker) -> str | None:
    """The visitor's last message, if the bot didn't know what to say to it."""
    last = next((event for event in reversed(tracker.events) if isinstance(event, UserUttered)), None)
    return str(last.text) if last and topic_of(last.parse_data) == "out_of_scope" else None


def topic_of(parse_data: Any) -> str:
    """The intent of parse data with its sub-topic."""
    name = (parse_data.get("intent") or {}).get("name") or ""
    selected = ((parse_data.get("response_selector") or {}).get(name) or {}).get("response") or {}
    return str(selected.get("intent_response_key") or name)


@DefaultV1Recipe.register([DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER], is_trainable=False)
class ContextReader(GraphComponent):
    """Sets `previous_topic` and, for follow-ups, `in_context` or `refused_before`."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The component's settings in config.yml."""
        return {
            # Messages back to look for a topic. Raising it lets "and the price?" refer to older answers.
            "look_back": 3,
        }

    def __init__(self, config: dict[str, Any]) -> None:
        self._look_back: int = config["look_back"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ContextReader:
        """Creates a new component (see parent class for full docstring)."""
        return cls(config)

    def process(self, messages: list[Message], tracker: DialogueStateTracker) -> list[Message]:
        """Reads incoming messages in the light of the conversation."""
        for message in messages:
            topic = previous_topic(tracker, self._look_back)
            text = (message.get(CORRECTED) or message.get(TEXT) or "").lower()
            if topic is None and _PRONOUN.search(text) and len(text.split()) <= MOST_WORDS:
                message.set(REFUSED_BEFORE, refused_before(tracker))
            if topic is None or not text:
                continue
            message.set(PREVIOUS_TOPIC, topic)
            reading = in_context(text, topic)
            if reading:
                message.set(IN_CONTEXT, reading)
                message.set(ELLIPTICAL, is_elliptical(text))
        return messages
