"""The website chat as visitors use it, in a real browser against the real assistant."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from benchmarks.browser import PHONE, violations
from bot.settings import load_settings
from bot.store.store import Store
from tests.alone import Alone
from tests.cluster import ChatServer
from tests.conftest import System
from tests.e2e.conftest import Chat
from tests.site import Site

CALL = "1300 455 792"
Visit = Callable[..., Chat]


def page_with_chat(system: System, attributes: str = "", html: str = 'lang="en"', head: str = "") -> str:
    """A page of somebody else's with the one line in it."""
    script = f'<script src="{system.chat_url}/webhooks/website/widget.js" {attributes} defer></script>'
    return f"<!doctype html><html {html}><title>x</title>{head}<main><h1>A page</h1></main>{script}</html>"


@contextmanager
def hanging(server: ChatServer) -> Iterator[None]:
    """The server takes connections and never answers."""
    server.hang()
    try:
        yield
    finally:
        server.go_on()


def reads_the_phone_line(chat: Chat, since: float) -> None:
    """Within 5 seconds, and what a machine adds that runs all of this at once."""
    expect(chat.problem).to_contain_text("taking longer", timeout=7_000)
    expect(chat.problem.get_by_role("link", name=f"Call {CALL}")).to_be_in_viewport(ratio=0.99)
    assert time.monotonic() - since < 7


# ---------------------------------------------------------------- conversations


