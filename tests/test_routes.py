"""Nobody is let in who isn't on the list: docs/routes.md says of every route of every process who may call it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
import requests

from tests.conftest import ROOT, System

Route = tuple[str, str, str, str]

LISTED: list[Route] = [
    (row[0], row[1], row[2], row[3])
    for row in re.findall(
        r"^\| (chat|actions|staff) \| ([A-Z]+) \| `(.+?)` \| (.+) \|$",
        (ROOT / "docs" / "routes.md").read_text(),
        re.MULTILINE,
    )
]


def test_every_route_is_listed_with_who_may_call_it() -> None:
    program = [sys.executable, str(ROOT / "tests" / "programs" / "routes.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    found = [tuple(route) for route in json.loads(done.stdout)]
    there, listed_ones = {route[:3] for route in found}, {route[:3] for route in LISTED}
    assert there - listed_ones == set(), "put them into docs/routes.md"
    assert listed_ones - there == set(), "they are gone: take them out of docs/routes.md"
    listed = {route[:3]: route[3] for route in LISTED}
    for process, method, path, who in found:
        if process == "staff" and path != "/models/live":  # which looks at the token itself
            assert listed[process, method, path] == who, path


def address(path: str) -> str:
    """An address that fits a route's pattern."""
    path = re.sub(r"<any\((\w+)[^>]*>", r"\1", path)
    path = re.sub(r"<id:\w+>", "a" * 32, path)
    return re.sub(
        r"<topic:\w+>", "faq/pain", re.sub(r"<(\w+:)?(action|code|filename)(:\w+)?>", "nothing", path)
    )


REFUSED = {
    "a visitor, by the session's token": {401},
    "Meta, by signature": {403},
    "Meta, by verify token": {403},
    "who has the code": {404},
    "chat servers, by token": {404},
    # To the sign-in page, or 400 because the form has no token either.
    "reviewers": {302, 400, 401},
    "editors": {302, 400, 401},
    "admins": {302, 400, 401},
}


@pytest.mark.parametrize("route", LISTED, ids=lambda route: " ".join(route[:3]))
def test_it_is_refused_to_everybody_else(system: System, route: Route) -> None:
    process, method, path, who = route
    url = {"chat": system.chat_url, "actions": system.actions_url, "staff": system.staff_url}[process]
    answer = requests.request(method, url + address(path), json={}, allow_redirects=False, timeout=20)
    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    if path.startswith("/webhooks/website/") and path != "/webhooks/website/widget.js":
        elsewhere = {"Origin": "https://elsewhere.example"}
        assert requests.request(method, url + path, headers=elsewhere, timeout=20).status_code == 403
    if who in REFUSED:
        assert answer.status_code in REFUSED[who]
        if answer.status_code == 302:
            assert "/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize(
    "path",
    [
        "/conversations/x/tracker",
        "/model/train",
        "/model/parse",
        "/domain",
        "/status",
        "/version",
        "/webhooks/callback",
    ],
)
def test_rasas_http_api_is_not_there(system: System, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert requests.request(method, system.chat_url + path, timeout=20).status_code in {404, 405}


def listening(system: System) -> Iterator[tuple[str, int]]:
    """Where the processes of the assistant listen."""
    for process in psutil.Process(system.process.pid).children(recursive=True):
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                yield connection.laddr.ip, connection.laddr.port


def test_they_listen_on_loopback_and_on_no_other_port(system: System) -> None:
    found = set(listening(system))
    urls = (system.chat_url, system.actions_url, system.staff_url)
    assert found == {("127.0.0.1", int(url.rpartition(":")[2])) for url in urls}
