"""`make widget-report`: the widget's size, what axe finds in it, and how long a visitor waits for a reply."""

from __future__ import annotations

import gzip
import statistics
import sys
import urllib.request

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.browser import DESKTOP, PHONE, launch_options, violations

LIMIT = 15 * 1024
ROUNDS = 15
# From the click on a suggestion until the reply can be seen.
CLICK_TO_REPLY = """() => new Promise((done) => {
  const root = document.querySelector("milia-chat").shadowRoot;
  const replies = () => root.querySelectorAll(".message.bot").length;
  const before = replies();
  const start = performance.now();
  const look = () => replies() > before ? requestAnimationFrame(() => done(performance.now() - start)) : null;
  new MutationObserver(look).observe(root, { childList: true, subtree: true });
  root.querySelector(".chips .chip").click();
})"""


def main(url: str) -> int:
    """Prints the report on the assistant at this address; fails when a limit is broken."""
    with urllib.request.urlopen(f"{url}/webhooks/website/widget.js") as response:
        size = len(gzip.compress(response.read(), 9))
    say(f"Size         {size:,} bytes gzipped with its styles; {LIMIT:,} at most")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        found = barriers(browser, url)
        first, later = waits(browser, url)
        browser.close()
    say(f"First click  {first:.0f} ms from the click on the launcher to the first suggestions")
    say(f"Reply        {statistics.median(later):.0f} ms from click to reply (median of {len(later)}),"
        f" {max(later):.0f} ms at most")  # fmt: skip
    return int(size > LIMIT or found > 0)


def barriers(browser: Browser, url: str) -> int:
    """Prints axe's findings in each state, size and scheme; returns how many there are."""
    total = 0
    for name, options in (("1280 px", DESKTOP), ("320 px", PHONE)):
        for scheme in ("light", "dark"):
            context = browser.new_context(**options, color_scheme=scheme, reduced_motion="reduce")
            page = context.new_page()
            for state, found in states(page, url):
                total += len(found)
                say(f"axe          {name}, {scheme}, {state}: {len(found)} violations")
                for violation in found:
                    say(f"             {violation}")
            context.close()
    return total


def states(page: Page, url: str) -> list[tuple[str, list[str]]]:
    """axe's findings in the states that a visitor can meet."""
    page.goto(url + "/")
    found = [("closed", violations(page))]
    meet(page)
    found.append(("open", violations(page)))
    for text in ("Is there a discount code?", "How do I book an appointment?"):
        ask(page, text)
    found.append(("in conversation", violations(page)))
    page.get_by_role("button", name="Start again").click()
    found.append(("starting again", violations(page)))
    page.get_by_role("button", name="Keep chatting").click()
    page.context.set_offline(True)
    page.get_by_label("Your question").fill("Does it hurt?")
    page.get_by_label("Your question").press("Enter")
    expect(page.locator("milia-chat .problem")).to_be_visible(timeout=20_000)
    found.append(("offline", violations(page)))
    return found


def waits(browser: Browser, url: str) -> tuple[float, list[float]]:
    """Milliseconds to the first suggestions, and to the first reply of several new visitors."""
    opened, replied = [], []
    for _ in range(ROUNDS):
        context = browser.new_context(**DESKTOP, reduced_motion="reduce")
        page = context.new_page()
        page.goto(url + "/")
        page.locator("milia-chat .launcher").wait_for()
        start = page.evaluate("performance.now()")
        meet(page)
        opened.append(page.evaluate("performance.now()") - start)
        replied.append(page.evaluate(CLICK_TO_REPLY))
        context.close()
    return statistics.median(opened), replied


def meet(page: Page) -> None:
    page.locator("milia-chat .launcher").click()
    page.get_by_role("group", name="Suggestions").wait_for()


def ask(page: Page, text: str) -> None:
    replies = page.locator("milia-chat .message.bot")
    before = replies.count()
    page.get_by_label("Your question").fill(text)
    page.get_by_label("Your question").press("Enter")
    replies.nth(before).wait_for()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
