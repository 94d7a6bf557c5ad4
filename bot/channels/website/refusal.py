"""Why a request is not answered, as the JSON that says what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from sanic.response import HTTPResponse
from sanic.response import json as json_response


class Refusal(Exception):
    """A request that can't be answered.

    sentence: what to do, for whoever reads it: the visitor where a visitor can cause it, else a developer.
    retry_after: seconds after which the same request may be answered.
    """

    def __init__(self, status: int, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_after = retry_after

    def response(self, headers: Mapping[str, str]) -> HTTPResponse:
        own = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        return json_response({"error": self.sentence}, status=self.status, headers={**headers, **own})
