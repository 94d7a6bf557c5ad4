"""Rasa's processor, with messages understood beside the event loop, and none of them answered twice."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from rasa.core.actions.action import Action, ActionListen
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.processor import MessageProcessor
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.shared.core.constants import (
    ACTION_VALIDATE_SLOT_MAPPINGS,
    DEFAULT_SLOT_NAMES,
    MAPPING_TYPE,
    SlotMappingType,
)
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT

from bot import metrics
from bot.serving.excerpt import excerpt
from bot.serving.predictions import Predictions
from bot.serving.runner import FlatGraphRunner
from bot.serving.understanding import Question, Understanding

SECONDS_BETWEEN_SWITCHES = 0.001
"""How long a thread keeps Python from another that wants it; 5 ms, the default, is a whole message's time."""


class AnsweredBefore(Exception):
    """The conversation holds this message and what was said to it."""

    def __init__(self, said: list[dict[str, Any]]) -> None:
        super().__init__()
        self.said = said


WARMING = ("Do milia hurt?", "Is Emma Jones in on Tuesday?")
"""A known topic and an unknown one."""

_NOT_UNDERSTOOD: dict[str, Any] = {
    TEXT: "", INTENT: {INTENT_NAME_KEY: None, PREDICTED_CONFIDENCE_KEY: 0.0}, ENTITIES: [],
}  # fmt: skip
"""What a message is taken for of which the pipeline says nothing."""


class ServedProcessor(MessageProcessor):
    """A `MessageProcessor` that has messages understood beside the event loop, and answers each once.

    The conversation's lock keeps its tracker as it is while it is read there.

    understanding: who does it; a thread of its own by default.
    name: by which they know this model.
    """

    def __init__(
        self, *args: Any, understanding: Understanding | None = None, name: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._understanding = understanding or Understanding()
        self._name = name
        self._messages_fill_slots = _messages_fill_slots(self.domain)
        self._predictions = self._made_predictions()
        sys.setswitchinterval(SECONDS_BETWEEN_SWITCHES)

    def warm_up(self) -> None:
        """Have the pipeline load what it loads at its first message, before a visitor waits for it."""
        nobody = DialogueStateTracker.from_events("nobody", [])
        for text in WARMING:
            self._parse_message_with_graph(UserMessage(text, sender_id=nobody.sender_id), nobody, True)

    @metrics.timed("understanding")
    async def parse_message(
        self,
        message: UserMessage,
        tracker: DialogueStateTracker | None = None,
        only_output_properties: bool = True,
    ) -> dict[str, Any]:
        """What the message means (see parent class for full docstring)."""
        if self.http_interpreter:
            return await super().parse_message(message, tracker, only_output_properties)
        if tracker is None:
            tracker = DialogueStateTracker.from_events(message.sender_id, [])
        parse_data = await self._understanding.understand(
            Question(
                self._name,
                partial(self._parse_message_with_graph, message, tracker, only_output_properties),
                lambda: {"text": message.text, "told": excerpt(tracker)},
            )
        )
        self._update_full_retrieval_intent(parse_data)
        # Rasa's own goes on to compare the intent with the domain, and makes a domain each time for that;
        # a model's intents are its domain's.
        return parse_data

    def parse_together(
        self, messages: Sequence[tuple[UserMessage, DialogueStateTracker]]
    ) -> list[dict[str, Any] | Exception]:
        """What `_parse_message_with_graph` gives for each of several messages and their conversations, or the
        error that it raises; see `FlatGraphRunner.run_together`."""
        assert isinstance(self.graph_runner, FlatGraphRunner)  # noqa: S101 -- `in_rasa.replace` sees to it
        target = self.model_metadata.nlu_target
        inputs = [
            {PLACEHOLDER_MESSAGE: [message], PLACEHOLDER_TRACKER: tracker} for message, tracker in messages
        ]
        return [
            found if isinstance(found, Exception) else _NOT_UNDERSTOOD | found[target][0].as_dict(True)
            for found in self.graph_runner.run_together(inputs, [target])
        ]

    async def handle_message(self, message: UserMessage) -> list[dict[str, Any]] | None:
        """Answers a message. One that comes again, to another server perhaps, is told the same again."""
        try:
            return await super().handle_message(message)
        except AnsweredBefore as before:
            for reply in before.said:
                await message.output_channel.send_response(message.sender_id, reply)
            return None

    async def _handle_message_with_tracker(self, message: UserMessage, tracker: DialogueStateTracker) -> None:
        events = list(tracker.events)
        for place in range(len(events) - 1, -1, -1):
            event = events[place]
            if isinstance(event, UserUttered) and event.message_id == message.message_id:
                raise AnsweredBefore(_said_after(events[place + 1 :]))
        await super()._handle_message_with_tracker(message, tracker)

    async def run_action_extract_slots(
        self, output_channel: OutputChannel, tracker: DialogueStateTracker
    ) -> DialogueStateTracker:
        """Fills slots from the message (see parent class), unless the domain leaves that to the actions."""
        if not self._messages_fill_slots:
            return tracker
        return await super().run_action_extract_slots(output_channel, tracker)

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        if isinstance(action, ActionListen):  # which does nothing, and ends every turn
            self._log_action_on_tracker(tracker, action, [], prediction)
            return self.should_predict_another_action(action.name())
        more: bool = await super()._run_action(action, tracker, output_channel, nlg, prediction)
        return more

    def _predict_next_with_tracker(self, tracker: DialogueStateTracker) -> PolicyPrediction:
        """What to do next (see parent class), remembered where a rule says so."""
        if self._predictions is None or tracker.followup_action:
            return super()._predict_next_with_tracker(tracker)
        prediction = self._predictions.recall(tracker)
        if prediction is None:
            prediction = super()._predict_next_with_tracker(tracker)
            self._predictions.remember(tracker, prediction)
        return prediction

    def _made_predictions(self) -> Predictions | None:
        """None for a model that has other policies than rules."""
        if not isinstance(self.graph_runner, FlatGraphRunner):
            return None
        policies = self.graph_runner.components(Policy)
        if len(policies) == 1 and isinstance(policies[0], RulePolicy):
            return Predictions(policies[0], self.domain)
        return None


def _messages_fill_slots(domain: Domain) -> bool:
    """Whether any slot is filled from messages themselves, without an action of ours asking for it."""
    mappings = [
        mapping for slot in domain.slots if slot.name not in DEFAULT_SLOT_NAMES for mapping in slot.mappings
    ]
    return ACTION_VALIDATE_SLOT_MAPPINGS in domain.user_actions or any(
        SlotMappingType(mapping[MAPPING_TYPE]) is not SlotMappingType.CUSTOM or mapping.get("action")
        for mapping in mappings
    )


def _said_after(events: list[Event]) -> list[dict[str, Any]]:
    """What the bot said until the next message."""
    turn = itertools.takewhile(lambda event: not isinstance(event, UserUttered), events)
    return [event.message() for event in turn if isinstance(event, BotUttered)]
