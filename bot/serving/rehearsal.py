"""A model with everything that a visitor of the website would read, and nothing that keeps any of it.

The parts are the chat server's: its agent, its actions, its texts, what staff wrote and settled. Only the
conversation is held in memory, and what the actions record is recorded nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rasa.core.utils import AvailableEndpoints

from bot.channels.turn import ReplyOutput, Turns
from bot.model import Button, Reply
from bot.release_model import RehearsedTurn
from bot.serving import in_rasa
from bot.serving.actions_endpoint import actions_endpoint
from bot.serving.agent import ServedAgent, make_agent
from bot.serving.app import ENDPOINTS
from bot.settings import Settings
from bot.store.plain import to_plain
from bot.store.recorder import record_nothing
from bot.texts import load_texts

CHANNEL = "website"
NOBODY = "nobody"
"""The visitor: no channel has a conversation of this name."""
PATIENCE = 30.0
"""Seconds for a reply, and for an action: they run on what visitors leave of the processors."""


class Heard(ReplyOutput):
    """What a visitor of the website would read, its buttons ready to be pressed."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.replies: list[Reply] = []

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    async def send_reply(self, recipient_id: str, reply: Reply) -> None:
        steps = (Button(step.title, self._turns.signed(step, recipient_id)) for step in reply.next_steps)
        self.replies.append(replace(reply, next_steps=tuple(steps)))


class Rehearsal:
    """Conversations with one model. Made by `of_model`."""

    def __init__(self, agent: ServedAgent, settings: Settings) -> None:
        self._agent = agent
        self._turns = Turns(CHANNEL, settings, load_texts(settings), PATIENCE)

    @classmethod
    async def of_model(cls, archive: Path, settings: Settings) -> Rehearsal:
        """Loads a model. From then on nothing is recorded in this process."""
        record_nothing(settings)
        in_rasa.replace()
        said_by = AvailableEndpoints.read_endpoints(ENDPOINTS).nlg
        agent = await make_agent(AvailableEndpoints(nlg=said_by, action=actions_endpoint("", PATIENCE)))
        await agent.load(archive)
        return cls(agent, settings)

    async def turns(self, sent: Iterable[str]) -> list[dict[str, Any]]:
        """A conversation from its beginning, as plain values of `RehearsedTurn`; nothing is left of it."""
        trackers = self._agent.tracker_store
        await trackers.create_tracker(NOBODY, append_action_listen=False)
        found = []
        for text in sent:
            heard = Heard(self._turns)
            await self._turns.run(self._agent.handle_message, text, NOBODY, heard, trackers)
            button = self._turns.button(text, NOBODY)
            found.append(to_plain(RehearsedTurn(button.title if button else text, tuple(heard.replies))))
        await trackers.create_tracker(NOBODY, append_action_listen=False)
        return found
