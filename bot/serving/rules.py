"""What Rasa's RulePolicy works out for every prediction, remembered instead: its results are the same.

Rasa's own replays the whole conversation, twice, and then tries every rule: both take longer as
conversation and domain grow.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH, RulePolicy
from rasa.shared.core.constants import ACTION_LISTEN_NAME, PREVIOUS_ACTION, SHOULD_NOT_BE_SET, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import ActionExecuted, Event
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ACTION_NAME, INTENT, TEXT

Rule = tuple[str, list[State]]

_rasas_find_action = RulePolicy._find_action_from_rules

_REPLAY = "_replay"  # the attribute of a tracker that remembers it
_INDICES = "_indices"  # the attribute of a policy that holds one index for each of its lookups


class Index:
    """The rules of a lookup, found by what they ask of the latest state.

    longest: states that the longest rule looks back on.
    """

    def __init__(self, lookup: dict[str, str]) -> None:
        self._rules: dict[tuple[str | None, str | None], list[Rule]] = defaultdict(list)
        self.lookup = lookup
        self.longest = 0
        for key in lookup:
            states = RulePolicy._rule_key_to_state(key)[::-1]
            self._rules[_asks_for(states[0])].append((key, states))
            self.longest = max(self.longest, len(states))

    def matching(self, policy: RulePolicy, states: list[State]) -> set[str]:
        """The keys of the rules that apply to a conversation with these states."""
        recent = states[: -self.longest - 1 : -1]
        return {key for key, rule in self._candidates(states[-1]) if _applies(policy, rule, recent)}

    @property
    def answers_any_message(self) -> bool:
        """Whether a rule applies to a message whatever its intent; such as one for a text."""
        return (ACTION_LISTEN_NAME, None) in self._rules

    def looks_back(self, action: str, intent: str) -> int:
        """On how many states those rules look at most that can apply after this action and intent."""
        return max((len(states) for _, states in self._asking_for(action, intent)), default=0)

    def _candidates(self, state: State) -> Iterator[Rule]:
        return self._asking_for(*_asks_for(state))

    def _asking_for(self, action: str | None, intent: str | None) -> Iterator[Rule]:
        for asked in {(action, intent), (action, None), (None, intent), (None, None)}:
            yield from self._rules.get(asked, ())


def _asks_for(state: State) -> tuple[str | None, str | None]:
    """The previous action and the intent of a state; None where it leaves them open, as all beginnings do."""
    before = state.get(PREVIOUS_ACTION)
    if not before:
        return None, None
    values = (before.get(ACTION_NAME), state.get(USER, {}).get(INTENT))
    action, intent = (
        value if isinstance(value, str) and value != SHOULD_NOT_BE_SET else None for value in values
    )
    return action or None, intent or None


def _applies(policy: RulePolicy, rule: list[State], recent: list[State]) -> bool:
    """As `RulePolicy._is_rule_applicable`, for all states of a rule, latest first."""
    for asked, found in zip(rule, recent, strict=False):
        before_rule, before = asked.get(PREVIOUS_ACTION), found.get(PREVIOUS_ACTION)
        if not before_rule and not before:  # both are where a conversation starts
            continue
        if not before_rule or not before or not policy._does_rule_match_state(asked, found):
            return False
    return True


def possible_keys(policy: RulePolicy, lookup: dict[str, str], states: list[State]) -> set[str]:
    """In the place of `RulePolicy._get_possible_keys`."""
    return _index(policy, lookup).matching(policy, states)


def find_action(
    policy: RulePolicy, tracker: DialogueStateTracker, domain: Domain, use_text_for_last_user_input: bool
) -> tuple[str | None, str | None, bool]:
    """In the place of `RulePolicy._find_action_from_rules`, which looks for a message's text first, and then
    for its intent, also where no rule is for a text."""
    for_texts = tracker.active_loop_name or _index(policy, policy.lookup[RULES]).answers_any_message
    if use_text_for_last_user_input and not for_texts:
        return None, None, False
    found: tuple[str | None, str | None, bool] = _rasas_find_action(
        policy, tracker, domain, use_text_for_last_user_input
    )
    return found


def _index(policy: RulePolicy, lookup: dict[str, str]) -> Index:
    indices: dict[int, Index] = policy.__dict__.setdefault(_INDICES, {})
    index = indices.get(id(lookup))
    if index is None or index.lookup is not lookup:
        index = indices[id(lookup)] = Index(lookup)
    return index


class Replay:
    """A conversation replayed up to some event, with its latest states; it can go on from there."""

    def __init__(self, tracker: DialogueStateTracker, domain: Domain, longest: int) -> None:
        self.domain = domain
        self._past: deque[State] = deque(maxlen=longest)
        self._tracker = tracker.init_copy()
        self._events: list[Event] = []

    def goes_on_with(self, events: list[Event]) -> bool:
        """Whether what was replayed still stands at the beginning of these events."""
        return len(self._events) <= len(events) and all(
            old is new for old, new in zip(self._events, events, strict=False)
        )

    def states(self, events: list[Event]) -> list[State]:
        """The latest states after all of these events; the last one is the caller's to change."""
        for event in events[len(self._events) :]:
            if isinstance(event, ActionExecuted):
                self._past.append(_by_intent(self.domain.get_active_state(self._tracker)))
            self._tracker.update(event)
        self._events = events
        return [*self._past, self.domain.get_active_state(self._tracker)]


def _by_intent(state: State) -> State:
    """What a featurizer makes of every state but the latest: the text goes where there is an intent."""
    user = state.get(USER, {})
    if user.get(INTENT) and user.get(TEXT):
        del user[TEXT]
    return state


def prediction_states(
    policy: RulePolicy,
    tracker: DialogueStateTracker,
    domain: Domain,
    use_text_for_last_user_input: bool = False,
    rule_only_data: dict[str, Any] | None = None,
) -> list[State]:
    """In the place of `Policy._prediction_states`: the same states, but none that lie before every rule."""
    lookups = (policy.lookup.get(name, {}) for name in (RULES, RULES_FOR_LOOP_UNHAPPY_PATH))
    longest = max(_index(policy, lookup).longest for lookup in lookups)
    events = tracker.applied_events()
    replay: Replay | None = getattr(tracker, _REPLAY, None)
    if replay is None or replay.domain is not domain or not replay.goes_on_with(events):
        replay = Replay(tracker, domain, longest)
        setattr(tracker, _REPLAY, replay)
    states = replay.states(events)
    policy.featurizer._choose_last_user_input([states], use_text_for_last_user_input)
    return states
