"""Writes one section of a text that several benchmarks share: what lies between its two marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

README = Path("benchmarks/README.md")


def write_section(name: str, text: str, path: Path = README) -> None:
    """Puts the text between the marks of this name, at the end of the file when there are none yet."""
    first, last = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    whole = path.read_text(encoding="utf-8") if path.is_file() else "# Benchmarks\n"
    section = f"{first}\n{text.strip()}\n{last}"
    before, begin, rest = whole.partition(first)
    if begin:
        _, end, after = rest.partition(last)
        if not end:
            raise ValueError(f"{path} has the mark {first} without {last}.")
        whole = before + section + after
    else:
        whole = f"{whole.rstrip()}\n\n{section}\n"
    path.write_text(whole, encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
