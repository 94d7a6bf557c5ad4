"""docs/settings.md and .env.example, written from `bot.settings`; a test sees to their being up to date."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from bot.settings import PREFIX, Settings

PAGE = Path("docs/settings.md")
EXAMPLE = Path(".env.example")


def page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Written by `python -m bot settings-doc` from `bot/settings.py`; change that file.",
        "",
        "Each setting is an environment variable, or a line `NAME=value` in a file `.env` in the project's",
        "folder; the environment wins. A name that is not in this list is refused, so that a typing mistake",
        "can't go unnoticed. For one that is to be kept secret, `NAME_FILE` may name a file that holds it.",
        "",
        "| variable | default | what it is for |",
        "|---|---|---|",
    ]
    for field in fields(Settings):
        default = field.metadata["default"]
        shown = f"`{default}`" if default else "empty"
        purpose = field.metadata["explanation"] + (" Keep it secret." if field.metadata["secret"] else "")
        lines.append(f"| `{PREFIX}{field.name.upper()}` | {shown} | {purpose} |")
    return "\n".join(lines) + "\n"


def example() -> str:
    """.env.example: every setting with its default, commented out."""
    lines = ["# Copy this file to .env and remove the # before what you change. See docs/settings.md."]
    for field in fields(Settings):
        explanation = field.metadata["explanation"].replace("`", "")
        lines += ["", f"# {explanation}", f"#{PREFIX}{field.name.upper()}={field.metadata['default']}"]
    return "\n".join(lines) + "\n"


def write() -> None:
    """Write both files anew."""
    PAGE.write_text(page(), encoding="utf-8")
    EXAMPLE.write_text(example(), encoding="utf-8")
