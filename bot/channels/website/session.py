"""Sessions of visitors: a random conversation id in a token that only this server can make."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import lru_cache

from itsdangerous import BadData, URLSafeTimedSerializer

from bot.model import new_id
from bot.settings import Settings

_CONVERSATION = re.compile(r"website-[0-9a-f]{32}")
_DAY = 24 * 60 * 60
_REMEMBERED = 4096
"""Tokens of the latest visitors, whose signature need not be computed for each of their requests."""


@dataclass(frozen=True)
class Session:
    """A visitor's session.

    conversation: Rasa's sender id; never sent in the clear and never taken from a request.
    token: what the browser keeps and shows again.
    """

    conversation: str
    token: str


class Sessions:
    """Issues sessions and reads their tokens, which hold across restarts and servers: none is stored."""

    def __init__(self, settings: Settings) -> None:
        self._serializer = URLSafeTimedSerializer(settings.signing_key("website session"), salt="session")
        self._seconds = settings.session_days * _DAY
        self._verified = lru_cache(_REMEMBERED)(self._verify)

    def issue(self) -> Session:
        """A session for somebody new."""
        return self._with_token(f"website-{new_id()}")

    def renew(self, session: Session) -> Session:
        """The same conversation under a token that expires later."""
        return self._with_token(session.conversation)

    def read(self, token: str) -> Session | None:
        """The session of a token; None when it is forged or too old."""
        try:
            session, signed_at = self._verified(token)
        except BadData:
            return None
        return session if 0 <= int(time.time()) - signed_at <= self._seconds else None

    def _verify(self, token: str) -> tuple[Session, int]:
        """The session of a token of any age, and the second in which it was signed.

        Raises:
            BadData: it is forged. This is not remembered, so that forgers can't crowd visitors out.
        """
        conversation, signed_at = self._serializer.loads(token, return_timestamp=True)
        if not isinstance(conversation, str) or not _CONVERSATION.fullmatch(conversation):
            raise BadData("This names no conversation.")
        return Session(conversation, token), int(signed_at.timestamp())

    def _with_token(self, conversation: str) -> Session:
        return Session(conversation, self._serializer.dumps(conversation))
