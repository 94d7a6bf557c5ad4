"""Answers in a real browser: what staff write is what the next visitor reads, without training or a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from benchmarks.browser import DESKTOP, PHONE, violations
from bot.model import new_id
from tests.conftest import System
from tests.doubles.meta_thread import MetaThread
from tests.e2e.conftest import Chat, picture, reload_until

PSID = "6002"

Visit = Callable[..., Chat]


def becomes(system: System, text: str, holds: str) -> None:
    """Asks until the answer holds this: servers look for what staff saved every second."""
    until = time.monotonic() + 9
    while time.monotonic() < until:
        said = system.say(text, f"asks-{new_id()}")[0]["text"]
        if holds in said:
            return
    raise AssertionError(f"It is still said: {said}")


def test_a_changed_text_is_what_the_next_visitor_reads_on_every_channel(
    desk: Page, system: System, visit: Visit, meta: MetaThread
) -> None:
    chat = visit().open().ready()
    expect(chat.say("does it hurt?")).to_contain_text("odd prick here and there")
    desk.goto(f"{system.staff_url}/answers")
    desk.get_by_role("link", name="Does it hurt?").click()
    try:
        desk.get_by_label("Text", exact=True).fill("Hardly at all: most people feel a tiny prick.")
        desk.get_by_role("button", name="Save").click()
        expect(desk.locator(".told")).to_contain_text("live")
        becomes(system, "does it hurt?", "most people feel a tiny prick")
        expect(chat.say("is it painful?")).to_contain_text("most people feel a tiny prick")
        meta.says(PSID, "does it hurt?")
        assert any("most people feel a tiny prick" in text for text in meta.gets(PSID, 2))
    finally:
        desk.goto(f"{system.staff_url}/answers/of/faq/pain")
        desk.get_by_role("button", name="Take back").click()
        expect(desk.locator(".told")).to_contain_text("Taken back.")
    becomes(system, "does it hurt?", "odd prick here and there")
    expect(chat.say("does it hurt?")).to_contain_text("odd prick here and there")


def test_a_question_is_answered_by_a_new_answer_and_at_once_in_the_same_words(
    desk: Page, system: System, visit: Visit, meta: MetaThread, images: Path
) -> None:
    question = "where do I leave my kayak while I am with you"
    chat = visit().open().ready()
    expect(chat.say(question)).to_contain_text("1300 455 792")
    title = desk.get_by_role("link", name=question)
    reload_until(desk, f"{system.staff_url}/?text=kayak", lambda: title.count() > 0)
    title.click()
    desk.get_by_role("link", name="Write a new answer").click()
    desk.get_by_label("Name").fill("Kayaks and boats")
    text = desk.get_by_label("Text", exact=True)
    text.fill("We guarantee the best rack.")
    problems = desk.locator("#problems")
    expect(problems).to_contain_text("Has to change: No promises.")
    expect(desk.locator("#preview")).to_contain_text("We guarantee the best rack.")
    assert violations(desk) == []
    picture(desk, images / "staff-answer.png")
    text.fill("There is a rack for kayaks behind {clinic}. Ask at the desk for the key.")
    desk.get_by_role("button", name="Copy").click()
    expect(problems).to_contain_text("word for word what a visitor wrote")
    desk.get_by_label("Example questions").fill(
        "a place for my kayak\ncan I bring a canoe along\nis there a rack for boats"
    )
    desk.get_by_label("First button").select_option("book_appointment")
    expect(problems).to_contain_text("Nothing is against the rules.")
    expect(desk.locator("#preview")).to_contain_text("behind Skin Matrix")
    desk.get_by_role("button", name="Save the new answer").click()
    try:
        expect(desk.locator(".told")).to_contain_text("live within two seconds")
        becomes(system, question, "a rack for kayaks")
        reply = chat.say(question.upper() + "??")
        expect(reply).to_contain_text("a rack for kayaks behind Skin Matrix")
        expect(chat.chips.filter(has_text="Book or change")).to_be_visible()
        meta.says(PSID + "1", question)
        assert any("a rack for kayaks" in text for text in meta.gets(PSID + "1", 2))
        flagged = system.say(question + ", my eyelid is bleeding", "flagged")[0]["text"]
        assert "GP" in flagged or "000" in flagged, "a red flag comes first"
    finally:
        desk.goto(f"{system.staff_url}/answers/of/faq/kayaks_and_boats")
        desk.get_by_role("button", name="Withdraw").click()
        expect(desk.locator(".told")).to_contain_text("Withdrawn.")
    becomes(system, question, "1300 455 792")
    expect(chat.say(question)).to_contain_text("1300 455 792")
    desk.goto(f"{system.staff_url}/?text=kayak")
    expect(title).to_have_count(1)


def test_the_pages_of_an_answer_have_no_barrier_and_fit_a_phone(
    desk: Page, system: System, new_context: Callable[..., BrowserContext], images: Path
) -> None:
    desk.goto(f"{system.staff_url}/answers/of/faq/size")
    desk.get_by_label("Text", exact=True).fill("They are small: 1–2 mm.")
    desk.get_by_role("button", name="Save").click()
    try:
        state = desk.context.storage_state()
        for options in (DESKTOP, PHONE, {**PHONE, "color_scheme": "dark"}):
            page = new_context(**options, storage_state=state).new_page()
            for place in ("answers?text=how+big", "answers/of/faq/size", "answers/changes/faq/size"):
                page.goto(f"{system.staff_url}/{place}")
                assert violations(page) == [], place
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
        desk.goto(f"{system.staff_url}/answers/changes/faq/size")
        picture(desk, images / "staff-answer-changes.png")
    finally:
        desk.goto(f"{system.staff_url}/answers/of/faq/size")
        desk.get_by_role("button", name="Go back to the delivered text").click()
        expect(desk.locator(".told")).to_contain_text("Withdrawn.")


def test_without_scripts_a_text_is_changed_all_the_same(
    desk: Page, system: System, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(java_script_enabled=False, storage_state=desk.context.storage_state()).new_page()
    page.goto(f"{system.staff_url}/answers/of/ask_privacy")
    page.get_by_label("Text", exact=True).fill("A miracle.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#problems")).to_contain_text("No promises")
    expect(page.get_by_label("Text", exact=True)).to_have_value("A miracle.")
    page.goto(f"{system.staff_url}/answers/of/ask_privacy")
    expect(page.get_by_label("Text", exact=True)).not_to_have_value("A miracle.")
