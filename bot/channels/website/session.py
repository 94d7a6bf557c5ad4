"""Sessions of visitors: a random conversation id in a token that only this server can make."""

from __future__ import annotations

import re
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer

from bot.model import new_id
from bot.settings import Settings

_CONVERSATION = re.compile(r"website-[0-9a-f]{32}")
_DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Session:
    """A visitor's session.

    conversation: Rasa's sender id; never sent in the clear and never taken from a request.
    token: what the browser keeps and shows again.
    """

    conversation: str
    token: str


class Sessions:
    """Issues sessions and reads their tokens; no state, so they hold across restarts and servers."""

    def __init__(self, settings: Settings) -> None:
        self._serializer = URLSafeTimedSerializer(settings.signing_key("website session"), salt="session")
        self._seconds = settings.session_days * _DAY

    def issue(self) -> Session:
        """A session for somebody new."""
        return self._with_token(f"website-{new_id()}")

    def renew(self, session: Session) -> Session:
        """The same conversation under a token that expires later."""
        return self._with_token(session.conversation)

    def read(self, token: str) -> Session | None:
        """The session of a token; None when it is forged or too old."""
        try:
            conversation = self._serializer.loads(token, max_age=self._seconds)
        except BadData:
            return None
        if not isinstance(conversation, str) or not _CONVERSATION.fullmatch(conversation):
            return None
        return Session(conversation, token)

    def _with_token(self, conversation: str) -> Session:
        return Session(conversation, self._serializer.dumps(conversation))