def test_a_whole_conversation_typed_and_clicked(
    visit: Visit, new_context: Callable[..., BrowserContext]
) -> None:
    context = new_context(permissions=["clipboard-read", "clipboard-write"])
    chat = visit(context=context).open().ready()
    page = chat.page
    expect(chat.panel).to_contain_text("automated assistant")
    expect(chat.panel.get_by_role("link", name="Privacy")).to_have_attribute("href", re.compile("^https://"))

    chat.chips.first.click()
    expect(chat.replies.first).to_contain_text("hard white lumps")
    expect(chat.mine.first).to_contain_text("What are milia?")
    step = chat.chips.nth(1)
    title = step.inner_text()
    step.click()
    expect(chat.mine.nth(1)).to_contain_text(title)
    expect(chat.replies.nth(1)).to_be_visible()

    discount = chat.say("Is there a discount code?")
    discount.get_by_role("button", name="Copy code").click()
    expect(discount.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "miliagone"

    booking = chat.say("How do I book an appointment?")
    book = booking.get_by_role("link", name="Book online")
    assert "source=website" in (book.get_attribute("href") or "")
    expect(book).to_have_attribute("rel", "noopener")
    expect(booking.get_by_role("link", name=f"Call {CALL}")).to_have_attribute("href", "tel:1300455792")

    helped = booking.get_by_role("button", name="This helped", exact=True)
    helped.click()
    expect(helped).to_have_attribute("aria-pressed", "true")
    expect(booking).to_contain_text("Thanks!")
    expect(booking.locator("time")).to_have_text(re.compile(r"^\d{1,2}:\d\d [ap]m$"))


def test_opened_links_are_told_to_the_clinic(visit: Visit, system: System) -> None:
    chat = visit().open().ready()
    booking = chat.say("How do I book an appointment?")
    # Neither another site nor a telephone is at hand here.
    chat.page.evaluate("addEventListener('click', (click) => click.preventDefault())")
    for link in ("Book online", f"Call {CALL}"):
        with chat.page.expect_response("**/webhooks/website/clicks") as told:
            booking.get_by_role("link", name=link).click()
        assert told.value.status == 204
    person = load_settings(system.environment).person("website", chat.conversation)
    events = Store(system.database_url).events(person_key=person.key)
    assert sorted(e.data["link"] for e in events if e.name == "link_clicked") == ["booking", "phone"]


def test_what_is_not_known_is_offered_to_be_asked_otherwise(visit: Visit) -> None:
    chat = visit().open().ready()
    reply = chat.say("Do you repair cars?")
    expect(reply).to_contain_text(CALL)
    expect(reply.get_by_role("link", name=f"Call {CALL}")).to_be_visible()


def test_several_messages_in_a_row_are_answered_in_order(visit: Visit) -> None:
    chat = visit().open().ready()
    for text in ("Does it hurt?", "What are milia?", "How big are they?"):
        chat.input.fill(text)
        chat.input.press("Enter")
    expect(chat.replies).to_have_count(3)
    said = chat.texts()
    assert [text for text in said if text.endswith("?")] == [
        "Does it hurt?",
        "What are milia?",
        "How big are they?",
    ]
    answers = [text for text in said if not text.endswith("?")]
    assert "painful" in answers[0] and "hard white lumps" in answers[1] and "mm" in answers[2]


def test_only_the_latest_reply_offers_next_steps(visit: Visit) -> None:
    chat = visit().open().ready()
    chat.say("What are milia?")
    expect(chat.page.get_by_role("group", name="Suggestions")).to_have_count(1)
    first = chat.chips.all_inner_texts()
    chat.say("Does it hurt?")
    expect(chat.page.get_by_role("group", name="Suggestions")).to_have_count(1)
    assert chat.chips.all_inner_texts() != first


def test_two_visitors_never_see_each_other(visit: Visit) -> None:
    one, two = visit().open().ready(), visit().open().ready()
    one.say("What are milia?")
    two.say("Does it hurt?")
    assert one.conversation != two.conversation
    for chat, own, other in (
        (one, "What are milia?", "Does it hurt?"),
        (two, "Does it hurt?", "What are milia?"),
    ):
        chat.page.reload()
        expect(chat.replies).to_have_count(1)
        assert own in chat.texts() and other not in chat.texts()


def test_start_again_begins_a_new_conversation(visit: Visit) -> None:
    chat = visit().open().ready()
    chat.say("What are milia?")
    before = chat.conversation
    chat.page.get_by_role("button", name="Start again").click()
    chat.page.get_by_role("button", name="Keep chatting").click()
    expect(chat.mine).to_have_count(1)
    chat.page.get_by_role("button", name="Start again").click()
    chat.page.get_by_role("group", name="Start again?").get_by_role("button", name="Start again").click()
    expect(chat.mine).to_have_count(0)
    chat.ready()
    assert chat.conversation != before
    chat.chips.first.click()
    expect(chat.replies.first).to_contain_text("hard white lumps")


# ---------------------------------------------------------------- coming back


def test_after_a_reload_and_on_another_page_the_conversation_is_there(
    visit: Visit, system: System, site: Site
) -> None:
    first = site.put("/one", page_with_chat(system))
    second = site.put("/two", page_with_chat(system))
    chat = visit(first).open().ready()
    chat.say("What are milia?")
    chat.say("Is there a discount code?")
    said, steps = chat.texts(), chat.chips.all_inner_texts()
    chat.page.reload()
    expect(chat.panel).to_be_visible()  # it was open before
    expect(chat.replies).to_have_count(2)
    assert chat.texts() == said
    assert chat.chips.all_inner_texts() == steps
    chat.goto(second)
    expect(chat.replies).to_have_count(2)
    assert chat.texts() == said
    expect(chat.panel.get_by_role("button", name="Copy code")).to_be_visible()
    chat.chips.first.click()  # buttons of before still work
    expect(chat.replies).to_have_count(3)


def test_what_is_half_written_survives_a_reload(visit: Visit) -> None:
    chat = visit().open().ready()
    chat.input.fill("I was about to ask")
    chat.page.reload()
    expect(chat.input).to_have_value("I was about to ask")


def test_a_reply_from_staff_appears_without_a_reload(
    visit: Visit, staff: Callable[[Chat, str], None]
) -> None:
    chat = visit().open().ready()
    chat.say("Can I talk to a person?")
    staff(chat, "Hello, this is Sarah. How can I help?")
    reply = chat.page.locator("milia-chat .message.staff")
    expect(reply).to_contain_text("Hello, this is Sarah.", timeout=8_000)
    expect(reply).to_contain_text("Our team")
    chat.page.keyboard.press("Escape")
    staff(chat, "Are you still there?")
    expect(chat.launcher).to_have_accessible_name("Open chat, 1 new message", timeout=8_000)
    expect(chat.page.locator("milia-chat .badge")).to_have_text("1")
    chat.page.reload()
    chat.open()
    expect(reply).to_have_count(2)
    expect(chat.page.locator("milia-chat .badge")).to_be_hidden()


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_the_chat_opens_at_the_first_unread_message(
    visit: Visit, staff: Callable[[Chat, str], None], options: dict[str, Any]
) -> None:
    chat = visit(**options).open().ready()
    chat.say("What are milia? And how do I book?")
    chat.page.keyboard.press("Escape")
    # It comes while no page is there, so that the history brings it first.
    chat.page.route("**/live?*", lambda route: route.abort())
    staff(chat, "Hello, this is Sarah. How can I help?")
    chat.page.reload()
    chat.page.unroute("**/live?*")
    expect(chat.launcher).to_have_accessible_name("Open chat, 1 new message", timeout=10_000)
    chat.open()
    expect(chat.replies.filter(has_text="Sarah")).to_be_in_viewport(ratio=0.99)
    chat.page.keyboard.press("Escape")
    staff(chat, "Are you still there?")
    expect(chat.launcher).to_have_accessible_name("Open chat, 1 new message", timeout=8_000)
    staff(chat, "Tell us more about it. " * 30)
    expect(chat.launcher).to_have_accessible_name("Open chat, 2 new messages", timeout=8_000)
    chat.open()
    expect(chat.replies.filter(has_text="still there")).to_be_in_viewport(ratio=0.99)
    expect(chat.replies.last).to_be_in_viewport()


# ---------------------------------------------------------------- trouble


def test_a_network_cut_loses_nothing_and_answers_once(visit: Visit) -> None:
    chat = visit().open().ready()
    chat.page.context.set_offline(True)
    chat.input.fill("What are milia?")
    chat.input.press("Enter")
    expect(chat.problem).to_contain_text(CALL, timeout=15_000)
    expect(chat.problem.get_by_role("link", name=f"Call {CALL}")).to_have_attribute("href", "tel:1300455792")
    expect(chat.mine.first).to_contain_text("Not sent")
    chat.page.context.set_offline(False)
    expect(chat.replies).to_have_count(1, timeout=15_000)
    expect(chat.problem).to_have_count(0)
    expect(chat.mine).to_have_count(1)
    expect(chat.mine.first).not_to_contain_text("Not sent")


def test_a_server_that_went_away_behind_a_proxy_is_asked_again(visit: Visit) -> None:
    chat = visit().open().ready()
    away = iter([502, 504])

    def answer(route: Any) -> None:
        status = next(away, 0)
        route.fulfill(status=status, body="<html>Bad gateway</html>") if status else route.continue_()

    chat.page.route("**/messages", answer)
    expect(chat.say("What are milia?")).to_contain_text("hard white lumps")
    expect(chat.mine).to_have_count(1)


def test_what_could_not_be_sent_is_there_after_a_reload(visit: Visit) -> None:
    chat = visit().open().ready()
    page = chat.page
    page.route("**/messages", lambda route: route.abort())
    chat.input.fill("Does it hurt?")
    chat.input.press("Enter")
    expect(chat.problem).to_be_visible(timeout=15_000)
    page.unroute("**/messages")
    page.reload()
    expect(chat.mine.first).to_contain_text("Does it hurt?")
    expect(chat.replies).to_have_count(1)
    expect(chat.problem).to_have_count(0)


def test_an_answer_that_was_cut_off_is_asked_for_once_more(visit: Visit) -> None:
    chat = visit().open().ready()
    cut: list[str] = []

    def lose_the_answer(route: Any) -> None:
        if cut:
            return route.continue_()
        cut.append(route.request.post_data)
        route.fetch()  # the server does its part
        route.abort()

    chat.page.route("**/messages", lose_the_answer)
    chat.input.fill("What are milia?")
    chat.input.press("Enter")
    expect(chat.replies).to_have_count(1, timeout=15_000)
    chat.page.reload()
    expect(chat.replies).to_have_count(1)
    expect(chat.mine).to_have_count(1)


def test_without_a_server_the_phone_line_is_shown(visit: Visit) -> None:
    chat = visit()
    chat.page.route("**/webhooks/website/session", lambda route: route.abort())
    chat.open()
    expect(chat.problem).to_contain_text(CALL)
    chat.page.unroute("**/webhooks/website/session")
    chat.problem.get_by_role("button", name="Try again").click()
    chat.ready()
    expect(chat.problem).to_have_count(0)


def test_a_server_that_hangs_is_waited_for_beside_the_phone_line(visit: Visit, alone: Alone) -> None:
    chat = visit(alone.chat.url + "/").open().ready()
    chat.say("What are milia?")
    expect(chat.typing).to_be_hidden()  # that answer is over
    with hanging(alone.chat):
        since = time.monotonic()
        chat.input.fill("Does it hurt?")
        chat.input.press("Enter")
        expect(chat.typing).to_be_visible(timeout=1_000)
        reads_the_phone_line(chat, since)
        chat.input.fill("How big are they?")
        chat.input.press("Enter")
        expect(chat.mine).to_have_count(3)
        expect(chat.problem).to_be_in_viewport(ratio=0.99)
    expect(chat.replies).to_have_count(3)
    expect(chat.problem).to_have_count(0)
    expect(chat.typing).to_be_hidden()
    expect(chat.log).not_to_contain_text("Not sent")
    chat.page.reload()
    expect(chat.replies).to_have_count(3)
    expect(chat.mine).to_have_count(3)


def test_a_server_that_hangs_when_the_chat_is_opened(visit: Visit, alone: Alone) -> None:
    chat = visit(alone.chat.url + "/")
    with hanging(alone.chat):
        since = time.monotonic()
        chat.open()
        reads_the_phone_line(chat, since)
        chat.input.fill("Does it hurt?")
        chat.input.press("Enter")
        expect(chat.typing).to_be_visible()
    expect(chat.replies).to_have_count(1)
    expect(chat.problem).to_have_count(0)
    expect(chat.mine).to_have_count(1)


def test_starting_again_while_a_server_hangs(visit: Visit, alone: Alone) -> None:
    chat = visit(alone.chat.url + "/").open().ready()
    chat.page.clock.install()
    with hanging(alone.chat):
        chat.input.fill("What are milia?")
        chat.input.press("Enter")
        expect(chat.typing).to_be_visible()
        chat.page.get_by_role("button", name="Start again").click()
        since = time.monotonic()
        chat.page.get_by_role("group", name="Start again?").get_by_role("button", name="Start again").click()
        reads_the_phone_line(chat, since)
        chat.input.fill("Does it hurt?")
        chat.input.press("Enter")
        chat.page.clock.fast_forward(20_000)  # the first message is given up
        expect(chat.typing).to_be_visible()
    expect(chat.replies).to_have_count(1)
    expect(chat.replies).to_contain_text("prick")
    expect(chat.mine).to_have_count(1)
    expect(chat.problem).to_have_count(0)


def test_a_server_that_was_given_up_is_asked_again_when_it_goes_on(visit: Visit, alone: Alone) -> None:
    chat = visit(alone.chat.url + "/").open().ready()
    chat.page.clock.install()
    retry = chat.problem.get_by_role("button", name="Try again")
    with hanging(alone.chat):
        chat.input.fill("Does it hurt?")
        chat.input.press("Enter")
        while not retry.is_visible():
            chat.page.clock.fast_forward(5_000)
        expect(chat.mine).to_contain_text("Not sent")
        expect(chat.typing).to_be_hidden()
    chat.page.clock.fast_forward(15_000)  # it doesn't ask all the time
    expect(chat.replies).to_have_count(1)
    expect(chat.problem).to_have_count(0)
    expect(chat.mine).to_have_count(1)
    expect(chat.mine).not_to_contain_text("Not sent")


def test_too_many_messages_are_refused_in_words(visit: Visit) -> None:
    chat = visit().open().ready()
    for number in range(21):
        chat.input.fill(f"Question {number}: what are milia?")
        chat.input.press("Enter")
    expect(chat.problem).to_contain_text("wait a moment", timeout=30_000)
    expect(chat.problem).to_contain_text(CALL)


def test_a_message_that_is_too_long_can_be_edited(visit: Visit) -> None:
    chat = visit().open().ready()
    chat.input.fill("word " * 9_000)
    chat.page.route("**/messages", lambda route: route.continue_(post_data=b"x" * 300_000))
    chat.input.press("Enter")
    expect(chat.problem).to_contain_text("too long", timeout=15_000)
    chat.page.unroute("**/messages")
    chat.problem.get_by_role("button", name="Edit it").click()
    expect(chat.mine).to_have_count(0)
    chat.say("What are milia?")


def test_an_expired_session_becomes_a_new_one(visit: Visit) -> None:
    chat = visit().open().ready()
    chat.page.evaluate(
        'Object.keys(localStorage).forEach((key) => { localStorage[key] = \'{"token": "old.old.old"}\' })'
    )
    chat.say("What are milia?")
    assert chat.conversation.startswith("website-")


def test_without_storage_the_chat_still_works(
    visit: Visit, new_context: Callable[..., BrowserContext]
) -> None:
    context = new_context()
    context.add_init_script(
        "for (const kind of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, kind, { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    chat = visit(context=context).open().ready()
    chat.say("What are milia?")


# ---------------------------------------------------------------- in sight


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_what_follows_a_very_long_message_is_in_sight(visit: Visit, options: dict[str, Any]) -> None:
    chat = visit(**options).open().ready()
    long = "What are milia, and do they hurt? " * 110
    expect(chat.say(long).locator(".bubble")).to_be_in_viewport(ratio=0.99)
    chat.page.keyboard.press("Escape")
    chat.open()
    expect(chat.replies.first.locator(".bubble")).to_be_in_viewport(ratio=0.99)
    chat.input.fill(long * 20)
    chat.input.press("Enter")
    expect(chat.problem).to_contain_text("too long")
    expect(chat.problem).to_be_in_viewport(ratio=0.99)


@pytest.mark.parametrize("width", [320, 360])
def test_consent_to_a_call_is_read_and_given_without_scrolling(visit: Visit, width: int) -> None:
    chat = visit(**{**PHONE, "viewport": {"width": width, "height": 640}})
    chat.open().ready()
    expect(chat.say("Can you call me back please?").locator(".bubble")).to_be_in_viewport(ratio=0.99)
    for chip in ("Yes, call me", "No, thanks"):
        expect(chat.chips.get_by_text(chip)).to_be_in_viewport(ratio=0.99)


# ---------------------------------------------------------------- on any page


def test_nothing_is_asked_of_the_server_before_the_first_click(visit: Visit, system: System) -> None:
    chat = visit()
    chat.page.wait_for_load_state("networkidle")
    assert [url.removeprefix(system.chat_url) for url in chat.requests] == [
        "/", "/demo.css", "/webhooks/website/widget.js"
    ]  # fmt: skip
    chat.open().ready()
    chat.say("What are milia?")
    assert {url.startswith(system.chat_url) for url in chat.requests} == {True}  # no third party
    assert chat.page.context.cookies() == []


def test_on_a_page_with_a_strict_policy(visit: Visit, system: System, site: Site) -> None:
    policy = (
        f"default-src 'none'; script-src {system.chat_url}; connect-src {system.chat_url};"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    )
    url = site.put("/strict", page_with_chat(system), Content_Security_Policy=policy)
    chat = visit(url)
    violated: list[str] = []
    chat.page.on("console", lambda message: violated.append(message.text))
    chat.open().ready()
    chat.say("What are milia?")
    chat.page.get_by_role("button", name="This helped", exact=True).click()
    assert violated == []
    panel = chat.page.evaluate(
        "getComputedStyle(document.querySelector('milia-chat').shadowRoot.querySelector('.panel')).position"
    )
    assert panel == "fixed"


def test_a_site_that_is_not_allowed_gets_the_phone_line(visit: Visit, system: System) -> None:
    with Site.open() as stranger:
        url = stranger.put("/", page_with_chat(system))
        chat = visit(url).open()
        expect(chat.problem).to_contain_text(CALL)


def test_the_page_s_styles_stay_outside(visit: Visit, system: System, site: Site) -> None:
    hostile = (
        "* { font: 9px serif !important; letter-spacing: 9px !important; color: red !important; }"
        " html { font-size: 62.5%; } button, p, div { display: none !important; }"
    )
    url = site.put("/styled", page_with_chat(system, head=f"<style>{hostile}</style>"))
    chat = visit(url).open().ready()
    look = chat.page.evaluate(
        "(() => { const style = getComputedStyle(document.querySelector('milia-chat').shadowRoot"
        ".querySelector('.bubble')); return [style.fontSize, style.letterSpacing, style.color]; })()"
    )
    assert look == ["16px", "normal", "rgb(22, 33, 31)"]


def test_behind_a_reverse_proxy_under_a_path(visit: Visit, system: System, site: Site) -> None:
    site.proxied["/clinic/chat/"] = system.chat_url
    chat = visit(site.url + "/clinic/chat/").open().ready()
    chat.say("What are milia?")
    assert {url.startswith(site.url + "/clinic/chat/") for url in chat.requests} == {True}
    chat.page.reload()
    expect(chat.replies).to_have_count(1)


def test_attributes_of_the_script_set_colour_place_title_and_greeting(
    visit: Visit, system: System, site: Site
) -> None:
    attributes = (
        'data-colour="#ffe600" data-position="left" data-title="Ask &lt;us&gt;" data-greeting="G\'day!"'
    )
    url = site.put("/own", page_with_chat(system, attributes))
    chat = visit(url).open().ready()
    expect(chat.panel).to_have_accessible_name("Ask <us>")
    expect(chat.log).to_contain_text("G'day!")
    box = chat.launcher.bounding_box()
    assert box and box["x"] < 100
    assert "rgb(255, 230, 0)" in chat.launcher.evaluate("node => getComputedStyle(node).backgroundColor")
    assert violations(chat.page) == []  # black on yellow, and links that can be read on white


# ---------------------------------------------------------------- phones, keyboards, eyes


def test_keyboard_only(visit: Visit) -> None:
    chat = visit()
    page = chat.page
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.localName == 'milia-chat'"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    chat.ready()
    expect(chat.input).to_be_focused()
    page.keyboard.type("Is there a discount code?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Thanks")
    page.keyboard.press("Enter")
    expect(chat.mine.first).to_contain_text("Thanks")
    expect(chat.replies.first).to_contain_text("miliagone")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        reached.add(
            page.evaluate("document.querySelector('milia-chat').shadowRoot.activeElement?.innerText?.trim()")
        )
    assert {"Copy code", f"Call {CALL}"} <= reached
    chat.input.focus()
    page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_focused()
    # Not modal on a large screen: Tab goes on to the page.
    page.keyboard.press("Enter")
    expect(chat.input).to_be_focused()
    expect(chat.panel).to_have_attribute("aria-modal", "false")
    outside = False
    for _ in range(40):
        page.keyboard.press("Tab")
        outside = outside or page.evaluate("document.activeElement.localName") == "a"
    assert outside


def test_focus_is_always_visible(visit: Visit) -> None:
    chat = visit().open().ready()
    page = chat.page
    for _ in range(8):
        page.keyboard.press("Tab")
        width = page.evaluate(
            "(() => { const outer = document.activeElement, node = outer.shadowRoot?.activeElement || outer;"
            " return parseFloat(getComputedStyle(node).outlineWidth) })()"
        )
        assert width >= 1


def test_on_a_phone_it_fills_the_screen_and_keeps_the_focus(visit: Visit) -> None:
    chat = visit(**PHONE)
    page = chat.page
    chat.launcher.tap()
    chat.ready()
    box = chat.panel.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 320, "height": 640}
    expect(chat.panel).to_have_attribute("aria-modal", "true")
    expect(chat.input).not_to_be_focused()  # the keyboard would hide what there is to read
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.localName") == "milia-chat"
    chat.chips.first.tap()
    expect(chat.replies.first).to_be_visible()
    page.get_by_role("button", name="Close chat").tap()
    expect(chat.panel).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).overflowY") == "visible"


