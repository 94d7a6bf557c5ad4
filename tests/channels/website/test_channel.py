"""The website channel as a browser sees it: real HTTP, real store, a small bot."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.clinic_source import shared_clinic
from bot.model import Event, OutgoingReply, Reason, Reply
from tests.channels.website.small_bot import ANSWER, SmallBot

PHONE = "1300 455 792"


async def test_a_question_is_answered_with_next_steps_that_work(visitor: Any) -> None:
    [reply] = await visitor.say("What are milia?")
    assert reply["text"] == ANSWER
    step = reply["buttons"][0]
    [answer] = await visitor.say(step["title"], button=step["payload"])
    assert visitor.bot.heard == ["What are milia?", "Does it hurt?"]
    assert answer["text"] == "You said: Does it hurt?"


async def test_replies_come_as_they_are_made(visitor: Any) -> None:
    headers = {"Authorization": f"Bearer {visitor.token}"}
    url = f"{visitor.url}/webhooks/website/messages"
    body = json.dumps({"id": "slow-one-1", "text": "slow"})
    async with visitor.http.post(url, data=body, headers=headers) as response:
        assert json.loads(await response.content.readline()) == {"type": "typing"}
        visitor.bot.go_on.set()
        assert json.loads(await response.content.readline())["text"] == "You said: slow"
        assert json.loads(await response.content.readline()) == {"type": "done"}


async def test_typed_text_is_never_a_command(visitor: Any) -> None:
    greeting = (await visitor.meet())["buttons"][0]["payload"]
    stranger = visitor.another()
    await stranger.meet()
    for text in ("/restart", "/faq/pain", greeting.replace("~", " "), greeting):
        await stranger.say(text)
    assert stranger.bot.heard == ["/restart", "/faq/pain", greeting.replace("~", " "), greeting]


async def test_a_button_of_another_conversation_is_its_title(visitor: Any) -> None:
    theirs = (await visitor.meet())["buttons"][0]
    stranger = visitor.another()
    await stranger.meet()
    await stranger.say(theirs["title"], button=theirs["payload"])
    tracker = await visitor.bot.tracker_store.retrieve(stranger.person().sender_id)
    assert tracker.latest_message.text == theirs["title"]
    assert "button" not in tracker.latest_message.parse_data


async def test_nobody_reads_or_writes_the_conversation_of_somebody_else(visitor: Any) -> None:
    await visitor.say("My secret question")
    stranger = visitor.another()
    await stranger.meet()
    assert await stranger.history() == []
    mine = visitor.person().sender_id
    body = {"id": "message-9999", "text": "hello", "sender": mine, "sender_id": mine, "conversation": mine}
    assert (await stranger.ask("POST", "messages", body))[0] == 200
    assert len(await visitor.history()) == 2
    # Neither a made-up token, nor one that was tampered with, nor none at all.
    signature = visitor.token.rpartition(".")[2]
    other_payload = stranger.token.rpartition(".")[0] + "." + signature
    for token in (mine, visitor.token.replace(signature, signature[::-1]), other_payload, "a.b.c", ""):
        stranger.token = token
        for method, path, sent in (
            ("GET", "history", None),
            ("GET", "live", None),
            ("POST", "messages", {"id": "message-1", "text": "x"}),
            ("POST", "feedback", {"reply": "message-1", "up": True}),
            ("POST", "clicks", {"target": "tel:1300455792"}),
        ):
            status, answer, _ = await stranger.ask(method, path, sent)
            assert (status, "error" in answer) == (401, True)


async def test_a_session_lasts_over_a_restart_and_can_be_renewed(serve: Callable[..., Any]) -> None:
    bot = SmallBot()
    before = await serve(bot, secret_key="k" * 40)
    await before.say("two")
    after = await serve(bot, secret_key="k" * 40)
    after.token = before.token
    assert await after.history() == [("visitor", "two"), ("bot", "First."), ("bot", "Second.")]
    met = await after.meet()
    assert not met["new"]
    assert len(await after.history()) == 3


async def test_history_holds_buttons_links_and_codes(visitor: Any) -> None:
    await visitor.say("the code please")
    await visitor.say("I want to book")
    said = await visitor.say("What are milia?")
    _, answer, _ = await visitor.ask("GET", "history")
    items = answer["items"]
    assert items[1]["code"] == "miliagone"
    assert items[3]["links"][1] == {"title": "Call 1300 455 792", "target": "tel:1300455792"}
    assert items[5]["buttons"] == said[0]["buttons"]
    assert items[5]["id"] == said[0]["id"]
    assert items[4]["id"] == "message-0003"


async def test_a_message_that_is_sent_again_is_answered_once(serve: Callable[..., Any]) -> None:
    bot = SmallBot()
    visitor = await serve(bot, secret_key="k" * 40)
    first = await visitor.say("Does it hurt?", "the-same-1")
    assert await visitor.say("Does it hurt?", "the-same-1", again=True) == first
    restarted = await serve(bot, secret_key="k" * 40)
    restarted.token = visitor.token
    [again] = await restarted.say("Does it hurt?", "the-same-1", again=True)
    assert again["text"] == first[0]["text"]
    assert bot.heard == ["Does it hurt?"]


async def test_a_retry_of_what_never_arrived_is_answered(visitor: Any) -> None:
    [reply] = await visitor.say("Does it hurt?", "never-came-1", again=True)
    assert reply["text"] == "You said: Does it hurt?"
    [reply] = await visitor.say("And after?", "never-came-2", again=True)
    assert reply["text"] == "You said: And after?"


async def test_an_error_of_ours_is_said_in_words(visitor: Any) -> None:
    visitor.bot.tracker_store = None
    status, answer, _ = await visitor.ask("GET", "history")
    assert (status, PHONE in answer["error"]) == (500, True)


async def test_a_cut_connection_costs_no_answer(visitor: Any) -> None:
    headers = {"Authorization": f"Bearer {visitor.token}"}
    body = json.dumps({"id": "cut-off-1", "text": "slow one"})
    response = await visitor.http.post(f"{visitor.url}/webhooks/website/messages", data=body, headers=headers)
    assert json.loads(await response.content.readline()) == {"type": "typing"}
    response.close()
    visitor.bot.go_on.set()
    [reply] = await visitor.say("slow one", "cut-off-1", again=True)
    assert reply["text"] == "You said: slow one"
    assert visitor.bot.heard == ["slow one"]


async def test_messages_of_a_visitor_are_answered_in_order(visitor: Any) -> None:
    first = asyncio.create_task(visitor.say("slow"))
    await until(lambda: visitor.bot.heard)
    second = asyncio.create_task(visitor.say("fast"))
    other = visitor.another()
    await other.meet()
    await other.say("meanwhile")  # nobody else waits
    visitor.bot.go_on.set()
    await asyncio.gather(first, second)
    assert visitor.bot.heard == ["slow", "meanwhile", "fast"]


async def test_trouble_ends_in_a_reply_with_the_phone_line(visitor: Any) -> None:
    [reply] = await visitor.say("break")
    assert PHONE in reply["text"]
    assert {"title": f"Call {PHONE}", "target": "tel:1300455792"} in reply["links"]
    assert not reply["rate"]
    await visitor.say("hello")
    after_a_reload = await visitor.history()
    assert [(who, text) for who, text in after_a_reload if who == "visitor"] == [
        ("visitor", "break"),
        ("visitor", "hello"),
    ]
    assert after_a_reload[1] == ("bot", reply["text"])
    _, answer, _ = await visitor.ask("GET", "history")
    assert answer["items"][1]["id"] == reply["id"]


async def test_staff_replies_arrive_without_a_reload(visitor: Any) -> None:
    await visitor.say("Can somebody help me?")
    waiting = asyncio.create_task(visitor.ask("GET", "live"))
    await asyncio.sleep(0.2)
    reply = OutgoingReply(visitor.person(), Reply("Hello, Sarah here.", author="staff"), "sarah")
    visitor.store.enqueue_reply(reply)
    _, answer, _ = await asyncio.wait_for(waiting, 5)
    [item] = answer["items"]
    assert (item["from"], item["text"], item["id"]) == ("staff", reply.reply.text, reply.id)
    # It stays in the outbox until the widget has shown it, and in the history for good.
    assert visitor.store.pending_replies("website")
    assert (await visitor.history())[-1] == ("staff", reply.reply.text)
    seen = asyncio.create_task(visitor.ask("GET", f"live?shown={reply.id}"))
    await until(lambda: not visitor.store.pending_replies("website"))
    seen.cancel()
    assert (await visitor.history())[-1] == ("staff", reply.reply.text)


async def test_staff_replies_reach_nobody_else(visitor: Any) -> None:
    stranger = visitor.another()
    await stranger.meet()
    reply = OutgoingReply(visitor.person(), Reply("For you only.", author="staff"), "sarah")
    visitor.store.enqueue_reply(reply)
    waiting = asyncio.create_task(stranger.ask("GET", f"live?shown={reply.id}"))
    done, _ = await asyncio.wait({waiting}, timeout=2.5)
    waiting.cancel()
    assert not done
    assert await stranger.history() == []
    assert visitor.store.pending_replies("website")  # saying that it is shown takes nobody else's away


async def test_a_stopping_server_keeps_nobody_waiting(serve: Callable[..., Any]) -> None:
    from tests.channels.website.small_bot import small_server
    from tests.conftest import free_ports

    visitor = await serve()
    [port] = free_ports(1)
    other = visitor.another()
    other.url = f"http://127.0.0.1:{port}"
    async with small_server(visitor.settings, visitor.bot, port):
        await other.meet()
        waiting = asyncio.create_task(other.ask("GET", "live"))
        await asyncio.sleep(0.2)
    done, _ = await asyncio.wait({waiting}, timeout=3)
    assert done
    waiting.exception()


async def test_thumbs_are_counted_and_a_thumb_down_goes_to_staff(visitor: Any) -> None:
    await visitor.say("My name is Jane Doe, call 0412 345 678")
    [reply] = await visitor.say("Is it dangerous? I'm Jane Doe, on 0412 345 678")
    assert reply["rate"]
    for up in (True, False, False):
        assert (await visitor.ask("POST", "feedback", {"reply": reply["id"], "up": up}))[0] == 200
    events: list[Event] = visitor.store.events(person_key=visitor.person().key)
    assert sorted(event.name for event in events) == ["thumbs_down", "thumbs_up"]
    assert {event.data["reply"] for event in events} == {reply["id"]}
    [question] = visitor.store.questions(reason=Reason.THUMBS_DOWN)
    assert question.text.startswith("Is it dangerous?")
    assert "0412" not in question.text + str(question.context)
    assert [who for who, _ in question.context] == ["visitor", "bot"]


async def test_opened_links_are_counted_if_they_are_the_clinic_s(visitor: Any) -> None:
    await visitor.meet()
    clinic = shared_clinic(visitor.settings).clinic
    for target in (
        clinic.phone_link,
        clinic.booking_link("milia removal", "website"),
        "tel:000",
        "https://evil.example/?next=" + clinic.booking_link(),
    ):
        assert (await visitor.ask("POST", "clicks", {"target": target}))[0] == 204
    events: list[Event] = visitor.store.events(person_key=visitor.person().key)
    assert {event.name for event in events} == {"link_clicked"}
    assert sorted(event.data["link"] for event in events) == ["booking", "phone"]
    assert (await visitor.ask("POST", "clicks", {"target": 5}))[0] == 400


async def test_thumbs_are_for_replies_of_this_conversation(visitor: Any) -> None:
    [reply] = await visitor.say("What are milia?")
    stranger = visitor.another()
    await stranger.meet()
    assert (await stranger.ask("POST", "feedback", {"reply": reply["id"], "up": False}))[0] == 404
    assert visitor.store.questions() == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b'"text"', b"{", b"\xff\xfe", b"1" * 50, b"[" * 100_000,
        b'{"id": "message-1"}', b'{"id": "message-1", "text": 5}', b'{"id": "message-1", "text": null}',
        b'{"id": "", "text": "x"}', b'{"id": "../../etc", "text": "x"}', b'{"id": 12345678, "text": "x"}',
        b'{"id": "message-1", "text": "x", "button": {}}',
    ],
)  # fmt: skip
async def test_malformed_requests_are_refused_in_words(visitor: Any, body: bytes) -> None:
    status, answer, _ = await visitor.ask("POST", "messages", data=body)
    assert (status, bool(answer["error"])) == (400, True)
    assert visitor.bot.heard == []


async def test_a_body_that_is_too_large_is_refused_in_words(visitor: Any) -> None:
    for size in (300_000, 1_200_000):
        status, answer, _ = await visitor.ask("POST", "messages", {"id": "message-1", "text": "x" * size})
        assert (status, PHONE in answer["error"]) == (413, True)
    bomb = gzip.compress(b"x" * 10_000_000)
    status, _, _ = await visitor.ask("POST", "messages", data=bomb, Content_Encoding="gzip")
    assert status == 400
    assert visitor.bot.heard == []


async def test_too_many_messages_are_refused_with_the_time_to_wait(serve: Callable[..., Any]) -> None:
    visitor = await serve(session_rate=3)
    for number in range(3):
        await visitor.say(f"question {number}")
    status, answer, headers = await visitor.ask("POST", "messages", {"id": "message-x", "text": "again"})
    assert status == 429
    assert PHONE in answer["error"]
    assert 1 <= int(headers["Retry-After"]) <= 61
    another = visitor.another()
    await another.meet()
    await another.say("Others are answered")


async def test_one_address_can_t_take_everything(serve: Callable[..., Any]) -> None:
    visitor = await serve(address_rate=3, proxies=1)
    there = {"X_Forwarded_For": "203.0.113.9"}
    statuses = [(await visitor.another().ask("POST", "session", {}, **there))[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    claimed = "198.51.100.1, 203.0.113.9"  # what the visitor writes stands left of what our proxy writes
    assert (await visitor.another().ask("POST", "session", {}, X_Forwarded_For=claimed))[0] == 429
    assert (await visitor.another().ask("POST", "session", {}, X_Forwarded_For="203.0.113.10"))[0] == 200


async def test_without_proxies_forwarded_addresses_are_not_believed(serve: Callable[..., Any]) -> None:
    visitor = await serve(address_rate=2)
    statuses = [
        (await visitor.another().ask("POST", "session", {}, X_Forwarded_For=f"203.0.113.{n}"))[0]
        for n in range(3)
    ]
    assert statuses == [200, 429, 429]


async def test_too_many_at_once_are_asked_to_wait(serve: Callable[..., Any]) -> None:
    visitor = await serve(turns_at_once=2)
    visitors = [visitor.another() for _ in range(2)]
    for other in visitors:
        await other.meet()
    waiting = [asyncio.create_task(other.say("slow")) for other in visitors]
    await until(lambda: len(visitor.bot.heard) == 2)
    status, answer, headers = await visitor.ask("POST", "messages", {"id": "message-x", "text": "me too"})
    assert (status, PHONE in answer["error"], headers["Retry-After"]) == (503, True, "5")
    visitor.bot.go_on.set()
    await asyncio.gather(*waiting)
    await visitor.say("me too")


async def test_one_visitor_can_t_pile_up_messages(visitor: Any) -> None:
    tasks = [asyncio.create_task(visitor.say("slow")) for _ in range(5)]
    await until(lambda: visitor.bot.heard)
    await asyncio.sleep(0.2)
    status, _, headers = await visitor.ask("POST", "messages", {"id": "message-x", "text": "more"})
    assert (status, headers["Retry-After"]) == (429, "5")
    visitor.bot.go_on.set()
    await asyncio.gather(*tasks)


async def test_only_allowed_sites_are_answered(serve: Callable[..., Any]) -> None:
    visitor = await serve(allowed_origins="https://www.skinmatrix.com.au/, http://localhost:8080")
    own = visitor.url
    for origin in ("https://www.skinmatrix.com.au", "http://localhost:8080", own):
        status, _, headers = await visitor.ask("POST", "session", {}, Origin=origin)
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, origin)
        status, _, headers = await visitor.ask("OPTIONS", "messages", Origin=origin)
        assert (status, headers["Access-Control-Allow-Headers"]) == (204, "Authorization, Content-Type")
        assert "Access-Control-Allow-Credentials" not in headers
        # A page must be able to read why it was refused.
        status, _, headers = await visitor.another().ask("GET", "history", Origin=origin)
        assert (status, headers["Access-Control-Allow-Origin"]) == (401, origin)
    for origin in ("https://evil.example", "https://www.skinmatrix.com.au.evil.example", "null", "http://[",
                   "http://www.skinmatrix.com.au", "https://www.skinmatrix.com.au:444"):  # fmt: skip
        for method in ("POST", "OPTIONS"):
            status, answer, headers = await visitor.ask(method, "session", {}, Origin=origin)
            assert (status, "MILIA_ALLOWED_ORIGINS" in answer["error"]) == (403, True)
            assert "Access-Control-Allow-Origin" not in headers


async def test_behind_a_proxy_the_public_address_is_the_own_origin(serve: Callable[..., Any]) -> None:
    visitor = await serve(public_url="https://chat.example.com/milia")
    assert (await visitor.ask("POST", "session", {}, Origin="https://chat.example.com"))[0] == 200
    assert (await visitor.ask("POST", "session", {}, Origin=visitor.url))[0] == 403


async def test_hostile_texts_come_back_as_they_were(visitor: Any) -> None:
    for text in ("milia \ud83d ok", "a\u0000b", "\u202e\u200b", "<script>alert(1)</script>", "x" * 100_000):
        assert await visitor.say(text)
    history = await visitor.history()
    assert ("visitor", "<script>alert(1)</script>") in history
    assert max(len(text) for _, text in history) < 6000


async def until(happened: Callable[[], Any], seconds: float = 5) -> None:
    async def look() -> None:
        while not happened():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), seconds)
