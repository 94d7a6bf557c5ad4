"""The data deletion callback: only Meta can ask, the person is gone everywhere, and a page says so."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any

import aiohttp
import pytest

from bot.model import Event
from bot.store.messenger_model import conversation_of
from tests.channels.messenger.conftest import PAGE, Clinic
from tests.doubles.graph_api import Meta

ANNA, BEN = "9001", "9002"


def signed_request(content: Any, secret: str) -> str:
    """As Meta makes it."""
    payload = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")
    signature = hmac.new(secret.encode(), payload, hashlib.sha256).digest()
    return (base64.urlsafe_b64encode(signature).rstrip(b"=") + b"." + payload).decode()


def content(user_id: str) -> dict[str, Any]:
    return {"algorithm": "HMAC-SHA256", "issued_at": 1760000000, "user_id": user_id}


async def ask(clinic: Clinic, data: Any) -> tuple[int, Any]:
    url = clinic.meta.webhook.removesuffix("webhook") + "deletion"
    async with aiohttp.ClientSession() as http, http.post(url, data=data) as response:
        return response.status, json.loads(await response.text())


async def page(clinic: Clinic, code: str) -> tuple[int, str]:
    base = clinic.meta.webhook.removesuffix("webhook")
    async with aiohttp.ClientSession() as http, http.get(f"{base}deletion/{code}") as response:
        return response.status, await response.text()


async def until(clinic: Clinic, code: str, words: str) -> str:
    while words not in (shown := (await page(clinic, code))[1]):
        await asyncio.sleep(0.05)
    return shown


@pytest.mark.parametrize("known_by", ["psid", "app_scoped_id"])
async def test_a_person_is_erased_and_can_read_so(clinic: Clinic, meta: Meta, known_by: str) -> None:
    for psid in (ANNA, BEN):
        await clinic.says(psid, "hello", answers=2)
        clinic.store.record_event(Event(clinic.person(psid), "message"))
    user_id = ANNA
    if known_by == "app_scoped_id":
        user_id = "5550001"
        meta.ids_for_pages[user_id] = [{"id": ANNA, "page": {"id": PAGE}}, {"id": "1", "page": {"id": "999"}}]
    status, answer = await ask(clinic, {"signed_request": signed_request(content(user_id), meta.app_secret)})
    code = answer["confirmation_code"]
    assert status == 200 and answer["url"].endswith(f"/webhooks/facebook/deletion/{code}") and code.isalnum()
    shown = await until(clinic, code, "was deleted")
    assert code in shown and ANNA not in shown
    assert clinic.messenger.inbox.thread(conversation_of(PAGE, ANNA)) is None
    assert clinic.store.events(person_key=clinic.person(ANNA).key) == []
    assert len(clinic.store.events(person_key=clinic.person(BEN).key)) == 1
    rows = clinic.store._read(lambda c: c.exec_driver_sql("SELECT * FROM messenger_deletions").all())
    assert user_id not in str(rows)
    assert len(await clinic.says(ANNA, "hello", answers=2)) == 2  # as somebody new


async def test_whom_nothing_is_held_on_is_told(clinic: Clinic, meta: Meta) -> None:
    _, answer = await ask(clinic, {"signed_request": signed_request(content("777"), meta.app_secret)})
    await until(clinic, answer["confirmation_code"], "found nothing")
    status, shown = await page(clinic, "<script>")
    assert status == 404 and "<script>" not in shown and "no request" in shown


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff\xfe\x00", b"signed_request", b"signed_request=", b"signed_request=a.b.c", b"a=1&" * 50,
        b"signed_request=" + b"A" * 100_000,
        {"signed_request": signed_request(content("1"), "wrong secret")},
        {"signed_request": signed_request({**content("1"), "algorithm": "none"}, "app-secret")},
        {"signed_request": signed_request(content("../../etc"), "app-secret")},
        {"signed_request": signed_request([1], "app-secret")},
        {"signed_request": signed_request({**content("1"), "user_id": {}}, "app-secret")},
    ],
)  # fmt: skip
async def test_others_can_ask_for_nothing(clinic: Clinic, data: Any) -> None:
    assert (await ask(clinic, data))[0] == 403
    assert clinic.messenger.deletions.waiting() == []