def test_the_keyboard_of_a_phone_leaves_the_input_in_sight(visit: Visit) -> None:
    chat = visit(**PHONE)
    chat.launcher.tap()
    chat.ready()
    # As iOS does it: the layout stays, what is visible shrinks and moves.
    chat.page.evaluate(
        "() => { const view = visualViewport; Object.defineProperty(view, 'height', { value: 320 });"
        " Object.defineProperty(view, 'offsetTop', { value: 60 }); view.dispatchEvent(new Event('resize')); }"
    )
    panel, field = chat.panel.bounding_box(), chat.input.bounding_box()
    assert panel and field
    assert (panel["y"], panel["height"]) == (60, 320)
    assert field["y"] + field["height"] <= 380


def test_new_messages_only_are_announced(visit: Visit) -> None:
    chat = visit().open().ready()
    expect(chat.log).to_have_attribute("aria-live", "polite")
    chat.say("What are milia?")
    chat.page.reload()
    expect(chat.log).to_have_attribute("aria-live", "off")
    expect(chat.replies).to_have_count(1)
    expect(chat.log).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barriers_in_any_state(visit: Visit, width: int, scheme: str) -> None:
    options: dict[str, Any] = PHONE if width == 320 else {}
    chat = visit(color_scheme=scheme, reduced_motion="reduce", **options)
    page = chat.page
    assert violations(page) == []
    chat.open()
    chat.ready()
    assert violations(page) == []
    chat.say("Is there a discount code?")
    reply = chat.say("How do I book an appointment?")
    page.get_by_role("button", name="Copy code").click()
    reply.get_by_role("button", name="This didn't help").click()
    expect(reply).to_contain_text("we'll look into it")
    assert violations(page) == []
    page.get_by_role("button", name="Start again").click()
    assert violations(page) == []
    page.get_by_role("button", name="Keep chatting").click()
    page.context.set_offline(True)
    chat.input.fill("Is it far?")
    chat.input.press("Enter")
    expect(chat.problem).to_be_visible(timeout=15_000)
    assert violations(page) == []
    page.context.set_offline(False)
    expect(chat.problem).to_have_count(0, timeout=15_000)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


