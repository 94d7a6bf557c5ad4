"""At a start: new files of the program become a release, together with what staff published before."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from bot.model_inputs import LIVE_FOLDER, digest_of_inputs
from bot.publishing.runner import Runner, sha256
from bot.release_model import PublishError, PublishRun, Release
from bot.review_model import SYSTEM
from bot.settings import Settings
from bot.store.staff_store import StaffStore


def register(store: StaffStore, settings: Settings, base: Path) -> None:
    """Makes sure that there is a live release of the program's present files, and that it lies here.

    base: the model that was trained from the repository's files alone. Where staff have published before, the
    release is made of those files and of what they published; should that fail, of the files alone.
    """
    inputs = digest_of_inputs(Path.cwd())
    if store.live_release(inputs) is None:
        before = store.live_release()
        made = Release(inputs, sha256(base), base.stat().st_size, kind="repository")
        if before is None or not before.decisions:
            store.register_release(made, base, SYSTEM, only_first=True)
        else:
            _take_over(store, settings, made, base, before)
    live = store.live_release(inputs)
    if live is not None and live.digest != sha256(base):
        keep_here(store, settings, live)


def _take_over(store: StaffStore, settings: Settings, made: Release, base: Path, before: Release) -> None:
    """Trains what staff published before with the new files. Differences are reported, and don't stop it: the
    former release does not fit the new program."""
    store.add_release(made, base)
    run = PublishRun(
        made.inputs, before.decisions, before.changes, kind="update", wanted_by=SYSTEM.name, baseline=made.id
    )
    with contextlib.suppress(PublishError):  # another server does it, or one that was killed did
        store.start_run(run)
    Runner(store, settings).work()
    if store.live_release(made.inputs) is None and store.active_run() is None:
        store.make_release_live(made.id, SYSTEM)


def keep_here(store: StaffStore, settings: Settings, live: Release) -> None:
    """Puts a release's archive where this machine's chat servers find it at their start."""
    folder = settings.data_dir / LIVE_FOLDER
    path = folder / f"{live.inputs[:16]}-{live.digest}.tar.gz"
    if path.is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}")
    with scratch.open("wb") as file:
        for piece in store.archive(live.id):
            file.write(piece)
    if sha256(scratch) == live.digest:
        os.replace(scratch, path)
    else:
        scratch.unlink()
