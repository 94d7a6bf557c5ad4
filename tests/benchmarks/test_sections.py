"""Several benchmarks write into one text, each its own section."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.sections import table, write_section


def test_a_section_is_written_anew_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("# Benchmarks\n\nBy hand.\n")
    write_section("speed", "first", path)
    write_section("understanding", "other", path)
    write_section("speed", "second\n", path)
    assert path.read_text() == (
        "# Benchmarks\n\nBy hand.\n\n"
        "<!-- speed: begin -->\nsecond\n<!-- speed: end -->\n\n"
        "<!-- understanding: begin -->\nother\n<!-- understanding: end -->\n"
    )


def test_a_missing_text_is_begun(tmp_path: Path) -> None:
    write_section("speed", "figures", tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text().startswith("# Benchmarks\n")


def test_a_lost_end_mark_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("<!-- speed: begin -->\nfigures\n")
    with pytest.raises(ValueError, match="end"):
        write_section("speed", "figures", path)


def test_a_table() -> None:
    assert table(("a", "b"), [("1", "x|y")]) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |"