@pytest.mark.parametrize(
    "colour", ["#000", "#fff", "#808080", "hotpink", "oklch(70% 0.2 140)", "nonsense", "#777"]
)
def test_every_theme_colour_can_be_read(visit: Visit, system: System, site: Site, colour: str) -> None:
    url = site.put("/colour", page_with_chat(system, f'data-colour="{colour}"'))
    for scheme in ("light", "dark"):
        chat = visit(url, color_scheme=scheme, reduced_motion="reduce").open().ready()
        chat.say("How do I book an appointment?")
        assert violations(chat.page) == []


@pytest.mark.parametrize(
    ("text", "width", "height"), [("200%", 1280, 800), ("200%", 320, 640), ("100%", 320, 256)]
)
def test_large_text_and_strong_zoom_leave_everything_reachable(
    visit: Visit, text: str, width: int, height: int
) -> None:
    chat = visit(viewport={"width": width, "height": height})
    chat.page.evaluate(f"document.documentElement.style.fontSize = '{text}'")
    chat.open().ready()
    reply = chat.say("How do I book an appointment?")
    expect(reply.get_by_role("link", name="Book online")).to_be_visible()
    for part in (
        chat.input,
        chat.page.get_by_role("button", name="Send"),
        chat.page.get_by_role("button", name="Close chat").last,
    ):
        expect(part).to_be_in_viewport(ratio=0.99)
    view = chat.page.get_by_role("group", name="Conversation")
    assert view.evaluate("view => view.scrollWidth - view.clientWidth") <= 0
    assert view.evaluate("view => view.clientHeight") >= 90


