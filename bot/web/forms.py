"""Reads what forms and addresses send: text without what could hide or harm, numbers, days."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date

from flask import abort, request

_INVISIBLE = frozenset("\u200e\u200f\u061c\ufeff") | {
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def tidy(text: str) -> str:
    """The text without control characters and without marks that turn the direction of writing."""
    kept = (
        c
        for c in text
        if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _INVISIBLE)
    )
    return "".join(kept)


def text_in(name: str, longest: int = 200, values: Mapping[str, str] | None = None) -> str:
    """A field of the form (or of `values`), tidied; empty when it is missing. Too long is a 400."""
    value = tidy((request.form if values is None else values).get(name, "").replace("\r\n", "\n")).strip()
    if len(value) > longest:
        abort(400, f"That text is too long: at most {longest} characters.")
    return value


def texts_in(name: str, longest: int = 200) -> list[str]:
    """All fields of this name in the order of the page, as `text_in` gives each; empty ones are left out."""
    return [text for one in request.form.getlist(name) if (text := text_in(name, longest, {name: one}))]


def number_in(name: str) -> int:
    """A whole number in the form; a 400 when it is none."""
    value = request.form.get(name, "")
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        abort(400, "The form was incomplete. Load the page again.")
    return int(value)


def ids_in(name: str, most: int = 500) -> list[str]:
    """Ids that were ticked."""
    return [value for value in request.form.getlist(name)[:most] if len(value) == 32]


def day_in(name: str, fallback: date) -> date:
    """A day in the address, `fallback` when there is none or it is malformed."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return fallback


def page_in() -> int:
    """The number of the page in the address, from 1."""
    value = request.args.get("page", "1")
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 6 else 1
