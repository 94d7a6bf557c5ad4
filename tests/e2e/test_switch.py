"""The live release changes under load: every message is answered, and conversations go on."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.switch import load, same_again, taken
from bot.review_model import Who
from bot.store.staff_store import StaffStore
from tests.conftest import System

SOMEBODY = Who("Kim")


def test_no_message_is_lost_and_a_form_goes_on_across_switches(system: System, tmp_path: Path) -> None:
    store = StaffStore(system.database_url)
    first, second = same_again(store, tmp_path)
    taken(system.data_dir, second)
    system.say("please call me back", "switching")
    system.say("yes", "switching")
    try:
        with load(system.chat_url, visitors=3) as seen:
            for release, details in ((first, "Jane Doe"), (second, "0491 570 006")):
                store.roll_back(release.id, SOMEBODY)
                taken(system.data_dir, release)
                system.say(details, "switching")
    finally:
        if store.live_release().id != first.id:
            store.roll_back(first.id, SOMEBODY)
        store.close()
    assert seen.wrong == []
    assert len(seen.took) > 20
    assert re.search(r"CB-\w+", system.say("tomorrow after 3", "switching")[0]["text"])
