"""What is remembered of predictions is what Rasa predicts, and nothing is remembered where more can matter."""

from pathlib import Path

import pytest
from rasa.core.policies.ensemble import DefaultPolicyPredictionEnsemble
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    BotUttered,
    DefinePrevUserUtteredFeaturization,
    Event,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.serving.predictions import Predictions
from tests.serving.conversations import conversation
from tests.serving.small_rules import DOMAIN, RULES, trained_policy

WITHOUT_INFLUENCE = (
    DOMAIN.replace("type: text,", "type: text, influence_conversation: false,")
    .replace("type: text\n", "type: text\n    influence_conversation: false\n")
    .replace("{type: bool,", "{type: bool, influence_conversation: false,")
)
WITHOUT_CONDITION = (
    RULES.partition("- rule: members")[0] + "- rule: begin" + RULES.partition("- rule: begin")[2]
)


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> tuple[RulePolicy, Domain]:
    return trained_policy(tmp_path_factory.mktemp("ruled"), WITHOUT_INFLUENCE, WITHOUT_CONDITION)


def predicted(policy: RulePolicy, domain: Domain, tracker: DialogueStateTracker) -> PolicyPrediction:
    """What Rasa predicts."""
    own, _ = policy._predict(tracker, domain)
    return DefaultPolicyPredictionEnsemble().combine_predictions([own], tracker, domain)


def facts(prediction: PolicyPrediction) -> tuple[object, ...]:
    return (
        prediction.probabilities, prediction.policy_name, prediction.policy_priority, prediction.events,
        prediction.hide_rule_turn, prediction.is_end_to_end_prediction, prediction.is_no_user_prediction,
    )  # fmt: skip


def after(*events: Event) -> DialogueStateTracker:
    return DialogueStateTracker.from_events("visitor", list(events))


LISTENS = ActionExecuted("action_listen")
ASKS = UserUttered("how much", {"name": "price"})
REPLIES = (DefinePrevUserUtteredFeaturization(False), ActionExecuted("utter_price"), BotUttered("No."))


def test_in_any_conversation_it_is_what_rasa_predicts(ruled: tuple[RulePolicy, Domain]) -> None:
    policy, domain = ruled
    remembered, recalled = Predictions(policy, domain), 0
    for seed in range(30):
        for tracker in conversation(seed, domain):
            expected = predicted(policy, domain, tracker)
            found = remembered.recall(tracker)
            if found is not None:
                recalled += 1
                assert facts(found) == facts(expected)
            remembered.remember(tracker, expected)
    assert recalled > 100


def test_a_turn_is_remembered_from_its_message_on(ruled: tuple[RulePolicy, Domain]) -> None:
    policy, domain = ruled
    remembered = Predictions(policy, domain)
    for events in ((), REPLIES, (*REPLIES, ActionExecuted("action_record"))):
        tracker = after(LISTENS, ASKS, *events)
        assert remembered.recall(tracker) is None
        expected = predicted(policy, domain, tracker)
        remembered.remember(tracker, expected)
        other = after(LISTENS, UserUttered("hi", {"name": "greet"}), LISTENS, ASKS, *events)
        found = remembered.recall(other)
        assert found is not None
        assert facts(found) == facts(expected)
        assert all(mine is not theirs for mine, theirs in zip(found.events, expected.events, strict=True))


@pytest.mark.parametrize(
    "events",
    [
        (ASKS,),  # nobody listened
        (LISTENS, ASKS, ActionExecuted("call_form"), ActiveLoop("call_form")),
        (LISTENS, ASKS, ActionExecutionRejected("utter_price")),
        (LISTENS, ASKS, *REPLIES, LISTENS, ASKS, UserUtteranceReverted()),
        (LISTENS, UserUttered("Jane", {"name": "price"}, [{"entity": "name", "value": "Jane"}])),
        (LISTENS, UserUttered("hm", {"name": None})),
        (LISTENS,),
        (),
    ],
)
def test_nothing_is_remembered_where_more_can_matter(
    events: tuple[Event, ...], ruled: tuple[RulePolicy, Domain]
) -> None:
    policy, domain = ruled
    remembered = Predictions(policy, domain)
    tracker = after(*events)
    remembered.remember(tracker, predicted(policy, domain, tracker))
    assert not remembered._known


def test_nor_for_a_rule_that_looks_further_back(ruled: tuple[RulePolicy, Domain]) -> None:
    policy, domain = ruled
    remembered = Predictions(policy, domain)
    first = after(LISTENS, UserUttered("hi", {"name": "greet"}))  # a rule greets who begins with it
    remembered.remember(first, predicted(policy, domain, first))
    assert not remembered._known


def test_nor_where_slots_influence_conversations(tmp_path: Path) -> None:
    policy, domain = trained_policy(tmp_path)
    remembered = Predictions(policy, domain)
    tracker = after(LISTENS, ASKS)
    remembered.remember(tracker, predicted(policy, domain, tracker))
    assert not remembered._known
