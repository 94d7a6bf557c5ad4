"""One chat server with an action server of its own and SQLite, each a process that tests can end in every way."""

from __future__ import annotations

from pathlib import Path

from bot.settings import Settings, load_settings
from bot.store.store import Store
from tests.cluster import ActionServer, ChatServer
from tests.conftest import environment, free_ports
from tests.private import leaks

APP_SECRET = "app-secret-of-alone"


class Alone:
    """One chat server with an action server and SQLite."""

    def __init__(self, folder: Path) -> None:
        chat, actions, nowhere = free_ports(3)
        self.folder = folder
        variables = environment(
            data_dir=folder / "data",
            actions_url=f"http://127.0.0.1:{actions}/webhook",
            session_rate=100_000,
            address_rate=100_000,
            messenger_app_secret=APP_SECRET,
            messenger_verify_token="verify-me",
            messenger_page_tokens="100:token-100",
            messenger_graph_url=f"http://127.0.0.1:{nowhere}",
        )
        self.settings: Settings = load_settings(variables, folder / ".env")
        self.store = Store(self.settings.store_url)
        self.chat = ChatServer(variables, chat, folder / "chat.log")
        self.actions = ActionServer(variables, actions, folder / "actions.log")
        self.actions.log.touch()
        self.variables = variables

    def start(self) -> None:
        for server in (self.actions, self.chat):
            server.launch()
        for server in (self.actions, self.chat):
            server.wait()

    def stop(self) -> None:
        self.chat.stop()
        self.actions.stop()
        found = leaks(self.settings, self.store, [self.chat.log, self.actions.log])
        self.store.close()
        assert found == []

    def asked(self) -> list[str]:
        """What staff are told that the assistant doesn't know."""
        return [question.text for question in self.store.questions()]
