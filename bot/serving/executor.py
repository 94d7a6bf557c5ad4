"""Runs the custom actions of a package, for the chat server and for the action server alike."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

from rasa_sdk.executor import ActionExecutor

from bot import metrics

PACKAGE = "actions"


class Executor(ActionExecutor):
    """rasa_sdk's executor, with an `async def run` on the event loop and a `def run` in a thread.

    So a plain action that waits for the database keeps nobody else waiting.
    """

    @metrics.timed("action")
    async def run(self, action_call: Any) -> Any:
        """Run the action that the call names (see parent class)."""
        return await super().run(action_call)

    def register_function(self, name: str, f: Callable[..., Any]) -> None:
        super().register_function(name, f if inspect.iscoroutinefunction(f) else _in_a_thread(f))


def _in_a_thread(run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    async def threaded(*args: Any) -> Any:
        result = await asyncio.to_thread(run, *args)
        return await result if inspect.isawaitable(result) else result

    return threaded
