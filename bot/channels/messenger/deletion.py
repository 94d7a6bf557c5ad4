"""Meta's data deletion callback: who asks for it is erased everywhere, and a page tells them so."""

from __future__ import annotations

import html
import logging
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs

from bot.channels.messenger.graph import Graph, Refused
from bot.channels.messenger.signature import read_signed_request
from bot.channels.messenger.workers import Threads
from bot.settings import Settings
from bot.store.messenger_deletions import Deletions
from bot.store.messenger_inbox import Inbox
from bot.store.messenger_model import Deletion, DeletionState, conversation_of
from bot.texts import Texts

logger = logging.getLogger(__name__)

_PAGE = (
    '<!doctype html><html lang="en-AU"><head><meta charset="utf-8"><meta name="robots" content="noindex">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title></head>'
    "<body><main><h1>{title}</h1><p>{text}</p></main></body></html>"
)


def read_request(body: bytes, app_secret: str) -> Deletion | None:
    """The request in the body of the callback; None unless Meta signed it."""
    try:
        form = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError:
        return None
    content = read_signed_request(form.get("signed_request", [""])[0], app_secret)
    user_id = str(content.get("user_id", "")) if content else ""
    if not user_id.isdecimal() or len(user_id) > 100:
        return None
    return Deletion(code=secrets.token_hex(8).upper(), user_id=user_id)


def status_page(texts: Texts, code: str, deletion: Deletion | None) -> str:
    """What somebody reads who asks about their request."""
    state = deletion.state.value if deletion else "unknown"
    day = deletion.requested_at.strftime("%-d %B %Y") if deletion else ""
    text = texts.reply(f"utter_messenger_deletion_{state}", code=code, day=day).text
    title = texts.reply("utter_messenger_deletion_title").text
    return _PAGE.format(title=html.escape(title), text=html.escape(text))


class DeletionDesk:
    """Works the requests off.

    owner: this server, for the leases.
    erase: erases the person of a conversation everywhere.
    """

    def __init__(
        self,
        settings: Settings,
        deletions: Deletions,
        inbox: Inbox,
        owner: str,
        threads: Threads,
        graph: Graph,
        erase: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._deletions = deletions
        self._inbox = inbox
        self._owner = owner
        self._threads = threads
        self._graph = graph
        self._erase = erase

    async def work_off(self) -> None:
        """Erases those who wait for it. Raises what went wrong; the request waits then."""
        for deletion in await self._threads.run(self._deletions.waiting):
            conversations = await self._conversations(deletion.user_id)
            for conversation in conversations:
                if not await self._threads.run(self._inbox.take, conversation, self._owner):
                    break  # they are being answered at this moment
                await self._threads.run(self._erase, conversation)
            else:
                state = DeletionState.DONE if conversations else DeletionState.NOT_FOUND
                await self._threads.run(self._deletions.finish, deletion.code, state)
                logger.info("A deletion request is closed: %s.", state.value)

    async def _conversations(self, user_id: str) -> list[str]:
        """The conversations of a person by the id that the callback names.

        That id is the person's for our app; Pages know them by others, which Meta can tell.
        """
        found = dict.fromkeys(await self._threads.run(self._inbox.conversations_of, user_id))
        for page, psid in await self._ids_for_pages(user_id):
            conversation = conversation_of(page, psid)
            if await self._threads.run(self._inbox.thread, conversation):
                found[conversation] = None
        return list(found)

    async def _ids_for_pages(self, user_id: str) -> list[tuple[str, str]]:
        page = next(iter(self._settings.messenger_tokens))
        try:
            app = await self._graph.call(page, "GET", "app", parameters={"fields": "id"})
            content = await self._graph.call_as_app(str(app.get("id")), f"{user_id}/ids_for_pages", {})
        except Refused as error:
            logger.info("Meta doesn't tell a person's ids for our Pages. %s", error)
            return []
        entries = content.get("data")
        return [
            (str(entry["page"].get("id")), str(entry.get("id")))
            for entry in (entries if isinstance(entries, list) else [])
            if isinstance(entry, dict) and isinstance(entry.get("page"), dict)
        ]
