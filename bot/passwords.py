"""Passwords of staff: hashed with argon2, and one-time passwords for new accounts."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from bot.model import new_id, utc_now
from bot.review_model import SYSTEM, Account, Role, Who
from bot.store.accounts import AccountStore

SHORTEST = 12
LONGEST = 200
FIRST_ADMIN = "admin"

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that are mistaken for each other when copied by hand


def hash_password(password: str) -> str:
    """What is stored of a password."""
    return PasswordHasher().hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Whether this is the password; takes as long for an account that doesn't exist (`stored` is None)."""
    try:
        matches = PasswordHasher().verify(stored or _nobodys(), password[:LONGEST])
    except (Argon2Error, InvalidHashError):
        return False
    return matches and stored is not None


@cache
def _nobodys() -> str:
    return hash_password(secrets.token_hex())


def one_time_password() -> str:
    """Four groups of five letters: 99 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def problem_with(password: str, name: str) -> str:
    """Why this can't be a password, in one sentence; empty when it can."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters; a few words are easy to remember."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    if len(set(password)) < 5 or name.casefold() in password.casefold():
        return "That password is too easy to guess."
    return ""


def add_account(
    store: AccountStore, name: str, role: Role, who: Who = SYSTEM, only_first: bool = False
) -> str | None:
    """Adds an account; its one-time password. None when it was to be the first one and is not.

    Raises:
        ReviewError: the name is taken.
    """
    password = one_time_password()
    account = Account(
        id=new_id(),
        name=" ".join(name.split()),
        role=role,
        password_hash=hash_password(password),
        must_change=True,
        active=True,
        created_at=utc_now(),
    )
    return password if store.add_account(account, who, only_first) else None


def reset_password(store: AccountStore, account: Account, who: Who = SYSTEM) -> str:
    """Gives an account a new one-time password and ends its sessions."""
    password = one_time_password()
    store.change_account(
        account.id,
        who,
        "reset_password",
        password_hash=hash_password(password),
        must_change=True,
        active=True,
    )
    return password
