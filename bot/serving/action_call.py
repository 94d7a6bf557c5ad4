"""Checks what is sent to the action server before an action sees it."""

from __future__ import annotations

import json
import zlib
from typing import Any

MAX_BODY_BYTES = 2 * 1024 * 1024
"""Before and after unpacking. A call with twenty turns of conversation has about a tenth of that."""

_NULL = type(None)
_CALL = {"next_action": str, "sender_id": str, "tracker": dict}
_CALL_OPTIONAL = {"version": (str, _NULL), "domain": dict}
_TRACKER = {"sender_id": str}
_TRACKER_OPTIONAL = {
    "slots": dict,
    "latest_message": (dict, _NULL),
    "events": list,
    "paused": bool,
    "followup_action": (str, _NULL),
    "active_loop": dict,
    "latest_action_name": (str, _NULL),
    "latest_input_channel": (str, _NULL),
}
_MESSAGE_OPTIONAL = {
    "text": (str, _NULL),
    "intent": (dict, _NULL),
    "entities": list,
    "metadata": (dict, _NULL),
    "message_id": (str, _NULL),
}
_KINDS = {str: "a text", dict: "an object", list: "a list", bool: "true or false", _NULL: "null"}


class BadCall(Exception):
    """A call that is refused: the HTTP status, and one sentence about what is wrong with it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def checked_call(body: bytes, content_type: str, encoding: str) -> dict[str, Any]:
    """The action call in a request's body; `content_type` and `encoding` are its headers' values.

    Raises:
        BadCall: it is none.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadCall(415, "Send the call as application/json.")
    call = _parsed(_unpacked(body, encoding.strip().lower()))
    if not isinstance(call, dict):
        raise BadCall(400, "The call has to be a JSON object.")
    _check(call, "", _CALL, _CALL_OPTIONAL)
    tracker = call["tracker"]
    _check(tracker, "tracker.", _TRACKER, _TRACKER_OPTIONAL)
    _check(tracker.get("latest_message") or {}, "tracker.latest_message.", {}, _MESSAGE_OPTIONAL)
    if not call["next_action"]:
        raise BadCall(400, "next_action is empty: name the action to run.")
    if tracker["sender_id"] != call["sender_id"]:
        raise BadCall(400, "sender_id and tracker.sender_id name two conversations.")
    for event in tracker.get("events", []):
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            raise BadCall(400, "tracker.events has to hold objects that name their event.")
    return call


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding in {"", "identity"}:
        return body
    if encoding != "deflate":  # what Rasa sends when it compresses
        raise BadCall(415, "Send the call plain or with Content-Encoding: deflate.")
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error:
        raise BadCall(400, "The body is not packed with deflate, as its Content-Encoding says.") from None
    if len(unpacked) > MAX_BODY_BYTES:
        raise BadCall(413, f"The call is larger than {MAX_BODY_BYTES} bytes.")
    if not unpacker.eof:
        raise BadCall(400, "The packed body is cut off.")
    return unpacked


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested beyond reason
        raise BadCall(400, "The body is not valid JSON.") from None


def _check(found: dict[str, Any], where: str, required: dict[str, Any], optional: dict[str, Any]) -> None:
    for name, kind in {**required, **optional}.items():
        if name not in found and name in optional:
            continue
        if not isinstance(found.get(name), kind):
            kinds = " or ".join(_KINDS[one] for one in (kind if isinstance(kind, tuple) else (kind,)))
            raise BadCall(400, f"{where}{name} has to be {kinds}.")
