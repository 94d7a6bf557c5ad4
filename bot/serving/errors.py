"""Why a server of this project can't start, and how an error is named in a log."""

from __future__ import annotations

import traceback


class StartError(Exception):
    """The message is one sentence for whoever starts the server: what is wrong, and what to do."""


def where(error: BaseException) -> str:
    """The kind of an error and where it was raised; its text is left out, because it may quote a visitor."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.filename}, line {last.lineno}"
