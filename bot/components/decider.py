"""The decision on a text, without Rasa: is it known, which topic is it, does it ask several things?"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

from bot.components.clause_splitter import Part
from bot.components.other_subjects import other_subject
from bot.components.topic_classifier import Reading

OUT_OF_SCOPE, ASK_WHICH, SEVERAL, OTHER_LANGUAGE = (
    "out_of_scope",
    "nlu_fallback",
    "several_questions",
    "other_language",
)
CHAT = frozenset({"greet", "thank", "goodbye", "affirm", "deny", "none_of_these"})
_LEADS = frozenset({"greet", "affirm", "deny", "goodbye"})  # said before a question, not asked
_BEYOND_DOUBT = 0.9
_LIKELY = 0.75
_BY_ITSELF = 0.92
_SHORT = 8  # words
_SURELY_UNKNOWN = 0.2  # certainty below which one of several questions is admitted not to be known
_LONG = 35  # words from which a message is a story, of which few sentences are questions
_STORY = 0.25  # by how much more probable a part of a story has to be
_UNHEARD = 0.008  # least probability that the whole message gives to what a part of it asks
_HINTED = 0.03  # from which a part has to be less plain:
_PLAIN = 0.6
_JOINED = re.compile(  # a text that may ask two things
    r",|\b(?:and|or|so|if|whether|then|but|to see)\b"
    r"|^(?:\S+ ){3,}(?:is|are|do|does|can|will) (?:you|i|it|they|we)\b"
)
_NO_WISH = re.compile(  # "I don't want to book", "that's not what I asked"
    r"\b(?:don'?t|do not|not) (?:want|need|wanna)\b|\bnot what i\b|\bdid(?:n'?t| not) (?:answer|ask)\b"
)
_EVEN = 0.4  # probability of each of two topics that are both meant
_OFFERED = 0.08  # least probability of a topic that "did you mean" offers


@dataclass(frozen=True)
class Certainty:
    """How sure it is that a text is known: logistic regression on five measures, fitted on messages that
    nobody trained on (`python -m benchmarks.thresholds`); the classifier's own probability doesn't tell.

    The measures: log probability of the likeliest topic, with its family; log probability of out_of_scope;
    mean cosine to the nearest examples of the topic; evidence for any topic at all; whether the text names
    another subject.
    """

    bias: float
    topic: float
    out_of_scope: float
    nearness: float
    evidence: float
    other_subject: float

    def of(self, probability: float, out_of_scope: float, reading: Reading, other_subject: bool) -> float:
        """Between 0 and 1."""
        z = (
            self.bias
            + self.topic * math.log(probability + 1e-4)
            + self.out_of_scope * math.log(out_of_scope + 1e-3)
            + self.nearness * reading.nearness
            + self.evidence * reading.evidence
            + self.other_subject * other_subject
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


@dataclass(frozen=True)
class Thresholds:
    """Where the line runs; see `AnswerDecider.get_default_config`."""

    answer: float
    ask: float
    clear: float
    part: float
    weak_part: float
    in_context: float
    standing_alone: float
    safety: float
    safety_in_part: float
    elsewhere: float


@dataclass(frozen=True)
class Decision:
    """The intent of a message; its parts for several questions; the candidates that it was chosen from."""

    intent: str
    confidence: float
    clauses: tuple[tuple[str, str], ...] = ()  # (text, intent)
    candidates: tuple[tuple[str, float], ...] = ()


class Decider:
    """Decides on readings.

    Args:
        families: topics whose answers say much the same: doubt between them is no reason to ask.
    """

    def __init__(self, certainty: Certainty, thresholds: Thresholds, families: list[list[str]]) -> None:
        self._certainty = certainty
        self._at = thresholds
        self._families = [tuple(family) for family in families]
        self._family = {topic: family for family in self._families for topic in family}

    def one(self, reading: Reading, other_subject: bool = False, answer: float | None = None) -> Decision:
        """What to do with a text that asks one thing. `answer` stands in for the threshold of that name."""
        topic, probability, certainty = self.best(reading, other_subject)
        candidates = reading.topics[:3]
        offers = tuple(
            (name, chance)
            for name, chance in reading.topics[:4]
            if name != OUT_OF_SCOPE and name not in CHAT and chance > _OFFERED
        )[:3]
        known = certainty >= (self._at.answer if answer is None else answer)
        clear = probability >= self._at.clear or len(offers) < 2 or answer is not None
        if known and clear:
            return Decision(topic, certainty, candidates=candidates)
        if certainty >= self._at.ask and len(offers) > 1 and not other_subject:
            return Decision(ASK_WHICH, certainty, candidates=offers)
        return Decision(OUT_OF_SCOPE, 1 - certainty, candidates=candidates)

    def best(self, reading: Reading, other_subject: bool = False) -> tuple[str, float, float]:
        """The likeliest topic that could be answered, its probability with that of its family, and how sure
        it is that the text is known at all."""
        # Of the topics without a family only the likeliest can be it.
        alone = (name for name, _ in reading.topics if name not in self._family and name != OUT_OF_SCOPE)
        rivals = [*((name,) for name in islice(alone, 1)), *self._families]
        total, best = max(((reading.total(family), family) for family in rivals), key=itemgetter(0))
        topic = max(best, key=reading.probability)
        unknown = reading.probability(OUT_OF_SCOPE)
        return topic, total, self._certainty.of(total, unknown, reading, other_subject)

    def several(
        self, parts: list[Part], readings: list[Reading], whole: Reading, unsure: bool
    ) -> Decision | None:
        """What to do with a message that may ask several things; None when it asks one.

        Args:
            unsure: the whole message is not known: then two of its parts have to be. Otherwise what it is
                about is answered too, even when no part of it asks that by itself.
        """
        clauses = self.clauses(parts, readings, whole, is_known=not unsure)
        known = [topic for _, topic in clauses if topic != OUT_OF_SCOPE]
        asked = {text for text, topic in clauses if topic != OUT_OF_SCOPE}
        if len(clauses) < 2 or set(known) <= CHAT or (unsure and len(asked) < 2):
            return None
        topic = self.best(whole)[0]
        if not unsure and topic not in CHAT and not any(self._akin(topic, each) for each in known):
            clauses = ((whole.text, topic), *clauses)
        return Decision(SEVERAL, 1.0, clauses=clauses)

    def clauses(
        self, parts: list[Part], readings: list[Reading], whole: Reading, is_known: bool = False
    ) -> tuple[tuple[str, str], ...]:
        """The parts that ask something, each with its topic; of those with the same answer the first.

        Args:
            is_known: the whole message is known; then less certainty is needed, and a question that is plain
                by itself needs no hint in it.
        """
        answer = self._at.ask if is_known else self._at.answer
        is_list = all(part.is_keyword for part in parts)
        more = _STORY if sum(len(part.text.split()) for part in parts) > _LONG else 0.0
        found: dict[tuple[str, ...], tuple[str, str]] = {}
        for part, alone in zip(parts, readings, strict=True):
            words, elsewhere = len(part.text.split()), bool(other_subject(part.text))
            # "Remove my milia, and do you do botox": the one says nothing about the other.
            reading = alone if elsewhere else alone.in_light_of(whole)
            topic, probability, certainty = self.best(reading, elsewhere)
            hint = whole.total(self._kin(topic))
            needed = more + (self._at.part if hint >= _HINTED else _PLAIN)
            known = certainty >= answer and probability >= needed and (hint >= _UNHEARD or topic in CHAT)
            if is_known and not known and part.asks and part.strong:
                own, chance, sure = self.best(alone, elsewhere)
                if chance >= _BY_ITSELF and sure >= _BEYOND_DOUBT and own not in CHAT:
                    topic, probability, known = own, chance, True
            if topic in _LEADS:
                known = topic == "greet" and not found and words > 2
            if known and (is_list or _counts(part, topic, probability)):
                for each in self._even(reading) or (topic,):
                    found.setdefault(self._kin(each), (part.text, each))
            elif part.asks and part.strong and (elsewhere or (certainty < _SURELY_UNKNOWN and words > 4)):
                found.setdefault((OUT_OF_SCOPE,), (part.text, OUT_OF_SCOPE))
        return tuple(found.values())

    def both(self, reading: Reading) -> Decision | None:
        """Both topics that a text is about, when it is about two: "can I send a photo so you can tell me if
        it's a stye"; None when one of them is likelier."""
        topics = self._even(reading) if _JOINED.search(reading.text) else ()
        return (
            Decision(SEVERAL, 1.0, clauses=tuple((reading.text, each) for each in topics)) if topics else None
        )

    def _even(self, reading: Reading) -> tuple[str, ...]:
        """The two topics of a text that are about equally likely; none when one is likelier."""
        (first, _), (second, chance) = reading.topics[:2]
        if chance < _EVEN or {first, second} & (CHAT | {OUT_OF_SCOPE}) or self._akin(first, second):
            return ()
        return first, second

    def _akin(self, one: str, other: str) -> bool:
        return other in self._kin(one)

    def _kin(self, topic: str) -> tuple[str, ...]:
        """The family of a topic; itself when it has none."""
        return self._family.get(topic) or (topic,)


def _counts(part: Part, topic: str, probability: float) -> bool:
    """Whether a part is a question of its own. A statement mostly tells what the question is about; it is one
    when it tells of a symptom, when it clearly wishes for something, or when it is short and beyond doubt."""
    if topic == "book_appointment" and _NO_WISH.search(part.text):
        return False
    if part.asks or topic in {"greet", "thank", "ask_medical"}:
        return True
    if topic == "ask_help":  # "I have three questions" needs no list of what may be asked
        return False
    if topic in {"contact_human", "book_appointment"}:
        return probability >= _LIKELY and not _NO_WISH.search(part.text)
    needed = _BEYOND_DOUBT if part.tells and not topic.startswith("ask_") else _LIKELY
    return len(part.text.split()) <= _SHORT and probability >= needed
