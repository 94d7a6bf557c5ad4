"""docs/openapi/ is true: it describes every public route, and the real servers answer as it says, whatever is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bot.model import OutgoingReply, Reply
from bot.passwords import add_account
from bot.review_model import Role
from bot.store.staff_store import StaffStore
from tests.alone import APP_SECRET, Alone
from tests.cluster import StaffApp
from tests.conftest import ROOT, free_ports
from tests.private import leaks
from tests.test_routes import LISTED

DESCRIBED = {
    process: schemathesis.openapi.from_path(ROOT / "docs" / "openapi" / f"{process}.yml")
    for process in ("chat", "staff")
}
OPERATIONS = [
    pytest.param(process, result.ok(), id=f"{process} {result.ok().label}")
    for process, description in DESCRIBED.items()
    for result in description.get_all_operations()
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]
FEW = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _apart_from_asynchronous_tests() -> None:
    """These tests need no browser."""


# ---------------------------------------------------------------- what is described


def test_every_public_route_is_described_and_nothing_else() -> None:
    public = {
        (process, method, path.replace("<code:str>", "{code}").replace("<path:filename>", "{filename}"))
        for process, method, path, who in LISTED
        if process == "chat" or who == "anybody"
        if process in DESCRIBED
    }
    described = {
        (process, operation.method.upper(), operation.path)
        for process, operation in (parameter.values for parameter in OPERATIONS)
    }
    assert public - described == set(), "describe them in docs/openapi/"
    assert described - public == set(), "they are gone: take them out of docs/openapi/"


@pytest.mark.parametrize("process", DESCRIBED)
def test_the_description_is_openapi(process: str) -> None:
    DESCRIBED[process].validate()


# ---------------------------------------------------------------- who asks


def in_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed_request(user_id: int) -> str:
    """What Meta sends when this person wants to be deleted."""
    payload = in_base64(json.dumps({"algorithm": "HMAC-SHA256", "user_id": str(user_id)}).encode())
    signature = hmac.new(APP_SECRET.encode(), payload.encode(), hashlib.sha256).digest()
    return f"{in_base64(signature)}.{payload}"


schemathesis.openapi.format("signed-request", st.integers(1, 10**20).map(signed_request))


@schemathesis.deserializer("application/x-ndjson")
def lines_of(_: object, response: schemathesis.Response) -> list[Any]:
    """The stream of a message as the list that the description shows it as."""
    return [json.loads(line) for line in response.content.decode().splitlines()]


def signed_by_meta(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Makes a signature that is to be sent, and could be one, the right one for the bytes that are sent."""
    if re.fullmatch("sha256=[0-9a-f]{64}", request.headers.get("X-Hub-Signature-256", "")):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        request.headers["X-Hub-Signature-256"] = f"sha256={signature}"
    return request


class Caller:
    """Calls the operations of a process. headers: what those show who may."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.headers = headers
        self.known, self.stranger = requests.Session(), requests.Session()
        self.known.auth = signed_by_meta

    def call(self, case: Case, known: bool = True) -> schemathesis.Response:
        """Calls as who may, or as a stranger; fails when the answer is not as described."""
        session, headers = (self.known, self.headers) if known else (self.stranger, {})
        return case.call_and_validate(
            self.url, session, headers, checks=CHECKS, allow_redirects=False, timeout=20
        )


def visitor_of(alone: Alone) -> Caller:
    """A visitor of the website, for whom a reply from staff waits."""
    token = requests.post(f"{alone.chat.url}/webhooks/website/session", timeout=20).json()["token"]
    conversation = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    person = alone.settings.person("website", conversation)
    alone.store.enqueue_reply(OutgoingReply(person, Reply("We are open.", author="staff"), "sarah"))
    return Caller(alone.chat.url, Authorization=f"Bearer {token}")


def somebody_with_the_form(url: str) -> Caller:
    """Somebody who has the form to sign in before them."""
    caller = Caller(url)
    form = caller.known.get(f"{url}/sign-in", timeout=20).text
    caller.headers["X-CSRFToken"] = re.findall('name="csrf_token" value="(.+?)"', form)[0]
    return caller


@pytest.fixture(scope="module")
def callers(alone: Alone) -> Iterator[dict[str, Caller]]:
    variables = {**alone.variables, "MILIA_STAFF_PROXIES": "1"}  # so that tests have addresses of their own
    staff = StaffApp(variables, free_ports(1)[0], alone.folder / "staff.log")
    staff.launch()
    staff.wait()
    callers = {"chat": visitor_of(alone), "staff": somebody_with_the_form(staff.url)}
    yield callers
    said = callers["chat"].call(
        case("chat", "sendMessage", body={"id": "afterwards", "text": "What are milia?"})
    )
    assert "hard white lumps" in said.content.decode()
    assert callers["staff"].call(case("staff", "healthReady")).status_code == 200
    staff.stop()
    assert leaks(alone.settings, alone.store, [staff.log]) == []


def case(process: str, operation: str, **parts: Any) -> Case:
    """A call of an operation with these parts."""
    return DESCRIBED[process].find_operation_by_id(operation).Case(**parts)


# ---------------------------------------------------------------- what is answered


def modes_of(operation: APIOperation) -> Iterator[GenerationMode]:
    """What fits the description; for a body, also what doesn't."""
    yield GenerationMode.POSITIVE
    if operation.body:
        yield GenerationMode.NEGATIVE


