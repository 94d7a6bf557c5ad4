"""What rules make of a message, remembered: most get their reply by one that looks no further back."""

from __future__ import annotations

from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RULES, RulePolicy
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    DefinePrevUserUtteredFeaturization,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.serving.rules import Index

Since = tuple[str, tuple[str, ...]]
"""The intent of the latest message, and the actions since."""

_OF_A_TURN = (ActionExecuted, BotUttered, DefinePrevUserUtteredFeaturization, SlotSet)


class Predictions:
    """The predictions of a model whose only policy is this one, by what happened since the latest message.

    Nothing is remembered where anything else can matter: in a loop, after an action that was rejected or
    undone, for a rule that looks back beyond the message, in a domain whose slots influence conversations.
    """

    def __init__(self, policy: RulePolicy, domain: Domain) -> None:
        self._index = Index(policy.lookup[RULES])
        self._usable = not any(slot.has_features() for slot in domain.slots)
        self._known: dict[Since, PolicyPrediction] = {}

    def recall(self, tracker: DialogueStateTracker) -> PolicyPrediction | None:
        """The prediction for this conversation, if it is known."""
        since = self._since(tracker)
        known = self._known.get(since) if since else None
        if known is None:
            return None
        return PolicyPrediction(
            known.probabilities,
            known.policy_name,
            known.policy_priority,
            [DefinePrevUserUtteredFeaturization(event.use_text_for_featurization) for event in known.events],
            hide_rule_turn=known.hide_rule_turn,
        )

    def remember(self, tracker: DialogueStateTracker, prediction: PolicyPrediction) -> None:
        """Keeps what was predicted for this conversation, where it holds for others too."""
        since = self._since(tracker)
        plain = all(type(event) is DefinePrevUserUtteredFeaturization for event in prediction.events)
        if since and plain and not prediction.is_end_to_end_prediction:
            self._known[since] = prediction

    def _since(self, tracker: DialogueStateTracker) -> Since | None:
        """None where it is not all that matters."""
        message = tracker.latest_message
        if not self._usable or tracker.active_loop or message is None or message.entities:
            return None
        intent, actions = message.intent.get("name"), _actions_since_message(tracker)
        if not intent or actions is None:
            return None
        latest = actions[-1] if actions else ACTION_LISTEN_NAME
        return (intent, actions) if self._index.looks_back(latest, intent) <= len(actions) + 1 else None


def _actions_since_message(tracker: DialogueStateTracker) -> tuple[str, ...] | None:
    """None after anything but what a turn usually consists of."""
    actions: list[str] = []
    events = reversed(tracker.events)
    for event in events:
        if isinstance(event, UserUttered):
            break
        if not isinstance(event, _OF_A_TURN):
            return None
        if isinstance(event, ActionExecuted):
            actions.append(event.action_name)
    before = next(events, None)
    listened = isinstance(before, ActionExecuted) and before.action_name == ACTION_LISTEN_NAME
    return tuple(actions[::-1]) if listened else None
