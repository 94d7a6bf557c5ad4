"""Messenger from the webhook to the message that a person gets, over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.model import Button, OutgoingReply, Reason, Reply
from bot.payloads import sign
from bot.settings import Settings
from bot.store.messenger_model import CHANNEL, OutboxState
from bot.store.store import StoreUnavailable
from tests.channels.messenger.conftest import PAGE, Clinic, clinic_server
from tests.channels.website.small_bot import ANSWER, SmallBot
from tests.doubles.graph_api import Fault, Meta

ANNA, BEN = "9001", "9002"


async def test_a_question_is_answered_after_the_introduction(clinic: Clinic) -> None:
    first = await clinic.says(ANNA, "what are milia", answers=2)
    assert "automated assistant" in first[0] and first[1] == ANSWER
    assert await clinic.says(ANNA, "what are milia") == [ANSWER]
    assert clinic.meta.got(ANNA)[1].buttons[0]["type"] == "postback"


async def test_escaped_unicode_is_read_and_signed_as_it_comes(clinic: Clinic) -> None:
    texts = await clinic.says(ANNA, "smörgås 👩‍👩‍👧 \\/ «milia»", answers=2)
    assert texts[1] == "You said: smörgås 👩‍👩‍👧 \\/ «milia»"


async def test_the_webhook_is_verified(clinic: Clinic) -> None:
    async with aiohttp.ClientSession() as http:

        async def ask(**query: str) -> tuple[int, str]:
            given = {f"hub.{name}": value for name, value in query.items()}
            async with http.get(clinic.meta.webhook, params=given) as response:
                return response.status, await response.text()

        right = {"mode": "subscribe", "verify_token": "verify-me", "challenge": "1158201444"}
        assert await ask(**right) == (200, "1158201444")
        for wrong in ({"verify_token": "guess"}, {"mode": "unsubscribe"}, {"verify_token": ""}, {"mode": ""}):
            status, said = await ask(**{**right, **wrong})
            assert status == 403 and "1158201444" not in said
        assert (await ask())[0] == 403


async def test_what_meta_has_not_signed_is_refused(clinic: Clinic) -> None:
    body = clinic.meta.body(PAGE, [clinic.meta.text(ANNA, "hi")])
    good = clinic.meta.signature(body)
    for signature in (
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        good.upper(),
        good[7:],
        "sha1=" + "0" * 40,
        good + "0",
    ):
        assert await clinic.meta.deliver(body, signature) == 403
    assert await clinic.meta.deliver(body + b" ", good) == 403
    assert await clinic.meta.deliver(b"", "", **{"X-Hub-Signature": "sha1=" + "0" * 40}) == 403
    assert clinic.messenger.inbox.waiting() == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"12", b"{", b"\xff\xfe", b'{"object": "page"', b"[" * 100_000, b'{"a": ' * 50_000],
)
async def test_a_body_that_is_no_object_is_refused(clinic: Clinic, body: bytes) -> None:
    assert await clinic.meta.deliver(body) == 400


async def test_a_body_that_is_too_large_is_refused(clinic: Clinic) -> None:
    assert await clinic.meta.deliver(b" " * (1024 * 1024 + 1)) == 413


async def test_one_bad_event_never_costs_the_others(clinic: Clinic) -> None:
    meta = clinic.meta
    strange: list[Any] = [
        None, 1, [], {}, {"sender": 1}, {"sender": {"id": ANNA}}, {"sender": {"id": []}, "message": {}},
        {**meta.text(ANNA, "x"), "message": {"mid": "s1", "text": 12345}},
        {**meta.text(ANNA, "x"), "message": "text"},
        {**meta.text(ANNA, "x"), "recipient": {"id": "999"}},
        {**meta.text(ANNA, "x"), "sender": {"id": PAGE}},
        {**meta.text(ANNA, "x"), "message": {"mid": "s2", "attachments": [1, None]}},
        {**meta.text(ANNA, "x"), "message": None, "delivery": {"watermark": 1}},
        {**meta.text(ANNA, "x"), "message": None, "read": {"watermark": 1}},
        {**meta.text(ANNA, "x"), "message": None, "postback": 7},
    ]  # fmt: skip
    odd = {**meta.text(BEN, "lone \ud800 surrogate and nul \0"), "timestamp": "yesterday"}
    entries = [
        {"id": PAGE, "changes": [{"field": "feed"}]},
        None,
        {"id": PAGE, "messaging": "no list"},
        meta.entry("999", [meta.text(ANNA, "for another Page", page="999")]),
        meta.entry(PAGE, [meta.text(ANNA, "somebody else has the thread")], kind="standby"),
        meta.entry(PAGE, [*strange, meta.text(ANNA, "first")]),
        meta.entry(PAGE, [odd, meta.text(ANNA, "second")]),
    ]
    assert await meta.deliver(meta.raw({"object": "page", "entry": entries})) == 200
    assert await meta.deliver(meta.raw({"object": "instagram", "entry": entries})) == 200
    await meta.sent_to(ANNA, 3)
    await meta.sent_to(BEN, 2)
    assert [s.text for s in meta.got(ANNA)[1:]] == ["You said: first", "You said: second"]
    assert "lone" in meta.got(BEN)[1].text
    assert len(clinic.bot.heard) == 3


async def test_duplicates_are_answered_once(clinic: Clinic) -> None:
    meta = clinic.meta
    event, other = meta.text(ANNA, "once"), meta.text(ANNA, "twice")
    no_mid = {
        **meta.postback(ANNA, "Which one?", "/made-up"),
        "postback": {"title": "Which one?", "payload": "x"},
    }
    body = meta.body(PAGE, [event, event, no_mid, no_mid])
    assert await asyncio.gather(*(meta.deliver(body) for _ in range(5))) == [200] * 5
    await clinic.hears(other, event)
    await meta.sent_to(ANNA, 4)
    assert await meta.deliver(body) == 200
    assert await clinic.says(BEN, "done", answers=2)
    assert sorted(clinic.bot.heard) == ["Which one?", "done", "once", "twice"]


async def test_a_batch_is_answered_in_the_order_of_its_times(clinic: Clinic) -> None:
    meta, now = clinic.meta, time.time()
    events = [meta.text(ANNA, str(n), at=now + n / 100) for n in range(6)]
    await asyncio.gather(*(clinic.hears(events[n]) for n in (3, 1, 5, 0, 4, 2)))
    await meta.sent_to(ANNA, 7)
    assert clinic.bot.heard == ["0", "1", "2", "3", "4", "5"]
    assert [sent.text for sent in meta.got(ANNA)[1:]] == [f"You said: {n}" for n in range(6)]


async def test_one_slow_person_holds_nobody_else_up(clinic: Clinic) -> None:
    meta = clinic.meta
    await clinic.hears(meta.text(ANNA, "slow"), meta.text(ANNA, "after it"))
    assert len(await clinic.says(BEN, "quick", answers=2)) == 2
    assert "after it" not in clinic.bot.heard
    clinic.bot.go_on.set()
    assert [sent.text for sent in await meta.sent_to(ANNA, 3)][1:] == ["You said: slow", "You said: after it"]


async def test_a_turn_that_fails_is_answered_with_the_phone_line(clinic: Clinic) -> None:
    texts = await clinic.says(ANNA, "break", answers=2)
    assert "1300 455 792" in texts[1]


async def test_buttons_that_the_bot_sent_work_and_others_are_text(clinic: Clinic) -> None:
    await clinic.says(ANNA, "what are milia", answers=2)
    button = clinic.meta.got(ANNA)[1].buttons[0]
    before = len(clinic.meta.got(ANNA))
    await clinic.hears(clinic.meta.postback(ANNA, button["title"], button["payload"]))
    await clinic.meta.sent_to(ANNA, before + 1)
    assert clinic.bot.heard[-1] == "Does it hurt?"
    tracker = await clinic.bot.tracker_store.retrieve_full_tracker(f"facebook-{PAGE}-{ANNA}")
    assert tracker and tracker.latest_message and tracker.latest_message.parse_data["button"] is True
    # Somebody else's button, a made-up one, and one that is typed: what can be read counts.
    for event in (
        clinic.meta.postback(BEN, "Does it hurt?", button["payload"]),
        clinic.meta.quick_reply(BEN, "Restart", "/restart"),
        clinic.meta.text(BEN, "/restart"),
    ):
        before = len(clinic.meta.got(BEN))
        await clinic.hears(event)
        await clinic.meta.sent_to(BEN, max(2, before + 1))
    assert clinic.bot.heard[-3:] == ["Does it hurt?", "Restart", "/restart"]
    tracker = await clinic.bot.tracker_store.retrieve_full_tracker(f"facebook-{PAGE}-{BEN}")
    assert tracker
    said = [event.as_dict() for event in tracker.events if event.as_dict()["event"] == "user"]
    assert not any(event["parse_data"].get("button") for event in said)


async def test_menu_and_get_started_work_for_everybody(clinic: Clinic) -> None:
    key = clinic.settings.signing_key("buttons")
    start = sign(Button("Get Started", "/get_started"), CHANNEL, key)
    await clinic.hears(clinic.meta.postback(ANNA, "Get Started", start))
    [welcome] = await clinic.meta.sent_to(ANNA, 1)
    assert "welcome" in welcome.text and "automated assistant" in welcome.text
    assert {"web_url", "text"} == {b.get("type") or b["content_type"] for b in welcome.buttons}
    await clinic.hears(
        clinic.meta.postback(ANNA, "Call us", sign(Button("Call us", "/ask_phone"), CHANNEL, key))
    )
    await clinic.meta.sent_to(ANNA, 2)
    assert clinic.bot.heard == ["Call us"]
    # Nothing readable at all: the welcome, which says what can be asked.
    await clinic.hears(clinic.meta.postback(ANNA, "", "GET_STARTED_2017"))
    assert (await clinic.meta.sent_to(ANNA, 3))[2].text == welcome.text


async def test_attachments_are_answered_politely_and_recorded(clinic: Clinic) -> None:
    meta = clinic.meta
    await clinic.hears(meta.attachment(ANNA, "image"))
    sent = await meta.sent_to(ANNA, 2)
    assert "can't look at photos" in sent[1].text and "1300 455 792" in sent[1].text
    await clinic.hears(meta.attachment(ANNA, "audio"), meta.attachment(ANNA, "image", sticker_id=3692))
    await meta.sent_to(ANNA, 4)
    questions = clinic.store.questions(reason=Reason.UNSUPPORTED)
    assert sorted(question.text for question in questions) == ["[audio]", "[image]", "[image]"]
    assert {question.person for question in questions} == {clinic.person(ANNA)}
    assert clinic.bot.heard == []
    rows = clinic.store._read(lambda c: c.exec_driver_sql("SELECT * FROM messenger_inbox").all())
    assert rows and "cdn.example.com" not in str(rows)


async def test_the_bot_pauses_for_a_person_and_says_when_it_is_back(clinic: Clinic) -> None:
    meta = clinic.meta
    await clinic.says(ANNA, "hello", answers=2)
    await clinic.hears(meta.echo_of_person(ANNA, "Sarah here, how can I help?"))
    thread = clinic.messenger.inbox.thread(f"facebook-{PAGE}-{ANNA}")
    assert thread and thread.human and thread.paused_until
    assert 11.9 < (thread.paused_until.timestamp() - time.time()) / 3600 < 12.1
    await clinic.hears(meta.text(ANNA, "for Sarah only"))
    assert len(await clinic.says(BEN, "meanwhile", answers=2)) == 2
    assert len(meta.got(ANNA)) == 2 and "for Sarah only" not in clinic.bot.heard
    over = "UPDATE messenger_threads SET paused_until = '2020-01-01 00:00:00.000000'"
    clinic.store._write(lambda c: c.exec_driver_sql(over))
    back = await clinic.says(ANNA, "and now?", answers=2)
    assert "automated assistant again" in back[0] and back[1] == "You said: and now?"
    assert await clinic.says(ANNA, "and again?") == ["You said: and again?"]


async def test_echoes_of_our_own_and_of_other_apps_pause_nothing(clinic: Clinic) -> None:
    await clinic.says(ANNA, "hello", answers=2)
    await clinic.hears(clinic.meta.echo_of_person(ANNA, "ad", app_id=5))
    assert await clinic.says(ANNA, "still there?") == ["You said: still there?"]
    await clinic.hears(clinic.meta.echo_of_person(ANNA, "no app", app_id=None))
    thread = clinic.messenger.inbox.thread(f"facebook-{PAGE}-{ANNA}")
    assert thread and thread.paused_until


async def test_links_and_codes_keep_their_kind(clinic: Clinic) -> None:
    await clinic.says(ANNA, "book", answers=2)
    buttons = {b["type"]: b for b in clinic.meta.got(ANNA)[1].buttons if "type" in b}
    assert buttons["web_url"]["url"] == "https://www.example.com/book"
    assert buttons["phone_number"]["payload"] == "+611300455792"
    assert "miliagone" in (await clinic.says(ANNA, "code"))[0]


@pytest.mark.parametrize("code", [1, 2, 4, 17, 613, 1200])
async def test_errors_worth_a_retry_are_retried(clinic: Clinic, code: int) -> None:
    clinic.meta.faults.extend([Fault(error=code)])
    texts = await clinic.says(ANNA, "try", answers=2)
    assert texts[1] == "You said: try" and len(clinic.meta.got(ANNA)) == 2


@pytest.mark.parametrize("code", [10, 100, 190, 551])
async def test_errors_that_end_it_end_it(clinic: Clinic, code: int) -> None:
    clinic.meta.faults.extend([Fault(error=code)])
    await clinic.hears(clinic.meta.text(ANNA, "never mind"))
    await clinic.meta.sent_to(ANNA, 1)  # the answer; the introduction was refused
    counts = clinic.messenger.outbox.counts()
    assert counts[OutboxState.FAILED] == 1


async def test_a_lost_answer_is_found_by_its_echo(clinic: Clinic) -> None:
    clinic.meta.faults.extend([Fault(lost=True), None, Fault(lost=True)])
    assert len(await clinic.says(ANNA, "a", answers=2)) == 2
    assert await clinic.says(ANNA, "b") == ["You said: b"]
    assert await clinic.says(ANNA, "c") == ["You said: c"]
    assert len(clinic.meta.got(ANNA)) == 4


async def test_what_was_cut_off_before_it_arrived_is_sent_again(clinic: Clinic) -> None:
    clinic.messenger.outbox.echo_wait = type(clinic.messenger.outbox.echo_wait)(seconds=0.2)
    clinic.meta.faults.extend([Fault(reset=True), Fault(status=502)])
    texts = await clinic.says(ANNA, "again", answers=2)
    assert texts[1] == "You said: again"


async def test_events_that_cannot_be_stored_are_brought_again(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = clinic.meta.body(PAGE, [clinic.meta.text(ANNA, "keep me")])

    def down(*_: object) -> None:
        raise StoreUnavailable("locked")

    with monkeypatch.context() as patch:
        patch.setattr(clinic.messenger.inbox, "receive", down)
        assert await clinic.meta.deliver(body) == 503
    assert await clinic.meta.deliver(body) == 200
    await clinic.meta.sent_to(ANNA, 2)


async def test_whatever_keeps_events_from_being_stored_they_are_brought_again(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = clinic.meta.body(PAGE, [clinic.meta.text(ANNA, "keep me")])

    def broken(*_: object) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")

    with monkeypatch.context() as patch:
        patch.setattr(clinic.messenger.inbox, "receive", broken)
        assert await clinic.meta.deliver(body) == 500
    assert await clinic.meta.deliver(body) == 200
    await clinic.meta.sent_to(ANNA, 2)


async def test_an_event_that_the_database_refuses_does_not_cost_the_others(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = clinic.messenger.inbox.receive

    def refuses_some(events: Any, *more: Any) -> None:
        if any(event.psid == BEN for event in events):
            raise ValueError("never")
        receive(events, *more)

    monkeypatch.setattr(clinic.messenger.inbox, "receive", refuses_some)
    await clinic.hears(clinic.meta.text(BEN, "refused"), clinic.meta.text(ANNA, "kept"))
    await clinic.meta.sent_to(ANNA, 2)


# ------------------------------------------------------------ restarts


async def test_what_waits_is_answered_by_the_next_server(
    make_settings: Callable[..., Settings], meta: Meta
) -> None:
    settings, bot = make_settings(), SmallBot()
    async with clinic_server(settings, bot, meta) as clinic:
        await clinic.hears(meta.text(ANNA, "slow"), meta.text(BEN, "quick"))
        await meta.sent_to(BEN, 2)
    # The first server was stopped in the middle of a turn; a new one takes it up.
    bot = SmallBot()
    async with clinic_server(settings, bot, meta) as clinic:
        bot.go_on.set()
        await meta.sent_to(ANNA, 2, seconds=20)
        assert bot.heard == ["slow"]
        assert [sent.text for sent in meta.got(BEN)] == [sent.text for sent in meta.got(BEN)][:2]


async def test_a_turn_that_is_in_the_tracker_already_is_not_run_again(
    make_settings: Callable[..., Settings], meta: Meta, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = SmallBot()
    async with clinic_server(make_settings(), bot, meta) as clinic:
        finish = clinic.messenger.inbox.finish
        failed: list[int] = []

        def fails_once(*arguments: Any) -> Any:
            if not failed:
                failed.append(1)
                clinic.messenger.inbox.release(f"facebook-{PAGE}-{ANNA}", clinic.messenger._owner)
                raise StoreUnavailable("gone for a moment")
            return finish(*arguments)

        monkeypatch.setattr(clinic.messenger.inbox, "finish", fails_once)
        texts = await clinic.says(ANNA, "two", answers=3)
        assert texts[1:] == ["First.", "Second."] and bot.heard == ["two"]


# ------------------------------------------------------------ staff


async def test_staff_replies_go_out_and_the_bot_says_that_it_is_one(clinic: Clinic) -> None:
    await clinic.says(ANNA, "a hard one", answers=2)
    reply = OutgoingReply(clinic.person(ANNA), Reply("Sarah here: yes, we do.", author="staff"), "sarah")
    clinic.store.enqueue_reply(reply)
    sent = await clinic.meta.sent_to(ANNA, 3)
    assert sent[2].text == "Sarah here: yes, we do." and sent[2].tag == ""
    assert clinic.store.pending_replies(CHANNEL) == []
    back = await clinic.says(ANNA, "thanks", answers=2)
    assert "automated assistant again" in back[0]
    assert [m.state for m in clinic.messenger.outbox.delivery(reply.id)] == [OutboxState.SENT]


@pytest.mark.parametrize(
    ("granted", "days", "arrives"), [("no", 2, False), ("yes", 2, True), ("yes", 8, False)]
)
async def test_staff_replies_after_the_window(
    make_settings: Callable[..., Settings], meta: Meta, granted: str, days: int, arrives: bool
) -> None:
    settings = make_settings(messenger_human_agent=granted)
    async with clinic_server(settings, SmallBot(), meta) as clinic:
        await clinic.hears(meta.text(ANNA, "old", at=time.time() - days * 86400))
        await meta.sent_to(ANNA, 2)
        meta.closed.add(ANNA)
        reply = OutgoingReply(clinic.person(ANNA), Reply("Late, but here.", author="staff"), "sarah")
        clinic.store.enqueue_reply(reply)
        if arrives:
            assert (await meta.sent_to(ANNA, 3))[2].tag == "HUMAN_AGENT"
            return
        while not (delivery := clinic.messenger.outbox.delivery(reply.id)):
            await asyncio.sleep(0.05)
        assert delivery[0].state is OutboxState.FAILED
        assert ("7 days" if granted == "yes" else "24 hours") in delivery[0].problem
        assert clinic.store.pending_replies(CHANNEL) == []


# ------------------------------------------------------------ off


async def test_without_settings_it_is_off(
    make_settings: Callable[..., Settings], meta: Meta, caplog: pytest.LogCaptureFixture
) -> None:
    off = {f"messenger_{name}": "" for name in ("app_secret", "verify_token", "page_tokens")}
    with caplog.at_level("INFO"):
        async with clinic_server(make_settings(**off), SmallBot(), meta):
            assert await meta.deliver(b"{}") == 404
    assert sum("Messenger is off" in record.message for record in caplog.records) == 1


async def test_nothing_that_people_say_and_no_token_is_logged(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="bot")
    clinic.meta.faults.extend([Fault(error=4), Fault(error=100), Fault(error=1), None, Fault(error=190)])
    await clinic.says(ANNA, "my secret lump", answers=1)
    await clinic.hears(clinic.meta.text(ANNA, "my secret lump"))
    await clinic.says(ANNA, "break my secret lump")
    logged = "\n".join(record.getMessage() + str(record.exc_info or "") for record in caplog.records)
    assert "lump" not in logged and "token-100" not in logged and "app-secret" not in logged
