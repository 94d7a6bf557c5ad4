"""Says what staff wrote, or domain.yml: facts filled in, several answers joined, choices by their titles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.constants import CHANNEL, RESPONSE_CONDITION
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot.answer_reply import as_response, titles_of
from bot.answer_source import shared_answers
from bot.clinic_source import shared_clinic
from bot.model import Button, Reply
from bot.reply import join, to_message, to_reply
from bot.settings import load_settings

SEVERAL = "utter_several"
OUT_OF_SCOPE = "utter_out_of_scope"
ASK_WHICH = "utter_ask_which"
PART_UNKNOWN = "utter_part_unknown"
RETRIEVED = "utter_faq/"
NONE_OF_THESE = Button("None of these", "/none_of_these")


class ClinicNLG(TemplatedNaturalLanguageGenerator):
    """Rasa's generator of domain.yml's responses, with this project's `Reply` as its result.

    Two responses are made of others: `utter_several` of `parts`, a list of `{"response": name, ...facts}`,
    and `utter_ask_which` of `offers`, a list of intents whose titles become buttons.
    """

    def __init__(self, endpoint_config: EndpointConfig, domain: Domain) -> None:
        super().__init__(domain.responses)
        settings = load_settings()
        self._source = shared_clinic(settings)
        self._answers = shared_answers(settings)

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> dict[str, Any] | None:
        """The message for a response; None when there is none of that name."""
        if utter_action == SEVERAL:
            replies = self.parts(kwargs.get("parts", ()), output_channel)
            answered = [part["response"].replace("utter_", "/", 1) for part in kwargs.get("parts", ())]
            reply = join(replies, answered) if replies else None
            return to_message(_named(reply, utter_action, tracker)) if reply else None
        reply = self.reply(self.clearer(utter_action, tracker), output_channel, kwargs)
        if reply is None and utter_action.startswith(RETRIEVED):  # withdrawn, though the model still knows it
            reply = self.reply(OUT_OF_SCOPE, output_channel, kwargs)
        if reply and utter_action == ASK_WHICH:
            reply = self.offering(reply, kwargs.get("offers", ()))
        return to_message(_named(reply, utter_action, tracker)) if reply else None

    def clearer(self, utter_action: str, tracker: DialogueStateTracker) -> str:
        """For "I don't know" the response that says why, where the message holds nothing to answer."""
        latest = tracker.latest_message
        why = latest.parse_data.get("unreadable") if latest and utter_action == OUT_OF_SCOPE else None
        name = f"utter_{why}"
        return name if name in self.responses else utter_action

    def reply(self, name: str, channel: str, facts: Mapping[str, Any]) -> Reply | None:
        """The reply of one response, its facts filled in."""
        clinic = self._source.clinic
        if clinic.publishes(name.removeprefix("utter_")):
            name += "_known"
        response = self._response(name, channel)
        written = self._answers.by_topic
        if answer := written.get(name.removeprefix("utter_")):
            response = as_response(answer, response, titles_of(self.responses, written))
        if response is None:
            return None
        texts = {key: value for key, value in facts.items() if isinstance(value, str)}
        return to_reply(response, clinic, {**clinic.facts(source=channel), **texts})

    def _response(self, name: str, channel: str) -> dict[str, Any] | None:
        """The response of a name: its only wording, or one of those that suit the channel."""
        variations = self.responses.get(name) or [{}]
        if len(variations) == 1 and variations[0].keys().isdisjoint({CHANNEL, RESPONSE_CONDITION}):
            return variations[0] or None
        chosen: dict[str, Any] | None = self._random_response_for(name, channel, {})
        return chosen

    def parts(self, parts: Iterable[Mapping[str, Any]], channel: str) -> Sequence[Reply]:
        """The replies of several responses, each with its own facts."""
        replies = [
            self.reply(part["response"], channel, part) or self.reply(PART_UNKNOWN, channel, part)
            for part in parts
        ]
        return [reply for reply in replies if reply]

    def offering(self, reply: Reply, intents: Iterable[str]) -> Reply:
        """The reply with a button for each intent that has a title, and one for none of them."""
        buttons = [Button(title, f"/{intent}") for intent in intents if (title := self.title(intent))]
        return Reply(text=reply.text, next_steps=(*buttons, NONE_OF_THESE), links=reply.links)

    def title(self, intent: str) -> str | None:
        """What a topic is called on a button: by staff, or in its response's metadata."""
        if answer := self._answers.by_topic.get(intent):
            return answer.title
        variations = self.responses.get(f"utter_{intent}") or [{}]
        title: str | None = (variations[0].get("metadata") or {}).get("title")
        return title


def _named(reply: Reply, utter_action: str, tracker: DialogueStateTracker) -> Reply:
    """The reply under an id that it gets again, should its message have to be answered again.

    A visitor who had it before the connection was cut is then shown it once.
    """
    place = 0
    for event in reversed(tracker.events):
        place += isinstance(event, BotUttered)
        if isinstance(event, UserUttered) and event.message_id:
            told = "\0".join((tracker.sender_id, event.message_id, str(place), utter_action))
            return replace(reply, id=hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return reply
