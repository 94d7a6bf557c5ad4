"""What staff changed of the clinic's details; it stands before clinic.yml."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.review_model import Conflict, HistoryEntry, Who
from bot.store.history import HistoryStore, append, last_of
from bot.store.plain import clean
from bot.store.review_tables import clinic_overrides

CLINIC = "clinic"


class ClinicStore(HistoryStore):
    """Values by name, such as `phone` or `offer.code`."""

    def clinic_overrides(self) -> dict[str, str]:
        """What staff changed."""
        return self._read(_overrides)

    def override_clinic(
        self, before: Mapping[str, str], after: Mapping[str, str], who: Who, undoes: str | None = None
    ) -> None:
        """Replaces all overrides.

        Raises:
            Conflict: they are not `before` any more.
        """

        def work(connection: Connection) -> None:
            if _overrides(connection) != dict(before):
                raise Conflict(last_of(connection, CLINIC))
            connection.execute(sa.delete(clinic_overrides))
            rows = [{"name": name, "value": clean(value)} for name, value in after.items()]
            if rows:
                connection.execute(sa.insert(clinic_overrides), rows)
            changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
            data = {"changed": changed, "before": dict(before), "after": dict(after)}
            action = "undid" if undoes else "changed"
            append(connection, HistoryEntry(who.name, action, CLINIC, CLINIC, who.id, data, undoes=undoes))

        self._write(work)


def _overrides(connection: Connection) -> dict[str, str]:
    return dict(connection.execute(sa.select(clinic_overrides)).all())
