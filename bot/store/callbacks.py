"""Call-back requests and how far each has come."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import CALLBACK_WITHDRAWN, CallbackRequest, utc_now
from bot.review_model import Callback, CallbackState, Conflict, HistoryEntry, NotThere, Who
from bot.store.history import HistoryStore, append, last_of
from bot.store.review_tables import callback_states
from bot.store.tables import callback_requests, events, from_row

_DESK = ("taken_by", "attempts", "version", "changed_at")
requests, states = callback_requests.c, callback_states.c
_BY_STAFF = sa.func.coalesce(states.state, CallbackState.OPEN.value)
# Whatever staff did before, a call that was not made yet is not to be made once the person has withdrawn.
_STATE = sa.case(
    (sa.and_(events.c.id.isnot(None), CallbackState.DONE.value != _BY_STAFF), CallbackState.WITHDRAWN.value),
    else_=_BY_STAFF,
)


class CallbackStore(HistoryStore):
    """The list of people to call."""

    def callback_list(self, wanted: Iterable[CallbackState] = (), limit: int = 500) -> list[Callback]:
        """Requests in these states (all, when none is given), the oldest first."""
        query = _QUERY
        values = [state.value for state in wanted]
        if values:
            query = query.where(_STATE.in_(values))
        query = query.order_by(requests.requested_at).limit(limit)
        return self._read(lambda c: [_callback(row) for row in c.execute(query).mappings()])

    def change_callback(
        self,
        callback_id: str,
        version: int,
        who: Who,
        action: str,
        state: CallbackState,
        taken_by: str,
        attempts: int,
        undoes: str | None = None,
    ) -> None:
        """Sets how far a request has come.

        Raises:
            NotThere, Conflict
        """

        def work(connection: Connection) -> None:
            now = _one(connection, callback_id)
            if now.version != version:
                raise Conflict(last_of(connection, callback_id))
            values = {
                "state": state.value,
                "taken_by": taken_by,
                "attempts": attempts,
                "version": version + 1,
            }
            if version:
                change = sa.update(callback_states).where(
                    states.callback_id == callback_id, states.version == version
                )
            else:
                change = sa.insert(callback_states)
                values.update(callback_id=callback_id, person_key=now.request.person.key)
            try:
                done = connection.execute(change.values(**values, changed_at=utc_now()))
            except sa.exc.IntegrityError:
                raise Conflict(None) from None
            if done.rowcount != 1:
                raise Conflict(last_of(connection, callback_id))
            before = {"state": now.state.value, "taken_by": now.taken_by, "attempts": now.attempts}
            data = {"before": before, "after": {"state": state.value}}
            append(
                connection,
                HistoryEntry(who.name, action, "callback", callback_id, who.id, data, undoes=undoes),
            )

        self._write(work)

    def callback(self, callback_id: str) -> Callback:
        """One request.

        Raises:
            NotThere
        """
        return self._read(lambda connection: _one(connection, callback_id))


_QUERY = (
    sa.select(
        callback_requests, _STATE.label("desk_state"), *(states[name].label(f"desk_{name}") for name in _DESK)
    )
    .outerjoin(callback_states, states.callback_id == requests.id)
    .outerjoin(events, sa.and_(events.c.id == requests.id, events.c.name == CALLBACK_WITHDRAWN))
)


def _one(connection: Connection, callback_id: str) -> Callback:
    row = connection.execute(_QUERY.where(requests.id == callback_id)).mappings().first()
    if row is None:
        raise NotThere("This call-back request does not exist (any more).")
    return _callback(row)


def _callback(row: sa.engine.RowMapping) -> Callback:
    names = [column.name for column in callback_requests.columns]
    request = from_row(CallbackRequest, {name: row[name] for name in names})
    state = CallbackState(row["desk_state"])
    if row["desk_version"] is None:
        return Callback(request, state)
    return Callback(request, state, **{name: row[f"desk_{name}"] for name in _DESK})
