"""Switches the live release under load: is a message lost, how long does anybody wait, when do all get the new one?

    python -m benchmarks.switch [--visitors 8] [--switches 6]

The assistant runs as `make run` starts it. Visitors write one message after the other, each a text of its own,
while the live release changes there and back. Both releases hold the same model in different archives, so that
every reply can be judged.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bot.model_inputs import LIVE_FOLDER, digest_of_inputs
from bot.publishing.runner import sha256
from bot.release_model import Release
from bot.review_model import Who
from bot.store.staff_store import StaffStore

QUESTIONS = {
    "does it hurt when a milium is taken out, doctor number {n} said so?": "odd prick",
    "how big do milia get, my friend {n} asks": "1–2 mm",
    "what's the weather like on planet {n}": "don't know",
}
PATIENCE = 120.0


@dataclass
class Load:
    """What visitors saw: when each message was sent, how long it took, what was wrong."""

    took: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def around(self, spans: list[tuple[float, float]]) -> list[float]:
        """How long messages took that were under way in any of these spans."""
        return [took for at, took in self.took if any(at < end and at + took > begin for begin, end in spans)]


@contextmanager
def load(chat_url: str, visitors: int) -> Iterator[Load]:
    """Visitors who write until the end of the block."""
    found, stop = Load(), threading.Event()

    def visit(number: int) -> None:
        address = urlsplit(chat_url).netloc
        connection = http.client.HTTPConnection(address, timeout=30)
        turn = 0
        while not stop.is_set():
            turn += 1
            text, right = list(QUESTIONS.items())[turn % len(QUESTIONS)]
            body = json.dumps(
                {"sender": f"v{number}-{turn // 10}", "message": text.format(n=turn * 100 + number)}
            )
            began = time.monotonic()
            try:
                connection.request(
                    "POST", "/webhooks/rest/webhook", body, {"Content-Type": "application/json"}
                )
                said = json.load(connection.getresponse())
                if not said or right not in said[0]["text"]:
                    found.wrong.append(f"{text}: {said}")
            except (OSError, ValueError, http.client.HTTPException) as error:
                found.wrong.append(f"{text}: {error!r}")
                connection.close()
            found.took.append((began, time.monotonic() - began))
        connection.close()

    threads = [threading.Thread(target=visit, args=(number,), daemon=True) for number in range(visitors)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)


def same_again(store: StaffStore, folder: Path) -> tuple[Release, Release]:
    """The live release, and one with the same model in another archive."""
    live = store.live_release(digest_of_inputs(Path.cwd()))
    assert live is not None, "it was registered at the start"
    data = gzip.decompress(b"".join(store.archive(live.id)))
    other = folder / "other.tar.gz"
    other.write_bytes(gzip.compress(data, compresslevel=1, mtime=1))
    made = Release(live.inputs, sha256(other), other.stat().st_size, kind="repository")
    store.register_release(made, other, Who("switch"))
    return live, store.a_release(made.id)


def taken(data_dir: Path, release: Release) -> None:
    """Waits until the chat server of this data folder answers with a release: it keeps a copy then."""
    end = time.monotonic() + PATIENCE
    while not list((data_dir / LIVE_FOLDER).glob(f"*-{release.digest}.tar.gz")):
        assert time.monotonic() < end, "the server never took the release"
        time.sleep(0.02)


def main(arguments: list[str]) -> int:
    """Prints the figures; the exit status is 1 when a message was lost or answered wrongly."""
    from tests.conftest import running

    parser = argparse.ArgumentParser(prog="python -m benchmarks.switch", description=__doc__)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--switches", type=int, default=6)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as system:
        store = StaffStore(system.database_url)
        first, second = same_again(store, Path(folder))
        taken(system.data_dir, second)
        spans, live = [], second
        with load(system.chat_url, options.visitors) as seen:
            time.sleep(5)
            for _ in range(options.switches):
                live = first if live is second else second
                began = time.monotonic()
                store.roll_back(live.id, Who("switch"))
                taken(system.data_dir, live)
                spans.append((began, time.monotonic()))
                time.sleep(3)
        store.close()
    all_took = [took for _, took in seen.took]
    during = seen.around(spans)
    print(f"{len(all_took)} messages of {options.visitors} visitors, {len(spans)} switches")
    print(f"lost or wrong: {len(seen.wrong)}")
    print(f"until the server answers with it: {max(end - begin for begin, end in spans):.1f} s at most")
    for name, times in (("all", all_took), (f"under way during a switch ({len(during)})", during)):
        ordered = sorted(times)
        print(
            f"{name}: median {statistics.median(ordered) * 1000:.0f} ms,"
            f" 99% {ordered[int(len(ordered) * 0.99) - 1] * 1000:.0f} ms, longest {ordered[-1] * 1000:.0f} ms"
        )
    for line in seen.wrong[:10]:
        print(line, file=sys.stderr)
    return int(bool(seen.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
