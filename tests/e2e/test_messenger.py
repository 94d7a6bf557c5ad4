"""Messenger against the real assistant: every topic, hostile requests, and a burst with killed servers."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from benchmarks.messenger_burst import burst
from bot.channels.messenger.dialogue import renderer_for
from bot.channels.turn import Turns
from bot.model import Button, Reason, Reply
from bot.nlg import NONE_OF_THESE
from bot.settings import Settings, load_settings
from bot.store.messenger_model import CHANNEL, conversation_of
from bot.store.store import Store
from bot.texts import load_texts
from tests.cluster import ChatServer
from tests.conftest import ROOT, System, environment, free_ports
from tests.doubles.graph_api import Meta, message_problem
from tests.private import leaks

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "1"  # the hostile samples are for this Page
HOSTILE = yaml.safe_load((ROOT / "tests" / "data" / "hostile.yml").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _apart_from_asynchronous_tests() -> None:
    """These tests are asynchronous themselves and need no browser."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own_meta() -> AsyncIterator[Meta]:
    """Not that of `system`, which has a server of its own."""
    async with Meta(tokens={PAGE: "token-1"}) as meta:
        yield meta
        assert meta.refused == []


class Assistant:
    """The real assistant, connected to Meta on loopback."""

    def __init__(self, settings: Settings, meta: Meta, port: int) -> None:
        self.settings = settings
        self.meta = meta
        self.store = Store(settings.store_url)
        self.url = f"http://127.0.0.1:{port}"
        self._people = 0

    def somebody(self) -> str:
        """A person who has never written."""
        self._people += 1
        return f"{880000 + self._people}"

    async def answers(self, psid: str, *events: dict[str, Any], number: int = 1) -> list[str]:
        """The texts that answer these events."""
        before = len(self.meta.got(psid))
        assert await self.meta.deliver(self.meta.body(PAGE, events)) == 200
        return [sent.text for sent in (await self.meta.sent_to(psid, before + number, 20))[before:]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def assistant(
    system: System, own_meta: Meta, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Assistant]:
    """A chat server of its own; `system` has seen to the model."""
    folder = tmp_path_factory.mktemp("messenger")
    variables = environment(
        data_dir=folder,
        messenger_app_secret=own_meta.app_secret,
        messenger_verify_token="verify-me",
        messenger_page_tokens=f"{PAGE}:token-1",
        messenger_graph_url=own_meta.url,
    )
    settings = load_settings(variables, folder / ".env")
    Store(settings.store_url).migrate()
    server = ChatServer(variables, free_ports(1)[0], folder / "chat.log")
    server.launch()
    await asyncio.to_thread(server.wait)
    own_meta.webhook = f"{server.url}/webhooks/facebook/webhook"
    yield Assistant(settings, own_meta, server.port)
    own_meta.webhook = ""
    await asyncio.to_thread(server.stop)
    logged = server.log.read_text()
    assert "Traceback" not in logged, logged[-3000:]
    store = Store(settings.store_url)
    assert leaks(settings, store, [server.log]) == []
    store.close()


async def test_the_answer_to_every_topic_reaches_a_person(assistant: Assistant) -> None:
    """Each topic is chosen by the button that leads to it; Graph's double refuses what Messenger would."""
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    topics = [name.removeprefix("utter_") for name in domain["responses"] if name.startswith("utter_faq/")]
    asked = [intent for intent in domain["intents"] if f"utter_{intent}" in domain["responses"]]
    texts = load_texts(assistant.settings)
    turns = Turns(CHANNEL, assistant.settings, texts)
    people = {}
    events = []
    for intent in [*topics, *asked]:
        psid = people[intent] = assistant.somebody()
        button = Button("?", f"/{intent}")
        payload = turns.signed(button, conversation_of(PAGE, psid))
        events.append(assistant.meta.postback(psid, "?", payload, page=PAGE))
    assert await assistant.meta.deliver(assistant.meta.body(PAGE, events)) == 200
    for psid in people.values():
        await assistant.meta.sent_to(psid, 2, 60)
    for intent, psid in people.items():
        got = "\n".join(sent.text for sent in assistant.meta.got(psid)[1:])
        assert got.strip(), intent
        if intent.startswith("faq/"):
            assert texts.reply(f"utter_{intent}").text in got, intent
    assert len(events) > 40


async def test_every_response_can_be_shown_on_messenger(tmp_path: Path) -> None:
    """Also those that only some moments bring."""
    settings = load_settings(environment(data_dir=tmp_path), tmp_path / ".env")
    texts = load_texts(settings)
    renderer = renderer_for(Turns(CHANNEL, settings, texts), conversation_of(PAGE, "1"))
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    for name in domain["responses"]:
        reply = texts.reply(name)
        offering = Reply(reply.text, (*reply.next_steps, NONE_OF_THESE, *reply.next_steps), reply.links)
        for one in (reply, offering):
            messages = renderer.messages(one)
            assert messages, name
            for message in messages:
                body = {"recipient": {"id": "1"}, "messaging_type": "RESPONSE", "message": message}
                assert message_problem(body) == "", name


async def test_a_person_from_get_started_to_a_call_back(assistant: Assistant) -> None:
    meta, psid = assistant.meta, assistant.somebody()
    first = await assistant.answers(psid, meta.text(psid, "what are milia", page=PAGE), number=2)
    assert "automated assistant" in first[0] and "hard white lumps" in first[1]
    button = next(b for b in meta.got(psid)[-1].buttons if b["title"] == "How to remove them")
    [removal] = await assistant.answers(
        psid, meta.postback(psid, button["title"], button["payload"], page=PAGE)
    )
    assert "professionally" in removal
    kinds = {b.get("type", "quick") for b in meta.got(psid)[-1].buttons}
    assert kinds == {"web_url", "phone_number", "quick"}
    [discount] = await assistant.answers(psid, meta.text(psid, "is there a discount code?", page=PAGE))
    assert "miliagone" in discount and "first purchase" in discount
    [photo] = await assistant.answers(psid, meta.attachment(psid, "image", page=PAGE))
    assert "can't look at photos" in photo
    person = assistant.settings.person(CHANNEL, conversation_of(PAGE, psid))
    [recorded] = assistant.store.questions(reason=Reason.UNSUPPORTED, person_key=person.key)
    assert recorded.person == person and recorded.text == "[image]"
    for text, expected in (
        ("please call me back", "Is it OK to call you?"),
        ("yes", "What name"),
        ("Jo Citizen", "phone number"),
        ("0412 345 678", "good time"),
        ("tomorrow after 4", "Your reference is"),
    ):
        said = await assistant.answers(psid, meta.text(psid, text, page=PAGE))
        assert expected in said[0]
    [request] = assistant.store.callbacks(person_key=person.key)
    assert request.person.channel == CHANNEL and request.phone == "+61412345678"


# ------------------------------------------------------------ hostile


def payload_of(sample: dict[str, Any]) -> Any:
    if "generator" in sample:
        names = {"json": json, "base64": base64, "gzip": gzip, "zlib": zlib}
        return eval(sample["generator"], names)
    return base64.b64decode(sample["payload_b64"]) if "payload_b64" in sample else sample["payload"]


ANSWERED = {"two_messages_one_entry": 2, "voice_note": 1, "postback_unknown_legacy": 1}


async def test_hostile_requests_harm_nobody(assistant: Assistant) -> None:
    samples = [sample for sample in HOSTILE if sample["where"] == "messenger_webhook"]
    assert samples
    meta, before = assistant.meta, len(assistant.meta.sent)
    async with aiohttp.ClientSession() as http:
        for sample in samples:
            payload = payload_of(sample)
            body = payload if isinstance(payload, bytes) else payload.encode("utf-8", "surrogatepass")
            # Each by a person of its own, so that it can be told what was answered.
            psid = assistant.somebody()
            body = body.replace(b"900000001", psid.encode())
            headers = {"Content-Type": "application/json", **sample.get("headers", {})}
            if sample.get("sign") != "none":
                headers["X-Hub-Signature-256"] = meta.signature(body)
            url = f"{meta.webhook}?{sample.get('query', '')}"
            async with http.request(sample.get("method", "POST"), url, data=body, headers=headers) as answer:
                assert answer.status == (403 if sample.get("sign") == "none" else 200), sample["name"]
                assert "123" not in await answer.text(), sample["name"]
            number = ANSWERED.get(sample["name"], 0)
            if number:
                sent = await meta.sent_to(psid, number + 1, 20)
                if sample["name"] == "two_messages_one_entry":
                    assert "hard white lumps" in sent[1].text and "book" in sent[2].text
                if sample["name"] == "voice_note":
                    assert "1300 455 792" in sent[1].text
            else:
                await asyncio.sleep(0.1)
                assert meta.got(psid) == [], sample["name"]
    assert len(meta.sent) - before == sum(ANSWERED.values()) + len(ANSWERED)


async def test_hostile_texts_are_answered_as_texts(assistant: Assistant) -> None:
    meta = assistant.meta
    texts = [payload_of(sample) for sample in HOSTILE if sample["where"] == "text"]
    texts = [text for text in texts if isinstance(text, str) and text.strip()]
    asking = {}
    for text in texts:
        asking[assistant.somebody()] = text
    events = [meta.text(psid, text, page=PAGE) for psid, text in asking.items()]
    for some in range(0, len(events), 20):
        assert await meta.deliver(meta.body(PAGE, events[some : some + 20])) == 200
    end = time.monotonic() + 60
    while any(len(meta.got(psid)) < 2 for psid in asking):
        left = [text[:40] for psid, text in asking.items() if len(meta.got(psid)) < 2]
        assert time.monotonic() < end, f"not answered: {left}"
        await asyncio.sleep(0.1)
    for psid in asking:
        after = await assistant.answers(psid, meta.text(psid, "what are milia", page=PAGE))
        assert "hard white lumps" in after[0], asking[psid][:80]


# ------------------------------------------------------------ a burst


async def test_a_burst_with_faults_and_two_kills(system: System) -> None:
    """The full burst is part of `make soak`."""
    figures = await burst(events=150, people=30, kills=2)
    print(figures)
    assert (figures.sent, figures.answered) == (150, 150)
    assert (figures.lost, figures.doubled, figures.out_of_order, figures.invalid) == (0, 0, 0, 0)
