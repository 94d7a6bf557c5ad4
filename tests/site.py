"""Somebody else's web site: pages that tests put there, and a reverse proxy to a chat server under a path."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Site:
    """pages: by path, each its headers and its HTML. proxied: by path prefix, the URL that answers there."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.pages: dict[str, tuple[dict[str, str], str]] = {}
        self.proxied: dict[str, str] = {}

    def put(self, path: str, html: str, **headers: str) -> str:
        """Puts a page on the site; returns its address."""
        self.pages[path] = ({name.replace("_", "-"): value for name, value in headers.items()}, html)
        return self.url + path

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Site]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        server.site = site = cls(server)  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield site
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        for prefix, target in site.proxied.items():
            if self.path.startswith(prefix):
                return self._forward(target, "/" + self.path.removeprefix(prefix))
        headers, html = site.pages.get(self.path, ({}, ""))
        body = html.encode()
        self.send_response(200 if html else 404)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_OPTIONS = do_GET

    def _forward(self, target: str, path: str) -> None:
        upstream = http.client.HTTPConnection(urlsplit(target).netloc, timeout=60)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        upstream.request(
            self.command, path, body or None, {**headers, "X-Forwarded-For": self.client_address[0]}
        )
        with closing(upstream), upstream.getresponse() as answer, suppress(ConnectionError):
            self._pass_on(answer)
        self.close_connection = True

    def _pass_on(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while piece := answer.read1(65536):
            self.wfile.write(piece)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""
