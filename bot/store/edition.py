"""The number that tells servers whether what staff decided has changed since they looked last."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.answer_tables import answers_edition


def edition(connection: Connection) -> int:
    """The number now."""
    return int(connection.execute(sa.select(answers_edition.c.number)).scalar_one())


def next_edition(connection: Connection) -> None:
    """Raises it, in the transaction of the change."""
    connection.execute(sa.update(answers_edition).values(number=answers_edition.c.number + 1))
