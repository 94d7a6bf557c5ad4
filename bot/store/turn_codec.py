"""Packs the events of one turn into a few hundred bytes, and unpacks them.

A packed turn is one byte that says how it was packed, then zlib over JSON with a dictionary of what every
turn holds. What can be told from elsewhere is left out: values that are empty, the text's copy in the parse
data, the tail of the intent ranking, and metadata that all events of the turn share.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from bot.store.plain import to_plain

Event = dict[str, Any]

RANKED = 3
"""Intents of the ranking that are kept: what a thumbs down on an old answer shows staff."""

_VERSION = 1
_WINDOW = 13  # a power of two, in bytes: larger than a turn. To set up zlib's own takes longer than to pack.
# Never change this text: what was packed with it can't be read without it. Add a version instead.
_NUL = b"\\u0000"  # as JSON writes it
_COMMON = (
    b'"input_channel":"messenger""input_channel":"website""input_channel":"rest""message_id":"'
    b'{"title":"Book an appointment","payload":"/book"}{"event":"active_loop","name":"callback_form"'
    b'"rewind""undo""restart""pause""resume""reset_slots""followup""loop_interrupted""is_interrupted":true'
    b'{"event":"action_execution_rejected","name":"{"event":"user_featurization","use_text_for_featurization":false'
    b'{"event":"entities","entities":[{"entity":"phone","start":0,"end":12,"value":"'
    b'"response_selector":{"all_retrieval_intents":["faq"],"faq":{"response":{"confidence":0.9,"intent_response_key":'
    b'"faq/what_are_milia","utter_action":"utter_faq/what_are_milia"}}}"utter_action":"utter_faq/'
    b'"intent_ranking":[{"name":"out_of_scope","confidence":0.0},{"name":"nlu_fallback","confidence":0.'
    b'"clauses":[{"text":"","intent":"faq/","confidence":0.9}],"candidates":[]"unreadable":false'
    b'"data":{"buttons":[{"title":"","payload":"/faq/"},{"title":"","payload":"/"}],"custom":{"links":[{"title":'
    b'"Call 1300 455 792","target":"tel:1300455792"},{"title":"www.skinmatrix.com.au","target":'
    b'"https://www.skinmatrix.com.au/?service=milia&source="}],"code":"miliagone","id":"","author":"bot"}}'
    b"the milia are is it a of to and in for you your can skin with eyes around removal treatment. "
    b'{"m":{"model_id":"","assistant_id":"","at":1790000000000000,"e":[{"event":"action","name":"action_session_start",'
    b'"confidence":1.0},{"event":"session_started","t":0},{"event":"action","name":"action_listen","t":'
    b'{"event":"slot","name":"requested_slot","value":null,"t":0},{"event":"slot","name":"","value":"'
    b'{"event":"action","name":"utter_faq","policy":"policy_0_RulePolicy","confidence":1.0,"hide_rule_turn":true,"t":'
    b'{"event":"bot","text":"","metadata":{"utter_action":"utter_'
    b'{"event":"action","name":"action_listen","policy":"policy_0_RulePolicy","confidence":1.0,"t":'
    b'{"event":"user","text":"","parse_data":{"intent":{"name":"faq","confidence":0.'
)


def pack(events: Sequence[Mapping[str, Any]]) -> bytes:
    """The events (as Rasa's `as_dict` gives them) of one turn, small."""
    shared = _shared_metadata(events)
    start = _microseconds(events[0]) if events else 0
    return _pack({"m": shared, "at": start, "e": [_slim(event, shared, start) for event in events]})


def unpack(data: bytes) -> list[Event]:
    """The events of a packed turn, as Rasa's `Event.from_parameters` takes them."""
    turn = _unpack(data)
    return [_full(event, turn["m"], turn["at"]) for event in turn["e"]]


def pack_state(state: Mapping[str, Any]) -> bytes:
    """A checkpoint, small."""
    return _pack(dict(state))


def unpack_state(data: bytes) -> dict[str, Any]:
    return _unpack(data)


def _pack(value: dict[str, Any]) -> bytes:
    try:
        text = _as_json(value)
        plain = _NUL not in text
    except (TypeError, ValueError):  # also half a character, or no number
        plain = False
    if not plain:  # seldom, and making everything plain takes as long as all else
        text = _as_json(to_plain(value))
    packer = zlib.compressobj(6, wbits=_WINDOW, memLevel=6, zdict=_COMMON)
    return bytes([_VERSION]) + packer.compress(text) + packer.flush()


def _as_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _unpack(data: bytes) -> dict[str, Any]:
    if data[0] != _VERSION:
        raise ValueError(f"A turn was packed by a later release (version {data[0]}).")
    unpacker = zlib.decompressobj(zdict=_COMMON)
    value: dict[str, Any] = json.loads(unpacker.decompress(data[1:]) + unpacker.flush())
    return value


# ------------------------------------------------------------ one event


def _slim(event: Mapping[str, Any], shared: Mapping[str, Any], start: int) -> Event:
    slim = {key: value for key, value in event.items() if key not in {"timestamp", "metadata"}}
    slim["t"] = _microseconds(event) - start
    metadata = {k: v for k, v in (event.get("metadata") or {}).items() if k not in shared}
    if metadata:
        slim["metadata"] = metadata
    if event["event"] == "user":
        slim["parse_data"] = _slim_parse_data(event)
    if event["event"] == "bot":
        slim["data"] = _without_empty(event.get("data") or {})
    if event["event"] in {"user", "bot", "action"}:
        slim = _without_empty(slim)
    return slim


def _full(slim: Event, shared: Mapping[str, Any], start: int) -> Event:
    event = dict(slim)
    event["timestamp"] = (event.pop("t") + start) / 1e6
    metadata = {**shared, **event.get("metadata", {})}
    if metadata:
        event["metadata"] = metadata
    if event["event"] == "user":
        event.setdefault("text", None)
        parse_data = {"intent": {}, "entities": [], **event.get("parse_data", {})}
        parse_data.update(text=event["text"], message_id=event.get("message_id"), metadata=metadata)
        event["parse_data"] = parse_data
    if event["event"] == "bot":
        event.setdefault("text", None)
        event.setdefault("data", {})
    return event


def _slim_parse_data(event: Mapping[str, Any]) -> dict[str, Any]:
    parsed = dict(event.get("parse_data") or {})
    for copied in ("text", "message_id", "metadata", "text_tokens"):
        parsed.pop(copied, None)
    parsed["intent"] = _slim_intent(parsed.get("intent") or {})
    parsed["intent_ranking"] = [_slim_intent(i) for i in (parsed.get("intent_ranking") or [])[:RANKED]]
    parsed["response_selector"] = _slim_selector(parsed.get("response_selector") or {})
    return _without_empty(parsed)


def _slim_intent(intent: Mapping[str, Any]) -> dict[str, Any]:
    slim = dict(intent)
    if isinstance(slim.get("confidence"), float):
        slim["confidence"] = round(slim["confidence"], 4)
    return slim


def _slim_selector(selector: Mapping[str, Any]) -> dict[str, Any]:
    """Which answer was selected, without the answer's text and the ranking."""
    slim: dict[str, Any] = {}
    for name, value in selector.items():
        response = value.get("response") if isinstance(value, Mapping) else None
        if not isinstance(response, Mapping):
            slim[name] = value
            continue
        kept = ("confidence", "intent_response_key", "utter_action")
        slim[name] = {"response": _slim_intent({key: response[key] for key in kept if key in response})}
    return slim


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None and value != {} and value != []}


def _shared_metadata(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What stands alike in the metadata of all events: the model's and the assistant's id."""
    every = [event.get("metadata") or {} for event in events]
    if not every:
        return {}
    return {k: v for k, v in every[0].items() if all(k in other and other[k] == v for other in every[1:])}


def _microseconds(event: Mapping[str, Any]) -> int:
    return round((event.get("timestamp") or 0) * 1e6)
