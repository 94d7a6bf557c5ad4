"""Signatures of Meta's requests, and the proof that goes with ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any


def signed_by_meta(body: bytes, header: str, app_secret: str) -> bool:
    """Whether `X-Hub-Signature-256` is that of these raw bytes. SHA-1 is not accepted."""
    expected = "sha256=" + _hex(body, app_secret)
    return hmac.compare_digest(expected.encode(), header.encode("utf-8", "replace"))


def appsecret_proof(token: str, app_secret: str) -> str:
    """Shows Graph that whoever uses the token knows the app's secret."""
    return _hex(token.encode(), app_secret)


def read_signed_request(signed_request: str, app_secret: str) -> dict[str, Any] | None:
    """The content of a `signed_request` (data deletion); None unless Meta signed it."""
    signature, dot, payload = signed_request.partition(".")
    expected = hmac.new(app_secret.encode(), payload.encode("utf-8", "replace"), hashlib.sha256).digest()
    try:
        if not dot or not hmac.compare_digest(_unbase64(signature), expected):
            return None
        content = json.loads(_unbase64(payload))
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or str(content.get("algorithm", "")).upper() != "HMAC-SHA256":
        return None
    return content


def _hex(message: bytes, key: str) -> str:
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