@pytest.mark.parametrize(("process", "operation"), OPERATIONS)
def test_whatever_is_sent_is_answered_as_described(
    callers: dict[str, Caller], process: str, operation: APIOperation
) -> None:
    for mode in modes_of(operation):

        @FEW
        @given(operation.as_strategy(mode), st.booleans())
        def send(case: Case, known: bool) -> None:
            callers[process].call(case, known)

        send()


BIG = b"x" * (1024 * 1024 + 1)
LARGE = [
    pytest.param(process, operation, id=f"{process} {operation.label}")
    for process, operation in (parameter.values for parameter in OPERATIONS)
    if operation.method == "post"
]


@pytest.mark.parametrize(("process", "operation"), LARGE)
def test_what_is_too_large_is_refused_as_described(
    callers: dict[str, Caller], process: str, operation: APIOperation
) -> None:
    answer = requests.post(callers[process].url + operation.path, data=BIG, timeout=20)
    assert answer.status_code == 413
    operation.validate_response(answer)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/health", 405)])
def test_what_is_not_described_is_refused_with_a_word(
    callers: dict[str, Caller], method: str, path: str, status: int
) -> None:
    answer = requests.request(method, callers["chat"].url + path, timeout=20)
    assert answer.status_code == status and answer.json()["error"]


def test_the_script_is_fetched_once(callers: dict[str, Caller]) -> None:
    chat = callers["chat"]
    tag = chat.call(case("chat", "readWidget")).headers["etag"][0]
    assert chat.call(case("chat", "readWidget", headers={"If-None-Match": tag})).status_code == 304


def test_a_reply_is_rated(callers: dict[str, Caller]) -> None:
    chat = callers["chat"]
    said = chat.call(case("chat", "sendMessage", body={"id": "to-be-rated", "text": "Does it hurt?"}))
    reply, *_ = (line["id"] for line in lines_of(None, said) if line["type"] == "reply")
    assert chat.call(case("chat", "rateReply", body={"reply": reply, "up": True})).status_code == 200


def test_meta_is_let_in(callers: dict[str, Caller]) -> None:
    chat = callers["chat"]
    query = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "1234"}
    assert chat.call(case("chat", "verifyWebhook", query=query)).content == b"1234"
    body = {"signed_request": signed_request(7001)}
    wanted = chat.call(case("chat", "requestDeletion", body=body)).json()
    told = chat.call(case("chat", "readDeletion", path_parameters={"code": wanted["confirmation_code"]}))
    assert told.status_code == 200


def test_files_of_the_staff_app_are_fetched_once(callers: dict[str, Caller]) -> None:
    staff, styles = callers["staff"], {"filename": "staff.css"}
    tag = staff.call(case("staff", "readFile", path_parameters=styles)).headers["etag"][0]
    for name, value, status in (
        ("If-None-Match", tag, 304),
        ("Range", "bytes=0-9", 206),
        ("Range", "bytes=99999999-", 416),
    ):
        asked = case("staff", "readFile", path_parameters=styles, headers={name: value})
        assert staff.call(asked).status_code == status


def test_staff_sign_in(callers: dict[str, Caller], alone: Alone) -> None:
    store = StaffStore(alone.settings.store_url)
    password = add_account(store, "Kim", Role.REVIEWER)
    store.close()
    kim = somebody_with_the_form(callers["staff"].url)
    kim.headers["X-Forwarded-For"] = "192.0.2.7"
    form = {
        "csrf_token": kim.headers["X-CSRFToken"],
        "name": "Kim",
        "password": password,
        "next": "/callbacks",
    }
    entered = kim.call(case("staff", "signIn", body=form))
    assert (entered.status_code, entered.headers["location"]) == (302, ["/callbacks"])
    assert kim.call(case("staff", "signInForm")).status_code == 302
