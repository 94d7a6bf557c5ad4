"""The command that adds staff accounts: `python -m bot staff-account add NAME ROLE`."""

from __future__ import annotations

import argparse
import sys

from bot.passwords import FIRST_ADMIN, add_account, reset_password
from bot.review_model import ReviewError, Role
from bot.settings import Settings
from bot.store.accounts import AccountStore


def main(arguments: list[str], settings: Settings) -> int:
    """Prints the one-time password of the account; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bot staff-account", description="Staff accounts.")
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="add an account")
    add.add_argument("name")
    add.add_argument("role", choices=[role.value for role in Role])
    reset = actions.add_parser("reset", help="give an account a new one-time password")
    reset.add_argument("name")
    actions.add_parser("first", help="add the account `admin`, if there is no account yet")
    chosen = parser.parse_args(arguments)
    try:
        password = _password(AccountStore(settings.store_url), chosen)
    except ReviewError as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    if password:
        sys.stdout.write(password + "\n")
    return 0


def _password(store: AccountStore, chosen: argparse.Namespace) -> str | None:
    if chosen.action == "first":
        return add_account(store, FIRST_ADMIN, Role.ADMIN, only_first=True)
    if chosen.action == "add":
        return add_account(store, chosen.name, Role(chosen.role))
    account = store.account_named(chosen.name)
    if account is None:
        raise ReviewError(f"There is no account named {chosen.name}.")
    return reset_password(store, account)