def test_on_a_page_from_right_to_left(visit: Visit, system: System, site: Site) -> None:
    url = site.put("/rtl", page_with_chat(system, html='lang="ar" dir="rtl"'))
    chat = visit(url).open().ready()
    chat.say("How do I book an appointment?")
    launcher, mine, reply = (
        chat.launcher.bounding_box(),
        chat.mine.first.locator(".bubble").bounding_box(),
        chat.replies.first.locator(".bubble").bounding_box(),
    )
    assert launcher and mine and reply
    assert launcher["x"] < 100
    assert mine["x"] < reply["x"]
    assert violations(chat.page) == []


def test_with_forced_colours_and_reduced_motion(visit: Visit) -> None:
    chat = visit(forced_colors="active", reduced_motion="reduce").open().ready()
    reply = chat.say("How do I book an appointment?")
    border = reply.locator(".bubble").evaluate("node => getComputedStyle(node).borderTopColor")
    background = reply.locator(".bubble").evaluate("node => getComputedStyle(node).backgroundColor")
    assert border != background
    assert chat.panel.evaluate("node => getComputedStyle(node).animationName") == "none"


def test_a_slow_network_is_enough(
    visit: Visit, new_context: Callable[..., BrowserContext], system: System
) -> None:
    context = new_context()
    page: Page = context.new_page()
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    slow_3g = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    client.send("Network.emulateNetworkConditions", slow_3g)
    chat = Chat(page)
    chat.goto(system.chat_url + "/")
    chat.open().ready()
    chat.say("What are milia?")
    assert chat.errors == []
