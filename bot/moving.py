"""`python -m bot migrate-data`: from the SQLite of one machine to the PostgreSQL of several."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.settings import PREFIX, Settings
from bot.store.moving import MoveRefused, move
from bot.store.spool import Spool


def main(settings: Settings, source: Path) -> None:
    """Moves everything and says what is left to do; ends the process with one sentence when it can't."""
    if not source.is_file():
        sys.exit(f"There is no database {source}: name it with --source.")
    try:
        counts = move(f"sqlite:///{source.absolute()}", settings.database_url, _say)
    except MoveRefused as refusal:
        sys.exit(str(refusal))
    _say(f"Moved: {sum(counts.values())} rows in {len(counts)} tables, the same in both databases.")
    if not Spool(settings.spool_dir).is_empty():
        _say(f"{settings.spool_dir} holds records that are stored when a server starts on the new database.")
    kept = settings.data_dir / "secret_key"
    if kept.is_file():
        _say(f"Give every server {PREFIX}SECRET_KEY with the text of {kept}: people's keys are made with it.")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
