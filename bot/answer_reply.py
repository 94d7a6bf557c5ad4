"""An answer of staff in the shape of a response of domain.yml, so that it is said in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.answer_model import Answer

Responses = Mapping[str, Sequence[Mapping[str, Any]]]

_NO_METADATA = ("request_callback",)  # it leads to a form, which has no response of its own to hold a title


def titles_of(responses: Responses, answers: Mapping[str, Answer]) -> dict[str, str]:
    """What each topic that a button may lead to is called, by intent."""
    titles: dict[str, str] = {}
    for name, variations in responses.items():
        title = (variations[0].get("metadata") or {}).get("title")
        if title:
            titles[name.removeprefix("utter_")] = title
        for button in variations[0].get("buttons") or ():
            intent = button["payload"].removeprefix("/")
            if intent in _NO_METADATA:
                titles.setdefault(intent, button["title"])
    return {**titles, **{answer.topic: answer.title for answer in answers.values()}}


def as_response(
    answer: Answer, default: Mapping[str, Any] | None, titles: Mapping[str, str]
) -> dict[str, Any]:
    """The response: what domain.yml has beside text and buttons (links, a code) stays.

    default: the response of domain.yml that the answer takes the place of, if any.
    titles: of the topics that there are; a next step to a topic that is gone is left out. A next step that
        the default has too keeps its title there, which may say more than the topic's own.
    """
    steps = {f"/{intent}": titles[intent] for intent in answer.next_steps if intent in titles}
    delivered = {button["payload"]: button["title"] for button in (default or {}).get("buttons") or ()}
    return {
        **(default or {}),
        "text": answer.text,
        "buttons": [
            {"title": delivered.get(payload, title), "payload": payload} for payload, title in steps.items()
        ],
        "metadata": {"title": answer.title},
    }
