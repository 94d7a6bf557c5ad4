"""The floor: a bare Sanic handler that takes a REST message and replies, on the same server as the project's."""

from __future__ import annotations

import sys

from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from bot.serving import listen


def main(port: int) -> None:
    """Serves on a port until told to stop."""
    app = Sanic("floor", configure_logging=False)

    @app.post("/webhooks/rest/webhook")
    async def receive(request: Request) -> HTTPResponse:
        sender = request.json["sender"]
        return json_response([{"recipient_id": sender, "text": "Hello."}])

    listen.run(app, "127.0.0.1", port, "the port")


if __name__ == "__main__":
    main(int(sys.argv[1]))
