"""Says what models do with questions: `python -m bot.serving.judge`, spoken to in lines of JSON.

`{"load": path, "as": name}` loads a model; `{"ask": [text, ...], "of": name}` asks it, each question as the
first of a conversation. What staff settled for exact wordings is left out: only the model is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.answer_source import FixedAnswers, share
from bot.release_model import Answered, Outcome
from bot.serving.child import begin
from bot.serving.lines import asked

if TYPE_CHECKING:
    from bot.serving.processor import ServedProcessor

REFUSALS = frozenset({"out_of_scope", "other_language"})
AT_ONCE = 20
"""Questions between two words about how far it has come."""


def main() -> None:
    """Answers until stdin is closed."""
    say, settings = begin("judge")
    share(settings, FixedAnswers())
    models: dict[str, ServedProcessor] = {}
    for line in asked():
        try:
            if "load" in line:
                models[line["as"]] = load(line["load"])
                say({"loaded": line["as"]})
                continue
            model, texts, outcomes = models[line["of"]], line["ask"], []
            for number, text in enumerate(texts):
                outcome = outcome_of(parsed(model, text))
                outcomes.append({"kind": outcome.kind.value, "intents": outcome.intents})
                if number % AT_ONCE == AT_ONCE - 1:
                    say({"done": number + 1})
            say({"outcomes": outcomes})
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


def load(path: str) -> ServedProcessor:
    """The model of an archive, ready to understand messages."""
    from rasa.core.lock_store import InMemoryLockStore
    from rasa.core.nlg import TemplatedNaturalLanguageGenerator
    from rasa.core.tracker_store import InMemoryTrackerStore
    from rasa.shared.core.domain import Domain

    from bot.serving import in_rasa
    from bot.serving.processor import ServedProcessor

    in_rasa.replace()
    trackers = InMemoryTrackerStore(Domain.empty())
    return ServedProcessor(path, trackers, InMemoryLockStore(), TemplatedNaturalLanguageGenerator({}))


def parsed(model: ServedProcessor, text: str) -> dict[str, Any]:
    """What the model understands of the first message of a conversation."""
    from rasa.core.channels.channel import UserMessage
    from rasa.shared.core.trackers import DialogueStateTracker

    tracker = DialogueStateTracker.from_events("judge", [])
    found: dict[str, Any] = model._parse_message_with_graph(UserMessage(text, sender_id="judge"), tracker)
    model._update_full_retrieval_intent(found)
    return found


def outcome_of(parse_data: dict[str, Any]) -> Outcome:
    """What it does with a message that it understood so."""
    intent = parse_data["intent"]
    name = str(intent.get("full_retrieval_intent_name") or intent.get("name") or "out_of_scope")
    if name == "nlu_fallback":
        return Outcome(Answered.ASKS, tuple(one["name"] for one in parse_data.get("candidates") or ()))
    if name == "several_questions":
        return Outcome(Answered.TOPIC, tuple(one["intent"] for one in parse_data.get("clauses") or ()))
    return Outcome(Answered.REFUSES if name in REFUSALS else Answered.TOPIC, (name,))


if __name__ == "__main__":
    main()
