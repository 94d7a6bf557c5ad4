"""Staff accounts and their sessions."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.model import utc_now
from bot.review_model import Account, HistoryEntry, NotThere, ReviewError, Role, Who
from bot.store.history import HistoryStore, append
from bot.store.review_tables import staff_accounts, staff_sessions

_SEEN_EVERY = timedelta(minutes=5)

accounts, sessions = staff_accounts.c, staff_sessions.c


class AccountStore(HistoryStore):
    """Who may sign in, and who is signed in."""

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        query = sa.select(staff_accounts).order_by(accounts.name_key)
        return self._read(lambda c: [_account(row) for row in c.execute(query).mappings()])

    def account_named(self, name: str) -> Account | None:
        """The account of this name, however it is capitalised."""
        query = sa.select(staff_accounts).where(accounts.name_key == name_key(name))
        row = self._read(lambda c: c.execute(query).mappings().first())
        return _account(row) if row else None

    def add_account(self, account: Account, who: Who, only_first: bool = False) -> bool:
        """Adds an account. Returns False, and adds nothing, when `only_first` and there is one already.

        Raises:
            ReviewError: the name is taken.
        """

        def work(connection: Connection) -> bool:
            names = set(connection.execute(sa.select(accounts.name_key)).scalars())
            if only_first and names:
                return False
            if name_key(account.name) in names:
                raise ReviewError(f"There is an account named {account.name} already.")
            values = {name: getattr(account, name) for name in Account.__dataclass_fields__}
            values.update(name_key=name_key(account.name), role=account.role.value)
            connection.execute(sa.insert(staff_accounts).values(**values))
            data = {"name": account.name, "role": account.role.value}
            append(connection, HistoryEntry(who.name, "added", "account", account.id, who.id, data))
            return True

        return self._write(work)

    def change_account(self, account_id: str, who: Who, action: str, **changes: Any) -> None:
        """Changes an account. A new password, or switching it off, ends its sessions.

        Raises:
            ReviewError: nobody would be left who can manage accounts.
        """

        def work(connection: Connection) -> None:
            if isinstance(changes.get("role"), Role):
                changes["role"] = changes["role"].value
            done = connection.execute(
                sa.update(staff_accounts).where(accounts.id == account_id).values(**changes)
            )
            if done.rowcount != 1:
                raise NotThere("There is no such account.")
            admins = sa.select(sa.func.count()).where(accounts.role == Role.ADMIN.value, accounts.active)
            if not connection.execute(admins).scalar():
                raise ReviewError("One active admin has to stay.")
            if "password_hash" in changes or changes.get("active") is False:
                connection.execute(sa.delete(staff_sessions).where(sessions.account_id == account_id))
            told = {key: value for key, value in changes.items() if key in ("role", "active", "name")}
            append(connection, HistoryEntry(who.name, action, "account", account_id, who.id, told))

        self._write(work)

    # ------------------------------------------------------------ sessions

    def start_session(self, token: str, account_id: str) -> None:
        """Signs an account in under a new token."""
        now = utc_now()

        def work(connection: Connection) -> None:
            connection.execute(
                sa.insert(staff_sessions).values(id=_digest(token), account_id=account_id, seen_at=now)
            )
            connection.execute(
                sa.update(staff_accounts).where(accounts.id == account_id).values(last_sign_in_at=now)
            )

        self._write(work)

    def session_account(self, token: str, idle: timedelta) -> Account | None:
        """The account that is signed in under this token, if it was used within `idle`."""
        query = (
            sa.select(staff_accounts, sessions.seen_at)
            .join(staff_sessions, sessions.account_id == accounts.id)
            .where(sessions.id == _digest(token), accounts.active)
        )
        row = self._read(lambda c: c.execute(query).mappings().first())
        now = utc_now()
        if row is None or row["seen_at"] < now - idle:
            return None
        if row["seen_at"] < now - _SEEN_EVERY:
            seen = sa.update(staff_sessions).where(sessions.id == _digest(token)).values(seen_at=now)
            self._write(lambda c: c.execute(seen))
        return _account(row)

    def end_session(self, token: str) -> None:
        """Signs out."""
        self._write(lambda c: c.execute(sa.delete(staff_sessions).where(sessions.id == _digest(token))))

    def drop_sessions(self, before: datetime) -> int:
        """Forgets sessions that were last used before this."""
        return self._write(
            lambda c: c.execute(sa.delete(staff_sessions).where(sessions.seen_at < before)).rowcount
        )


def name_key(name: str) -> str:
    """Names that differ in case or spaces only are the same."""
    return " ".join(name.split()).casefold()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _account(row: Any) -> Account:
    values = {name: row[name] for name in Account.__dataclass_fields__}
    return Account(**{**values, "role": Role(values["role"])})
