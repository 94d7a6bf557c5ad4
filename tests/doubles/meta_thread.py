"""Meta on loopback for tests that are not asynchronous: in a thread, with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.doubles.graph_api import Meta

PAGE = "100"
SETTINGS = {"messenger_verify_token": "verify-me", "messenger_page_tokens": f"{PAGE}:token-{PAGE}"}


@dataclass
class MetaThread:
    """People who write to the clinic's Page."""

    meta: Meta
    loop: asyncio.AbstractEventLoop

    @property
    def settings(self) -> dict[str, str]:
        """The settings of an assistant that is connected to this Meta."""
        return {
            **SETTINGS,
            "messenger_app_secret": self.meta.app_secret,
            "messenger_graph_url": self.meta.url,
        }

    def connect(self, chat_url: str) -> None:
        self.meta.webhook = f"{chat_url}/webhooks/facebook/webhook"

    def says(self, psid: str, text: str) -> None:
        """A person writes; returns when the webhook has taken it."""
        assert self._run(self.meta.deliver(self.meta.body(PAGE, [self.meta.text(psid, text)]))) == 200

    def gets(self, psid: str, number: int) -> list[str]:
        """The texts that a person has got; waits until there are so many."""
        return [sent.text for sent in self._run(self.meta.sent_to(psid, number, seconds=20))]

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)


@contextmanager
def meta_in_thread() -> Iterator[MetaThread]:
    """Runs Meta until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    meta = MetaThread(Meta(), loop)
    meta._run(meta.meta.__aenter__())
    yield meta
    meta._run(meta.meta.__aexit__())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
