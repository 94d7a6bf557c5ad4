"""Brings replies of a turn to whoever follows the exchange."""

from __future__ import annotations

from typing import Any

from bot.channels.turn import ReplyOutput, Turns
from bot.channels.website.exchange import Exchange
from bot.channels.website.wire import is_answer, to_wire
from bot.model import Reply, utc_now


class WebsiteOutput(ReplyOutput):
    """The output of one turn."""

    def __init__(self, turns: Turns, exchange: Exchange) -> None:
        self._turns = turns
        self._exchange = exchange
        self._rate = False

    @classmethod
    def name(cls) -> str:
        return "website"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        self._rate = is_answer(message)
        await super().send_response(recipient_id, message)

    async def send_reply(self, recipient_id: str, reply: Reply) -> None:
        self._exchange.add(to_wire(reply, self._turns, recipient_id, utc_now(), self._rate))
