"""HTTP connections that nobody can hold for long by being slow, nor all of them by being many."""

from __future__ import annotations

import resource
from typing import Any

from sanic import Sanic
from sanic.http import Stage
from sanic.server.protocols.http_protocol import HttpProtocol

SECONDS_FOR_A_REQUEST = 10
"""From its first byte to the end of its header."""
SECONDS_FOR_AN_ANSWER = 40
"""From a request's first byte, or the last one sent. The longest is a widget's wait for news, 25 s."""
SECONDS_IDLE = 5

MOST_CONNECTIONS = 5_000
"""Each open widget has one, so that this also bounds the memory."""
FILES_OF_OUR_OWN = 96
"""Descriptors that are not for visitors: database, Redis, logs, spool, a new model."""


class Connection(HttpProtocol):
    """Sanic's, whose clock begins with a request's first byte and not anew with each.

    When there is no room for one more, the one that has waited longest without a whole request makes it.
    """

    most = MOST_CONNECTIONS
    _time: float

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._http = None  # made by its task, perhaps after the first bytes have come

    def connection_made(self, transport: Any) -> None:
        if len(self.connections) >= self.most and not self._make_room():
            transport.abort()
            return
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        begun = self._time
        super().data_received(data)
        if self._http is not None and self._http.stage is not Stage.IDLE:
            self._time = begun

    def _make_room(self) -> bool:
        waiting = [one for one in self.connections if one._http is None or one._http.stage in _NO_REQUEST_YET]
        if waiting:
            longest = min(waiting, key=lambda one: one._time)
            self.connections.discard(longest)
            longest.transport.abort()
        return bool(waiting)


_NO_REQUEST_YET = (Stage.IDLE, Stage.REQUEST)


def bound(app: Sanic) -> type[Connection]:
    """Sets how long a connection may take, and as many of them as this process can have files."""
    app.config.REQUEST_TIMEOUT = SECONDS_FOR_A_REQUEST
    app.config.RESPONSE_TIMEOUT = SECONDS_FOR_AN_ANSWER
    app.config.KEEP_ALIVE_TIMEOUT = SECONDS_IDLE
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed != most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    room = MOST_CONNECTIONS if most == resource.RLIM_INFINITY else most - FILES_OF_OUR_OWN
    Connection.most = max(16, min(MOST_CONNECTIONS, room))
    return Connection
