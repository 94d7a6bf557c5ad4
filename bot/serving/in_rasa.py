"""What is put in the place of Rasa's own parts when it serves. Rasa's files stay as they are.

tests/serving/test_in_rasa.py holds each replacement against the part that it replaces.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import rasa
import rasa.core.actions.action
import rasa.core.actions.forms
import rasa.core.policies.rule_policy
import rasa.core.processor
from jsonschema import Draft7Validator  # type: ignore[import-untyped, unused-ignore]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped, unused-ignore]
from rasa.core.actions.action import Action, RemoteAction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.utils.endpoints import EndpointConfig

from bot.serving import rules, trackers
from bot.serving.runner import FlatGraphRunner

_rasas_resolve = Event.resolve_by_type
_rasas_default_actions = rasa.core.actions.action.default_actions

TURNS = 20
"""How many of a conversation's last turns a custom action is shown, so that its cost doesn't grow with it."""

COPYING_FOR_THE_LOG = (rasa.core.processor, rasa.core.policies.rule_policy, rasa.core.actions.forms)
"""Modules of Rasa that copy events and states for their log, even when nothing is logged; nothing else."""


class NoCopies:
    """In the place of Python's `copy` in these modules. What is logged is written out at once."""

    @staticmethod
    def deepcopy(value: Any) -> Any:
        return value


def replace() -> None:
    """Put the replacements in place; calling it again is harmless."""
    rasa.core.processor.DaskGraphRunner = FlatGraphRunner
    RemoteAction._action_call_format = call_format
    RemoteAction._validate_action_result = staticmethod(validate_result)
    Event.resolve_by_type = staticmethod(resolve_event)
    RulePolicy._prediction_states = rules.prediction_states
    RulePolicy._get_possible_keys = rules.possible_keys
    RulePolicy._find_action_from_rules = rules.find_action
    rasa.core.actions.action.default_actions = default_actions
    DialogueStateTracker.applied_events = trackers.applied_events
    DialogueStateTracker.copy = trackers.duplicate
    for module in COPYING_FOR_THE_LOG:
        module.copy = NoCopies


def call_format(action: RemoteAction, tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
    """The call for a custom action; Rasa's own method sends every event of the conversation."""
    call = {
        "next_action": action.name(),
        "sender_id": tracker.sender_id,
        "tracker": {**tracker.current_state(EventVerbosity.NONE), "events": recent_events(tracker)},
        "version": rasa.__version__,
    }
    if not action._is_selective_domain_enabled() or domain.does_custom_action_explicitly_need_domain(
        action.name()
    ):
        call["domain"] = domain.as_dict()
    return call


def recent_events(tracker: DialogueStateTracker) -> list[dict[str, Any]]:
    """The events of the last `TURNS` turns, oldest first."""
    recent: list[dict[str, Any]] = []
    turns = 0
    for event in reversed(tracker.events):
        recent.append(event.as_dict())
        turns += isinstance(event, UserUttered)
        if turns == TURNS:
            break
    return recent[::-1]


def default_actions(action_endpoint: EndpointConfig | None = None) -> list[Action]:
    """Rasa's actions, which hold no state; its own function makes all of them at every look for any."""
    known = _defaults.get(id(action_endpoint))
    if known is None:
        # With the endpoint, so that its id is nobody else's.
        known = _defaults[id(action_endpoint)] = (action_endpoint, _rasas_default_actions(action_endpoint))
    return known[1]


_defaults: dict[int, tuple[EndpointConfig | None, list[Action]]] = {}


def validate_result(result: Any) -> bool:
    """Checks a custom action's answer; Rasa's own method checks the schema too, at every call."""
    error = best_match(_validator().iter_errors(result))
    if error is not None:
        raise error
    return True


def resolve_event(type_name: str, default: type[Event] | None = None) -> type[Event] | None:
    """The class of an event; Rasa's own method walks through all classes for each event that it reads."""
    found = _events.get(type_name)
    if found is None:
        found = _rasas_resolve(type_name, default)
        if found is not None and found.type_name == type_name:
            _events[type_name] = found
    return found


_events: dict[str, type[Event]] = {}


@cache
def _validator() -> Draft7Validator:
    return Draft7Validator(RemoteAction.action_response_format_spec())
