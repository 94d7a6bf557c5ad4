"""What replaces parts of Rasa does what they did."""

import ast
import copy
import inspect
from functools import partial
from typing import Any

import pytest
import rasa.core.actions.action
import rasa.core.processor
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.core.policies.policy import Policy
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot.serving import in_rasa, rules
from bot.serving.runner import FlatGraphRunner

RASAS_CALL_FORMAT = RemoteAction._action_call_format
RASAS_VALIDATION = RemoteAction._validate_action_result
RASAS_APPLIED_EVENTS = DialogueStateTracker.applied_events
RASAS_RESOLUTION = Event.resolve_by_type
RASAS_DEFAULT_ACTIONS = rasa.core.actions.action.default_actions

DOMAIN = Domain.from_dict(
    {"intents": ["greet"], "actions": [{"action_wide": {"send_domain": True}}, "action_narrow"]}
)


def conversation(turns: int) -> DialogueStateTracker:
    events: list[Any] = []
    for turn in range(turns):
        events += [
            ActionExecuted("action_listen"),
            UserUttered(f"turn {turn}", intent={"name": "greet", "confidence": 1.0}, input_channel="rest"),
            SlotSet("asked", turn),
            BotUttered("Hello."),
        ]
    return DialogueStateTracker.from_events("visitor", events)


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The replacements, for one test: what they replace is put back after it."""
    monkeypatch.setattr(rasa.core.processor, "DaskGraphRunner", rasa.core.processor.DaskGraphRunner)
    monkeypatch.setattr(RemoteAction, "_action_call_format", RASAS_CALL_FORMAT)
    monkeypatch.setattr(Event, "resolve_by_type", staticmethod(RASAS_RESOLUTION))
    monkeypatch.setattr(RemoteAction, "_validate_action_result", RASAS_VALIDATION)
    monkeypatch.setattr(RulePolicy, "_prediction_states", Policy._prediction_states)
    monkeypatch.setattr(RulePolicy, "_get_possible_keys", RulePolicy._get_possible_keys)
    monkeypatch.setattr(RulePolicy, "_find_action_from_rules", RulePolicy._find_action_from_rules)
    monkeypatch.setattr(rasa.core.actions.action, "default_actions", RASAS_DEFAULT_ACTIONS)
    monkeypatch.setattr(DialogueStateTracker, "applied_events", RASAS_APPLIED_EVENTS)
    for module in in_rasa.COPYING_FOR_THE_LOG:
        monkeypatch.setattr(module, "copy", copy)
    in_rasa.replace()


def test_the_replacements_are_used(replaced: None) -> None:
    assert rasa.core.processor.DaskGraphRunner is FlatGraphRunner
    assert RemoteAction("action_narrow", None)._action_call_format(conversation(30), DOMAIN)["tracker"][
        "events"
    ]
    assert RemoteAction("action_narrow", None)._validate_action_result({"events": []})
    assert RulePolicy._prediction_states is rules.prediction_states
    assert RulePolicy._get_possible_keys is rules.possible_keys
    assert RulePolicy._find_action_from_rules is rules.find_action
    assert rasa.core.actions.action.default_actions is in_rasa.default_actions
    source = inspect.getsource(rasa.core.processor.MessageProcessor._load_model)
    assert "DaskGraphRunner" in source, "Rasa no longer looks its runner up where we replace it"


def test_rasas_own_actions_are_made_once_for_each_endpoint() -> None:
    for endpoint in (None, EndpointConfig("http://one"), EndpointConfig("http://two")):
        ours, theirs = in_rasa.default_actions(endpoint), RASAS_DEFAULT_ACTIONS(endpoint)
        assert [type(action) for action in ours] == [type(action) for action in theirs]
        assert [vars(action) for action in ours] == [vars(action) for action in theirs]
        assert in_rasa.default_actions(endpoint) is ours


@pytest.mark.parametrize("action", ["action_narrow", "action_wide"])
@pytest.mark.parametrize("selective", [True, False])
def test_a_short_conversation_is_sent_as_rasa_sends_it(action: str, selective: bool) -> None:
    tracker = conversation(in_rasa.TURNS - 1)
    remote = RemoteAction(action, EndpointConfig(enable_selective_domain=selective))
    ours, theirs = in_rasa.call_format(remote, tracker, DOMAIN), RASAS_CALL_FORMAT(remote, tracker, DOMAIN)
    assert ours == theirs
    assert ("domain" in ours) is (action == "action_wide" or not selective)


def test_of_a_long_conversation_the_last_turns_are_sent() -> None:
    events = in_rasa.recent_events(conversation(500))
    assert [event["text"] for event in events if event["event"] == "user"] == [
        f"turn {turn}" for turn in range(500 - in_rasa.TURNS, 500)
    ]


@pytest.mark.parametrize(
    "result",
    [
        {"events": [], "responses": []},
        {
            "events": [{"event": "slot", "name": "a", "value": [1, None], "timestamp": None}],
            "responses": [{"text": "a"}],
        },
        {"events": [{"event": "followup", "name": "action_listen", "timestamp": None}, {"event": "restart"}]},
        {"events": [{"event": "slot"}]},
        {"events": [{"name": "a"}]},
        {"events": "none"},
        {"responses": ["text"]},
        [],
        None,
    ],
)
def test_answers_are_judged_as_rasa_judges_them(result: Any) -> None:
    rasas = partial(RASAS_VALIDATION, RemoteAction("action_narrow", None))

    def accepts(validate: Any) -> bool:
        try:
            return bool(validate(result))
        except ValidationError:
            return False

    assert accepts(in_rasa.validate_result) == accepts(rasas)


def test_events_are_found_as_rasa_finds_them() -> None:
    for _ in range(2):
        for kind in ("user", "slot", "action", "bot", "restart", "active_loop", "topic"):
            assert in_rasa.resolve_event(kind) is RASAS_RESOLUTION(kind)
        assert in_rasa.resolve_event("unheard_of", SlotSet) is SlotSet
        with pytest.raises(ValueError, match="unheard_of"):
            in_rasa.resolve_event("unheard_of")


def test_rasa_copies_for_its_log_alone() -> None:
    for module in in_rasa.COPYING_FOR_THE_LOG:
        tree = ast.parse(inspect.getsource(module))
        logged = {
            id(copied)
            for call in ast.walk(tree)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "structlogger.debug"
            for copied in ast.walk(call)
        }
        uses = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "copy"]
        assert uses and all(id(use) in logged for use in uses), module.__name__
