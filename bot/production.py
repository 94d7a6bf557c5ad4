"""What may be so on a developer's machine and never for visitors: weak secrets, open doors, plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

GUESSABLE = ("change", "example", "password", "secret", "default", "letmein", "postgres", "milia")
"""In a secret they show that somebody typed it."""

HOW_TO_MAKE = 'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'


def problems(settings: Mapping[str, Any]) -> Iterator[str]:
    """What has to be changed before these settings may be used in production: a sentence each.

    settings: the values of `Settings` by name.
    """
    if is_weak(settings["secret_key"], at_least=32):
        yield (
            "MILIA_SECRET_KEY has to be a random text of at least 32 characters. "
            f"Make one with: {HOW_TO_MAKE}"
        )
    if settings["rest"]:
        yield "MILIA_REST has to be no: whoever knows a sender's name can write in its conversation."
    if not settings["allowed_origins"]:
        yield "MILIA_ALLOWED_ORIGINS has to name the web sites that may show the chat."
    if any(origin.startswith("http://") for origin in settings["allowed_origins"]):
        yield "MILIA_ALLOWED_ORIGINS has to name https:// addresses only."
    for name in ("public_url", "staff_url"):
        if not settings[name].startswith("https://"):
            yield f"MILIA_{name.upper()} has to be an https:// address."
    for name in ("database_url", "redis_url"):
        password = urlsplit(settings[name]).password
        if password is not None and is_weak(password, at_least=12):
            yield f"MILIA_{name.upper()} has a password that can be guessed: take a random one of 12 or more."
    for name, length in (("messenger_app_secret", 16), ("messenger_verify_token", 12)):
        if settings[name] and is_weak(settings[name], at_least=length):
            yield f"MILIA_{name.upper()} can be guessed: it has to be random, of {length} or more characters."
    if settings["smtp_security"] == "none" and settings["smtp_password"]:
        yield "MILIA_SMTP_SECURITY has to be starttls or tls: its password would go in the open."


def is_weak(secret: str, at_least: int) -> bool:
    """Whether a secret is short, of few different characters, or holds a word that people type for one."""
    plain = secret.lower()
    return len(secret) < at_least or len(set(secret)) < 8 or any(word in plain for word in GUESSABLE)
