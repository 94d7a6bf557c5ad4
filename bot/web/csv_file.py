"""CSV downloads that a spreadsheet program can open without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_file(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A download of these rows; the mark at its start tells spreadsheet programs that it is UTF-8."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    response = Response("\ufeff" + file.getvalue(), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def harmless(cell: object) -> object:
    """A cell that no spreadsheet program takes for a formula."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_STARTS_FORMULA):
        return "'" + cell
    return cell
