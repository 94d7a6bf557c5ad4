"""Which sites may show the chat, and the CORS headers that tell browsers so."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from sanic.request import Request

from bot.settings import Settings

_PREFLIGHT_SECONDS = 2 * 60 * 60


class Origins:
    """The sites of the settings, and the server's own pages."""

    def __init__(self, settings: Settings) -> None:
        self._allowed = {_canonical(origin) for origin in settings.allowed_origins}
        self._public = _canonical(settings.public_url) if settings.public_url else ""

    def allows(self, request: Request) -> bool:
        """Whether the page that sends this request may show the chat.

        Programs that are no browsers, and a browser's own GET on the same site, name no origin: these pass,
        because what guards a conversation is its token.
        """
        origin = request.headers.get("origin")
        return origin is None or self._knows(origin, request)

    def headers(self, request: Request) -> dict[str, str]:
        """CORS headers for an answer, also for an error, which the page could not read without them."""
        headers = {"Vary": "Origin", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        origin = request.headers.get("origin")
        if origin is not None and self._knows(origin, request):
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Retry-After"
            if request.method == "OPTIONS":
                headers["Access-Control-Allow-Methods"] = "GET, POST"
                headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
                headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
        return headers

    def _knows(self, origin: str, request: Request) -> bool:
        try:
            named = _canonical(origin)
        except ValueError:
            return False
        if named in self._allowed:
            return True
        if self._public:
            return named == self._public
        return bool(named) and named.partition("://")[2] == request.headers.get("host", "").lower()


@lru_cache(maxsize=256)
def _canonical(url: str) -> str:
    """Scheme, host and port of a URL as browsers send them; empty for `null`."""
    parts = urlsplit(url.strip().lower())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    default = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, default) else "")
