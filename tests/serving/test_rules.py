"""What is remembered for RulePolicy gives what Rasa itself works out."""

from typing import Any

import pytest
from rasa.core.policies.policy import Policy
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.serving import rules
from tests.serving.conversations import conversation
from tests.serving.small_rules import DOMAIN, trained_policy

RASAS_STATES = Policy._prediction_states
RASAS_KEYS = RulePolicy._get_possible_keys
RASAS_ACTION = RulePolicy._find_action_from_rules


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[RulePolicy, Domain]:
    return trained_policy(tmp_path_factory.mktemp("rules"))


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RulePolicy, "_prediction_states", rules.prediction_states)
    monkeypatch.setattr(RulePolicy, "_get_possible_keys", rules.possible_keys)


def found(policy: RulePolicy, tracker: DialogueStateTracker, domain: Domain) -> Any:
    prediction, source = policy._predict(tracker, domain)
    return prediction.probabilities, prediction.events, prediction.hide_rule_turn, source


@pytest.mark.parametrize("seed", range(15))
def test_predictions_are_rasas_own(
    seed: int, trained: tuple[RulePolicy, Domain], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, domain = trained
    predicted = set()
    for tracker in conversation(seed, domain):
        monkeypatch.setattr(RulePolicy, "_prediction_states", RASAS_STATES)
        monkeypatch.setattr(RulePolicy, "_get_possible_keys", RASAS_KEYS)
        monkeypatch.setattr(RulePolicy, "_find_action_from_rules", RASAS_ACTION)
        expected = found(policy, tracker, domain)
        monkeypatch.setattr(RulePolicy, "_prediction_states", rules.prediction_states)
        monkeypatch.setattr(RulePolicy, "_get_possible_keys", rules.possible_keys)
        monkeypatch.setattr(RulePolicy, "_find_action_from_rules", rules.find_action)
        actual = found(policy, tracker, domain)
        assert actual[:3] == expected[:3]
        # Rasa names a state that no rule knows by all of its history.
        if expected[3] in policy.lookup["rules"] or not expected[3].startswith("["):
            assert actual[3] == expected[3]
        else:
            assert actual[3] not in policy.lookup["rules"]
        predicted.add(tuple(expected[0]))
    assert len(predicted) > 2


@pytest.mark.usefixtures("remembering")
def test_a_long_conversation_is_not_replayed(
    trained: tuple[RulePolicy, Domain], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, domain = trained
    tracker = DialogueStateTracker.from_events("visitor", [], slots=domain.slots)
    looked_at = []
    get_active_state = domain.get_active_state
    monkeypatch.setattr(
        domain,
        "get_active_state",
        lambda *args, **kwargs: looked_at.append(1) or get_active_state(*args, **kwargs),
    )
    for _ in range(50):
        tracker.update(ActionExecuted("action_listen"))
        tracker.update(UserUttered("how much", {"name": "price"}))
        looked_at.clear()
        prediction, _ = policy._predict(tracker, domain)
        assert domain.action_names_or_texts[prediction.max_confidence_index] == "utter_price"
        assert len(looked_at) < 5


@pytest.mark.usefixtures("remembering")
def test_another_domain_begins_anew(trained: tuple[RulePolicy, Domain]) -> None:
    policy, domain = trained
    tracker = DialogueStateTracker.from_events(
        "visitor",
        [ActionExecuted("action_listen"), UserUttered("how much", {"name": "price"})],
        slots=domain.slots,
    )
    states = policy._prediction_states(tracker, domain)
    assert policy._prediction_states(tracker, Domain.from_yaml(DOMAIN)) == states
