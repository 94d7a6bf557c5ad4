"""A browser for the tests and the report of the widget, and what axe finds on a page."""

from __future__ import annotations

import os
import shutil
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 320, "height": 640},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}


def launch_options() -> dict[str, Any]:
    """For Playwright's `launch`: the machine's own Chromium where it has one, else Playwright's."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    # Chromium's sandbox doesn't work for root.
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return {"args": flags, **({"executable_path": found} if found else {})}


def violations(page: Page) -> list[str]:
    """What axe finds, by rule and place: WCAG 2.2 AA and axe's best practices."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary')}"
        for rule in found
        for node in rule["nodes"]
    ]
