"""A reverse proxy for tests: `proxy.py PORT URL URL ...`. Every request goes to the next server, whoever asks.

A server that refuses the connection is passed over, as nginx and others do; a request that has been sent is
never sent again. Answers are passed on as they come.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Sequence

import aiohttp
from aiohttp import web

_OWN = {"connection", "keep-alive", "transfer-encoding", "upgrade", "host", "content-length", "te"}
"""Headers that are between two neighbours only."""


class Proxy:
    """Listens on a port of loopback while it is entered. `port` 0 takes any."""

    def __init__(self, servers: Sequence[str], port: int = 0) -> None:
        self.servers = list(servers)
        self.port = port
        self._turns = itertools.count()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Proxy:
        self._http = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(None))
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, shutdown_timeout=1)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._http.close()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _OWN]
        headers += [("X-Forwarded-For", str(request.remote)), ("Host", request.host)]
        first = next(self._turns)
        for number in range(len(self.servers)):
            server = self.servers[(first + number) % len(self.servers)]
            try:
                answer = await self._http.request(
                    request.method,
                    server + request.raw_path,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                )
            except aiohttp.ClientConnectorError:
                continue
            except aiohttp.ClientError:
                return web.Response(status=502, text="The server broke off.")
            return await self._answer(request, answer)
        return web.Response(status=503, text="No server can be reached.")

    async def _answer(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        async with answer:
            response = web.StreamResponse(status=answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _OWN:
                    response.headers.add(name, value)
            try:
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
            except (aiohttp.ClientError, ConnectionError):
                if request.transport is not None:
                    request.transport.abort()  # the visitor sees that it was cut off, as with a real one
            return response


async def main(port: int, servers: Sequence[str]) -> None:
    """Runs until it is ended."""
    async with Proxy(servers, port) as proxy:
        print(f"ready at {proxy.url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
