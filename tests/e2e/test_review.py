"""The review in a real browser, against the real assistant: from a question to a decision and a reply."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from benchmarks.browser import DESKTOP, PHONE, violations
from tests.conftest import System
from tests.doubles.meta_thread import MetaThread
from tests.e2e.conftest import Chat, picture, reload_until

PSID = "6001"

Visit = Callable[..., Chat]


def test_from_a_question_nobody_could_answer_to_a_reply_and_a_decision(
    desk: Page, visit: Visit, system: System, meta: MetaThread, images: Path
) -> None:
    first, second = visit().open().ready(), visit().open().ready()
    expect(first.say("Hi, I am Margaret Thatcher, do you do ear piercing?")).to_contain_text("1300 455 792")
    expect(second.say("is ear piercing something you offer")).to_contain_text("1300 455 792")
    meta.says(PSID, "ear piercing, do you do that?")
    meta.gets(PSID, 2)

    group = desk.get_by_role("listitem").filter(has_text=re.compile("ear piercing", re.IGNORECASE))
    three = group.filter(has_text="3 people")
    reload_until(desk, f"{system.staff_url}/?text=ear+piercing", lambda: three.count() == 1)
    expect(group).to_have_count(1)
    expect(group).to_contain_text("3 people")
    expect(group).to_contain_text("Messenger")
    expect(group).not_to_contain_text("Margaret")
    assert violations(desk) == []
    picture(desk, images / "staff-questions.png")

    group.get_by_role("link").click()
    everything = desk.get_by_role("main")
    expect(everything).to_contain_text("[name]")
    expect(everything).not_to_contain_text("Margaret")
    expect(everything).to_contain_text(re.compile("Not about what it knows|No confident answer"))
    assert violations(desk) == []
    picture(desk, images / "staff-question.png")

    mine = desk.get_by_role("article").filter(has_text="something you offer")
    mine.get_by_text("Reply to this person").click()
    mine.get_by_label("Your reply").fill("Hello! We don't, but our team knows who does. Ask us on the phone.")
    mine.get_by_role("button", name="Send reply").click()
    expect(desk.locator(".told")).to_contain_text("on its way")
    expect(second.page.locator("milia-chat .message.staff")).to_contain_text(
        "our team knows who does", timeout=15_000
    )

    theirs = desk.get_by_role("article").filter(has_text="Messenger")
    theirs.get_by_text("Reply to this person").click()
    theirs.get_by_label("Your reply").fill("We don't do that, sorry!")
    theirs.get_by_role("button", name="Send reply").click()
    assert any("We don't do that, sorry!" in text for text in meta.gets(PSID, 3))

    desk.get_by_role("combobox", name="topic").select_option("contact_human")
    desk.get_by_role("button", name="This topic answers it").click()
    expect(desk.locator(".told")).to_contain_text("Answered by")
    desk.goto(f"{system.staff_url}/?text=ear+piercing")
    expect(group).to_have_count(0)

    desk.get_by_role("link", name="History").click()
    line = desk.get_by_role("listitem").filter(has_text="Answered by")
    expect(line).to_contain_text("admin")
    expect(line).to_contain_text("ear piercing")
    expect(desk.get_by_role("listitem").filter(has_text="Replied to a person")).to_have_count(2)
    assert violations(desk) == []

    line.get_by_role("link").click()
    expect(desk.get_by_role("main")).to_contain_text("delivered")
    desk.get_by_role("button", name="Take back").click()
    expect(desk.locator(".told")).to_contain_text("Taken back.")
    desk.goto(f"{system.staff_url}/?text=ear+piercing")
    expect(group).to_have_count(1)


def test_a_call_back_that_was_asked_for_in_the_chat_is_made(desk: Page, system: System, images: Path) -> None:
    for text in ("please call me back", "yes", "Jane Doe", "0491 570 006", "tomorrow after 3"):
        said = system.say(text, "caller")
    reference = re.search(r"CB-\w+", said[0]["text"])[0]
    desk.goto(f"{system.staff_url}/callbacks")
    line = desk.get_by_role("listitem").filter(has_text=reference)
    expect(line).to_contain_text("0491 570 006")
    picture(desk, images / "staff-callbacks.png")
    line.get_by_role("button", name="I’ll call").click()
    expect(line).to_contain_text("admin")
    line.get_by_role("button", name="Done").click()
    expect(line).to_have_count(0)
    desk.locator(".told").get_by_role("button", name="Take back").click()
    expect(line).to_contain_text("Taken")
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Download as CSV").click()
    assert reference in download.value.path().read_text()


def test_every_page_has_no_barrier_and_fits_a_phone(
    desk: Page, system: System, new_context: Callable[..., BrowserContext], images: Path
) -> None:
    system.say("do you do spray tans", "someone")
    state = desk.context.storage_state()
    for name, options in {
        "desktop": DESKTOP,
        "phone": PHONE,
        "dark": {**PHONE, "color_scheme": "dark"},
    }.items():
        page = new_context(**options, storage_state=state).new_page()
        for place in (
            "",
            "?text=nothing+like+it",
            "callbacks",
            "outcomes",
            "history",
            "answers",
            "answers/new",
            "answers/of/faq/pain",
            "people?text=x",
            "clinic",
            "accounts",
            "password",
            "nowhere",
        ):
            page.goto(f"{system.staff_url}/{place}")
            if place == "outcomes":
                page.locator(".drawn canvas").first.wait_for()
            assert violations(page) == [], (name, place)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, place)
            for row in page.locator(".places, .tabs").all():
                assert row.evaluate("row => row.scrollWidth <= row.clientWidth"), (
                    name,
                    place,
                    "hides a page",
                )
            if name == "desktop" and place in ("outcomes", "clinic"):
                picture(page, images / f"staff-{place}.png")
        page.goto(system.staff_url)
        page.locator(".groups .title").first.click()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        if name == "phone":
            picture(page, images / "staff-question-phone.png")


def test_the_queue_works_from_the_keyboard(desk: Page, system: System) -> None:
    system.say("do you do spray tans", "someone")
    system.say("is there a cafe nearby", "someone else")
    reload_until(desk, system.staff_url, lambda: desk.locator(".groups .title").count() >= 2)
    desk.keyboard.press("j")
    desk.keyboard.press("j")
    desk.keyboard.press("k")
    expect(desk.locator(".groups .title").first).to_be_focused()
    desk.keyboard.press("/")
    expect(desk.get_by_label("Search")).to_be_focused()
    desk.keyboard.type("spray")
    expect(desk.locator(".groups .title")).to_have_count(1)
    desk.keyboard.press("Escape")
    desk.locator(".groups .title").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", level=1)).to_contain_text("spray tans")


def test_without_scripts_the_essential_decisions_are_made(
    desk: Page, system: System, new_context: Callable[..., BrowserContext]
) -> None:
    system.say("can I bring my parrot", "plain")
    page = new_context(java_script_enabled=False, storage_state=desk.context.storage_state()).new_page()
    reload_until(page, f"{system.staff_url}/?text=parrot", lambda: page.locator(".groups .title").count() > 0)
    page.locator(".groups .title").click()
    page.get_by_label("Dismiss, because").select_option("personal")
    page.get_by_role("button", name="Dismiss", exact=True).click()
    expect(page.locator(".told")).to_contain_text("Dismissed")
    page.locator(".told").get_by_role("button", name="Take back").click()
    expect(page.locator(".told")).to_contain_text("Taken back.")


def test_a_changed_phone_number_is_what_the_next_visitor_reads(
    desk: Page, system: System, visit: Visit
) -> None:
    desk.goto(f"{system.staff_url}/clinic")
    try:
        desk.get_by_label("Phone").fill("02 5550 1234")
        desk.get_by_role("button", name="Save").click()
        expect(desk.locator(".told")).to_contain_text("live")
        desk.wait_for_timeout(2000)  # what is promised
        chat = visit().open().ready()
        expect(chat.say("what is your phone number")).to_contain_text("02 5550 1234")
    finally:
        desk.goto(f"{system.staff_url}/clinic")
        desk.get_by_role("button", name="Take back").click()
        expect(desk.locator(".told")).to_contain_text("Taken back.")
