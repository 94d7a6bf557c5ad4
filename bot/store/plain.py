"""Turns the domain's dataclasses into plain JSON values and back, fit for any database.

The one place where text is cleaned: PostgreSQL refuses NUL characters and neither database takes lone
surrogates, and visitors send both.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import hashlib
import math
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST_ID = 200
"""Characters of a conversation id or channel name that are kept (PostgreSQL can't index long ones)."""


def clean(text: str) -> str:
    """The text without what a database refuses."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def storable_id(text: str) -> str:
    """The id under which a conversation or channel is stored: itself, or a digest if overlong or unclean."""
    if len(text) <= LONGEST_ID and clean(text) == text:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{clean(text[:80])}#{digest[:32]}"


def to_plain(value: Any) -> Any:
    """The value as JSON can hold it, texts cleaned, numbers finite."""
    kind = type(value)  # first what nearly every value is: this runs for every part of every event
    if kind is str:
        return clean(value)
    if kind is dict:
        return {clean(str(key)): to_plain(item) for key, item in value.items()}
    if kind is int or kind is bool or value is None:
        return value
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str):
        return clean(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {clean(str(key)): to_plain(item) for key, item in value.items()}
    if isinstance(value, (Sequence, set, frozenset)):
        return [to_plain(item) for item in value]
    return clean(str(value))


def from_plain(kind: type[T], value: Any) -> T:
    """The value of this type that `to_plain` made plain.

    Unknown fields are left out and missing ones take their default, so that what an older release spooled
    can be read by a newer one.
    """
    return typing.cast(T, _build(kind, value))


def _build(kind: Any, value: Any) -> Any:
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _build(next(a for a in arguments if a is not type(None)), value)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_build(arguments[0], item) for item in value)
        return tuple(_build(a, item) for a, item in zip(arguments, value, strict=True))
    if kind is bytes:
        return value if isinstance(value, bytes) else base64.b64decode(value)
    if kind is datetime:
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if isinstance(value, kind):
            return value
        hints = _hints(kind)
        return kind(**{name: _build(hints[name], item) for name, item in value.items() if name in hints})
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
