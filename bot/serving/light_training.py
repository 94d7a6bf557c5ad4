"""What Rasa does in training for results that it doesn't keep here, left out: a third of the time.

Rasa copies and fingerprints every example ten times over on the way from the files to the components, and
once more after each of them, for a cache of its steps that is switched off here (bot/training.py says why).
"""

from __future__ import annotations

import os
from typing import Any

NO_CACHE = "RASA_MAX_CACHE_SIZE"  # Rasa's own variable, in MB


def lighten() -> None:
    """Make training lighter in this process; what it trains stays the same."""
    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

    # Equal examples still have equal hashes; Rasa's own is a digest of everything, made again at each use.
    Message.__hash__ = _hash_of
    TrainingData.merge = _merged
    if os.environ.get(NO_CACHE) == "0":
        from rasa.engine.training.hooks import TrainingHook

        TrainingHook.on_before_node = _nothing
        TrainingHook.on_after_node = _nothing


def _hash_of(message: Any) -> int:
    return hash((message.get("text"), message.get("intent")))


def _merged(self: Any, *others: Any) -> Any:
    """As Rasa's `TrainingData.merge`, without copying the examples: nobody goes on with the parts."""
    from rasa.shared.nlu.training_data import util
    from rasa.shared.nlu.training_data.training_data import TrainingData

    parts = [self, *(other for other in others if other)]
    synonyms: dict[str, str] = {}
    responses: dict[str, Any] = {}
    for part in parts:
        for text, synonym in part.entity_synonyms.items():
            util.check_duplicate_synonym(synonyms, text, synonym, "merging training data")
        synonyms.update(part.entity_synonyms)
        responses.update(part.responses)
    return TrainingData(
        [example for part in parts for example in part.training_examples],
        synonyms,
        [feature for part in parts for feature in part.regex_features],
        [table for part in parts for table in part.lookup_tables],
        responses,
    )


def _nothing(*_: Any, **__: Any) -> dict[str, Any]:
    return {}
