"""From an unanswered question to a tested answer, live on every channel; what is worse is refused; and back.

It changes releases, so it has an assistant of its own.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from benchmarks.browser import PHONE, violations
from benchmarks.switch import taken
from bot.store.staff_store import StaffStore
from bot.store.tables import TABLES
from tests.conftest import System, running
from tests.doubles.meta_thread import MetaThread, meta_in_thread
from tests.e2e.conftest import Chat, picture, reload_until

PSID = "7001"
A_RUN = 600_000
"""Milliseconds for a training with its tests, on a machine that is busy with others."""
A_TURN = 60_000

ANSWER = "Bring your empty jars back to {clinic}: we have them recycled."
EXAMPLES = """\
do you take back empty jars for recycling
can empty bottles be recycled with you
is there a recycling scheme for used containers
do you collect used bottles
recycling of empty containers
what becomes of empty jars
are your bottles recycled
I have three old jars here, do you recycle them
where can I hand in empty bottles
can I bring used packaging in to be recycled
do I throw the old bottle away or do you take it for recycling
may I return empty containers"""
IN_OTHER_WORDS = (
    "can I hand in my old jars so that they are recycled",
    "may I return an empty bottle for recycling",
)
# They take questions about pain away from the topic that answers them.
BAD = """\
is the extraction sore
is taking out milia painful
will it hurt when the milia are taken out
will I feel the needle a lot
do you numb the skin first
how painful is the extraction
is it uncomfortable when milia come out
how sore is my face going to be
are milia sore to remove
is the needle sore"""

SIDES = ("Release 2, live", "Candidate")

Visit = Callable[..., Chat]


@pytest.fixture(scope="module")
def meta() -> Iterator[MetaThread]:
    with meta_in_thread() as meta:
        yield meta


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, meta: MetaThread) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("publishing") / "data", **meta.settings) as system:
        meta.connect(system.chat_url)
        yield system


@pytest.mark.timeout(1500)
def test_from_an_unanswered_question_to_a_tested_release_and_back(
    desk: Page, visit: Visit, system: System, meta: MetaThread, images: Path
) -> None:
    servers = children(system.process.pid)
    chat = visit().open().ready()
    expect(chat.say("Do you recycle jars?")).to_contain_text("don't know")
    meta.says(PSID, "do you recycle jars")
    meta.gets(PSID, 2)

    # Staff answer it with a new topic.
    group = desk.get_by_role("listitem").filter(has_text=re.compile("recycle jars", re.IGNORECASE))
    two = group.filter(has_text="2 people")
    reload_until(desk, system.staff_url, lambda: two.count() == 1)
    group.get_by_role("link").first.click()
    desk.get_by_text("Write a new answer").click()
    write(desk, "Recycling", ANSWER, EXAMPLES)

    # It goes through the gate, and is what others get who ask in other words.
    publish(desk, system)
    expect(desk.get_by_role("heading", name="Last time: live")).to_be_visible(timeout=A_RUN)
    expect(desk.get_by_role("main")).to_contain_text("Release 2 is live")
    assert violations(desk) == []
    picture(desk, images / "staff-publish.png")
    switched(system)
    expect(visit().open().ready().say(IN_OTHER_WORDS[0])).to_contain_text(
        "Bring your empty jars back to Skin Matrix"
    )
    meta.says(PSID + "1", IN_OTHER_WORDS[1])
    assert any("Bring your empty jars back to Skin Matrix" in text for text in meta.gets(PSID + "1", 2))

    # A bad decision is refused, and changes nothing.
    desk.goto(f"{system.staff_url}/answers/new")
    write(desk, "Sore skin", "Skin may be a little sore for a moment.", BAD)
    publish(desk, system)
    expect(desk.get_by_role("heading", name="Last time: refused")).to_be_visible(timeout=A_RUN)
    expect(desk.get_by_role("main")).to_contain_text("Nothing has changed.")
    worse = desk.get_by_role("row").filter(has_text="worse")
    expect(worse.filter(has_text="answers: Does it hurt?").filter(has_text="Sore skin").first).to_be_visible()
    expect(desk.get_by_role("main")).to_contain_text("Release 2 is live")
    assert violations(desk) == []
    picture(desk, images / "staff-publish-refused.png")
    desk.get_by_role("button", name="Try it beside the live release").click()
    tried(desk, system)
    expect(chat.say("how painful is the extraction")).to_contain_text("odd prick here and there")

    # Back to the former release with one click.
    desk.goto(f"{system.staff_url}/publish")
    desk.get_by_role("button", name="Go back to release 1").click()
    expect(desk.locator(".told")).to_contain_text("live again")
    switched(system)
    expect(chat.say(IN_OTHER_WORDS[1])).to_contain_text("don't know")
    assert children(system.process.pid) == servers, "no server was restarted"


def tried(desk: Page, system: System) -> None:
    """Has a conversation with the candidate and the live release, from the keyboard, that leaves nothing behind."""
    before = recorded(system)
    turns, message = desk.get_by_role("log").get_by_role("listitem"), desk.get_by_label("Your message")
    expect(message).to_be_focused()
    desk.keyboard.type("how painful is the extraction going to be")
    desk.keyboard.press("Enter")
    expect(turns).to_have_count(1, timeout=A_RUN)  # both are loaded
    live, candidate = (turns.last.get_by_role("heading", name=name).locator("..") for name in SIDES)
    expect(live).to_contain_text("odd prick here and there")
    expect(candidate).to_contain_text("Skin may be a little sore")
    expect(message).to_be_focused()
    desk.keyboard.type("I want to talk to a person")
    desk.keyboard.press("Enter")
    expect(turns).to_have_count(2, timeout=A_TURN)
    turns.last.get_by_role("button", name="Call me back").last.press("Enter")
    expect(turns.last.get_by_text("Is it OK to call you?")).to_have_count(2, timeout=A_TURN)
    for told in ("yes", "Jane Doe", "0491 570 158", "tomorrow"):
        message.fill(told)
        message.press("Enter")
        expect(turns.last).to_contain_text(told, timeout=A_TURN)
    expect(turns.last.get_by_text(re.compile("CB-[A-Z0-9]{5}"))).to_have_count(2)
    assert violations(desk) == []
    width = desk.viewport_size
    desk.set_viewport_size(PHONE["viewport"])
    assert desk.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]
    assert violations(desk) == []
    desk.set_viewport_size(width)
    desk.get_by_role("button", name="Start again").click()
    expect(desk.get_by_text("Nothing said yet")).to_be_visible()
    expect(turns).to_have_count(0)
    assert recorded(system) == before


def recorded(system: System) -> dict[str, int]:
    """How much of what happens with visitors the database holds."""
    connection = sqlite3.connect(system.data_dir / "milia.db")
    try:
        tables = [table.name for table in TABLES.values()]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    finally:
        connection.close()


def write(desk: Page, title: str, text: str, examples: str) -> None:
    """Fills in the answer's form, faster than its check while somebody types could follow, and saves it."""
    for label, value in {"Name": title, "Text": text, "Example questions": examples}.items():
        desk.get_by_label(label, exact=True).evaluate("(field, value) => { field.value = value }", value)
    desk.get_by_role("button", name="Save the new answer").click()
    expect(desk.locator(".told")).to_contain_text("live")


def publish(desk: Page, system: System) -> None:
    """Publishes what is pending."""
    desk.goto(f"{system.staff_url}/publish")
    desk.get_by_role("button", name="Publish").click()
    expect(desk.get_by_role("heading", name="Publishing, wanted by admin")).to_be_visible()


def switched(system: System) -> None:
    """Waits until the chat server has taken the live release, for which it asks every second."""
    store = StaffStore(system.database_url)
    live = store.live_release()
    store.close()
    assert live is not None
    taken(system.data_dir, live)


def children(pid: int) -> set[int]:
    """The processes that a process has started."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
