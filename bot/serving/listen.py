"""Runs a Sanic app in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket

import uvloop
from sanic import Sanic

from bot.serving.connection import bound
from bot.serving.errors import StartError

BACKLOG = 1024
GRACE = 5.0
"""Seconds for answers that are under way when the process is told to stop."""


def run(app: Sanic, host: str, port: int, port_setting: str) -> None:
    """Serve `app` until SIGTERM or Ctrl-C.

    Raises:
        StartError: the address can't be had; `port_setting` is the setting that the message names.
        Exception: whatever the app's own listeners raise before the start.
    """
    with bound_socket(host, port, port_setting) as address:
        uvloop.install()
        asyncio.run(_serve(app, address))


def bound_socket(host: str, port: int, port_setting: str) -> socket.socket:
    """A socket that holds the address but refuses connections until the server listens."""
    address = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        address.bind((host, port))
    except OSError as error:
        address.close()
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"Port {port} is already in use: stop what uses it, or set {port_setting} to another port."
            ) from error
        raise StartError(
            f"Can't listen on {host}, port {port} ({error.strerror}): check the settings."
        ) from error
    return address


async def _serve(app: Sanic, address: socket.socket) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app.config.MOTD = False
    # In the order of `Sanic.run`: `Sanic.create_server` alone would listen before the app is ready.
    await app._startup()
    starting = asyncio.ensure_future(app._server_event("init", "before", loop=loop))
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():  # told to stop while it was loading
        starting.cancel()
        return
    starting.result()
    server = await app.create_server(
        sock=address,
        protocol=bound(app),
        backlog=BACKLOG,
        access_log=False,
        return_asyncio_server=True,
    )
    await server.after_start()
    await stopped
    await server.before_stop()
    server.server.close()
    await _drain(server.connections)
    await server.after_stop()


async def _drain(connections: set) -> None:  # type: ignore[type-arg]
    """Let answers under way be finished, then close what is left."""
    end = asyncio.get_running_loop().time() + GRACE
    while connections and asyncio.get_running_loop().time() < end:
        for connection in list(connections):
            connection.close_if_idle()
        await asyncio.sleep(0.05)
    for connection in list(connections):
        websocket = getattr(connection, "websocket", None)
        if websocket:
            websocket.fail_connection(code=1001)
        else:
            connection.abort()
