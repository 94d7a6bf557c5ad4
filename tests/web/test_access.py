"""Who may see and do what: every role against every page, sessions, tokens, guesses, other people's ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from bot.model import new_id, utc_now
from bot.review_model import Role
from bot.web.desk import Desk
from tests.web.conftest import PASSWORD, Staff

ID = "0" * 32

ADMINS_ONLY = {
    ("GET", "/people"),
    ("GET", f"/people/{ID}"),
    ("GET", f"/people/{ID}.json"),
    ("POST", f"/people/{ID}/erase"),
    ("GET", f"/people/receipts/{ID}"),
    ("GET", f"/people/receipts/{ID}.json"),
    ("GET", "/clinic"),
    ("POST", "/clinic"),
    ("POST", "/clinic/undo"),
    ("GET", "/accounts"),
    ("POST", "/accounts"),
    ("POST", f"/accounts/{ID}/reset"),
}
EDITORS = {
    ("GET", "/answers"),
    ("GET", "/answers/new"),
    ("POST", "/answers/new"),
    ("GET", "/answers/of/faq/pain"),
    ("POST", "/answers/of/faq/pain"),
    ("GET", "/answers/changes/faq/pain"),
    ("POST", "/answers/check"),
    ("POST", "/answers/approve/faq/pain"),
    ("GET", "/publish"),
    ("GET", "/publish/progress"),
    ("POST", "/publish/start"),
    ("POST", f"/publish/{ID}/cancel"),
    ("POST", f"/publish/{ID}/accept"),
    ("POST", f"/publish/{ID}/live"),
    ("GET", f"/publish/{ID}/try"),
    ("POST", f"/publish/{ID}/try"),
    ("POST", f"/publish/releases/{ID}/back"),
}
EVERYBODY = {
    ("GET", "/"),
    ("GET", f"/questions/{ID}"),
    ("POST", f"/questions/{ID}/answered"),
    ("GET", "/callbacks"),
    ("GET", "/callbacks.csv"),
    ("POST", f"/callbacks/{ID}/take"),
    ("GET", "/outcomes"),
    ("GET", "/outcomes.csv"),
    ("GET", "/history"),
    ("GET", "/password"),
    ("POST", "/password"),
    ("POST", "/sign-out"),
}
NOBODY_NEEDED = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/static/staff.css"),
}
SERVERS_ONLY = {("GET", "/models/live")}
"""They show a token of their own (tests/web/test_publishing.py)."""


def filled(rule: Any) -> set[tuple[str, str]]:
    path = rule.rule
    for name in rule.arguments:
        value = {"action": "answered", "filename": "staff.css", "topic": "faq/pain"}.get(name, ID)
        if name == "action" and path.startswith("/callbacks"):
            value = "take"
        if name == "action" and path.startswith("/accounts"):
            value = "reset"
        if name == "action" and path.startswith("/answers"):
            value = "approve"
        path = re.sub(rf"<([^<>]*:)?{name}>", value, path)
    return {(method, path) for method in rule.methods - {"HEAD", "OPTIONS"}}


def request(staff: Staff, method: str, path: str) -> int:
    if method == "GET":
        return staff.get(path).status_code
    return staff.post(path, "/password" if staff.account else "/sign-in", version="0").status_code


def test_every_page_is_in_one_of_the_lists_above(app: Flask) -> None:
    pages = {pair for rule in app.url_map.iter_rules() for pair in filled(rule)}
    assert pages == ADMINS_ONLY | EDITORS | EVERYBODY | NOBODY_NEEDED | SERVERS_ONLY


def test_without_an_account_there_is_only_the_way_in(visitor: Staff, ask: Callable[..., Any]) -> None:
    ask("is my secret wart contagious")
    for method, path in sorted(ADMINS_ONLY | EDITORS | EVERYBODY):
        answer = visitor.get(path) if method == "GET" else visitor.post(path, "/sign-in", version="0")
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/sign-in"), path
        assert "secret" not in answer.text


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.EDITOR])
def test_reviewers_and_editors_are_kept_out_of_what_is_for_admins(
    role: Role, add_staff: Callable[..., Staff]
) -> None:
    staff = add_staff("Dana", role)
    for method, path in sorted(ADMINS_ONLY):
        assert request(staff, method, path) == 403, path
    for method, path in sorted(EDITORS):
        may = role is Role.EDITOR
        assert (request(staff, method, path) in (200, 302, 400, 404, 409, 422)) is may, path
    for method, path in sorted(EVERYBODY - {("POST", "/sign-out")}):
        assert request(staff, method, path) in (200, 302, 404, 422), path
    assert request(staff, "POST", "/sign-out") == 302


def test_admins_reach_everything(kim: Staff) -> None:
    for method, path in sorted((ADMINS_ONLY | EDITORS | EVERYBODY) - {("POST", "/sign-out")}):
        assert request(kim, method, path) in (200, 302, 404, 409, 422, 400), path


# ------------------------------------------------------------ sessions


def test_a_session_begins_anew_when_somebody_signs_in(
    visitor: Staff, add_staff: Callable[..., Staff], app: Flask
) -> None:
    add_staff("Kim", Role.ADMIN)
    visitor.get("/sign-in")
    before = visitor.client.get_cookie("milia_staff").value
    assert visitor.sign_in("Kim").status_code == 302
    after = visitor.client.get_cookie("milia_staff")
    assert after.value != before
    planted = Staff(app.test_client())
    planted.client.set_cookie("milia_staff", before)
    assert planted.get("/").status_code == 302


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor: Staff) -> None:
    cookie = visitor.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_signing_out_ends_the_session_on_the_server(kim: Staff, app: Flask) -> None:
    stolen = kim.client.get_cookie("milia_staff").value
    assert kim.post("/sign-out").status_code == 302
    thief = Staff(app.test_client())
    thief.client.set_cookie("milia_staff", stolen)
    assert thief.get("/").status_code == 302


def test_a_new_password_and_switching_off_end_all_sessions(kim: Staff, dana: Staff) -> None:
    path = f"/accounts/{dana.account.id}"
    assert kim.post(f"{path}/reset", "/accounts").status_code == 200
    assert dana.get("/").status_code == 302
    assert dana.sign_in("Dana").status_code == 403
    assert kim.post(f"{path}/on", "/accounts").status_code == 302
    assert kim.post(f"{path}/off", "/accounts").status_code == 302


def test_a_session_that_nobody_uses_ends(desk: Desk, kim: Staff) -> None:
    token = "t" * 40
    desk.store.start_session(token, kim.account.id)
    assert desk.store.session_account(token, timedelta(hours=1)) is not None
    assert desk.store.session_account(token, timedelta(seconds=-1)) is None
    assert desk.store.drop_sessions(utc_now() + timedelta(seconds=1)) == 2
    assert kim.get("/").status_code == 302


def test_a_one_time_password_has_to_be_changed_first(kim: Staff, visitor: Staff) -> None:
    page = kim.post("/accounts", "/accounts", name="Priya", role="editor").text
    password = page.split('class="secret">')[1].split("<")[0]
    assert visitor.sign_in("priya", password).status_code == 302
    for path in ("/", "/callbacks", "/outcomes"):
        assert visitor.get(path).headers["Location"] == "/password"
    form = {"old": password, "new": "quite another phrase", "again": "quite another phrase"}
    assert visitor.post("/password", "/password", **{**form, "again": "no"}).status_code == 422
    assert (
        visitor.post("/password", "/password", **{**form, "new": "short", "again": "short"}).status_code
        == 422
    )
    assert visitor.post("/password", "/password", **form).headers["Location"] == "/"
    assert visitor.get("/").status_code == 200
    assert visitor.get("/people").status_code == 403


def test_after_signing_in_nobody_is_sent_to_another_site(add_staff: Callable[..., Staff], app: Flask) -> None:
    add_staff("Kim")
    for target, place in {
        "https://evil.example": "/",
        "//evil.example": "/",
        "/\\evil.example": "/",
        "javascript:alert(1)": "/",
        "/\t/evil.example": "/",
        "/outcomes?from=2026-01-01": "/outcomes?from=2026-01-01",
    }.items():
        staff = Staff(app.test_client())
        answer = staff.post("/sign-in", "/sign-in", name="Kim", password=PASSWORD, next=target)
        assert answer.headers["Location"] == place


# ------------------------------------------------------------ guesses


def test_guessing_a_password_is_slowed_down(add_staff: Callable[..., Staff], visitor: Staff) -> None:
    add_staff("Kim")
    statuses = [visitor.sign_in("Kim", f"guess number {n}").status_code for n in range(7)]
    assert statuses == [403] * 5 + [429] * 2
    assert visitor.sign_in("Kim").status_code == 429, "also with the right one"
    other = visitor.client.application.test_client()
    elsewhere = Staff(other)
    other.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert elsewhere.sign_in("Kim").status_code == 302, "the account itself is not locked"


def test_many_names_from_one_address_are_slowed_down_too(visitor: Staff, desk: Desk) -> None:
    for number in range(29):
        desk.limits.failed(f"name{number}", "127.0.0.1")
    assert [visitor.sign_in(name, "guess").status_code for name in ("one", "two")] == [403, 429]


def test_an_unknown_name_is_not_told_from_a_wrong_password(
    add_staff: Callable[..., Staff], visitor: Staff
) -> None:
    add_staff("Kim")
    wrong, unknown = visitor.sign_in("Kim", "x" * 12), visitor.sign_in("Lee", "x" * 12)
    assert wrong.status_code == unknown.status_code == 403
    assert "That name and password" in wrong.text
    assert "That name and password" in unknown.text


# ------------------------------------------------------------ forged forms, other people's ids


def test_every_form_needs_its_token(
    kim: Staff, ask: Callable[..., Any], group_of: Callable[..., str]
) -> None:
    group = group_of(ask("do you sell vouchers"))
    for method, path in sorted(ADMINS_ONLY | EDITORS | EVERYBODY | NOBODY_NEEDED):
        if method == "POST":
            path = path.replace(f"/questions/{ID}", f"/questions/{group}")
            assert kim.client.post(path, data={"version": 0, "topic": "faq/pain"}).status_code == 400, path
    assert "New" in kim.get(f"/questions/{group}").text


def test_a_token_of_somebody_else_does_not_count(kim: Staff, dana: Staff) -> None:
    answer = dana.client.post("/sign-out", data={"csrf_token": kim.token()})
    assert answer.status_code == 400
    assert dana.get("/").status_code == 200


@pytest.mark.parametrize("odd", ["-1 OR 1=1", "1", "../../etc/passwd", "%00", new_id().upper(), "é" * 32])
def test_odd_ids_are_not_found(kim: Staff, odd: str) -> None:
    for path in (f"/questions/{odd}", f"/people/{odd}", f"/people/receipts/{odd}"):
        assert kim.get(path).status_code == 404
    for path in (f"/questions/{odd}/answered", f"/callbacks/{odd}/take", f"/accounts/{odd}/off"):
        assert kim.post(path, "/", version="0").status_code == 404


def test_a_reply_reaches_only_a_person_of_this_group(
    kim: Staff, ask: Callable[..., Any], group_of: Callable[..., str], desk: Desk
) -> None:
    here, elsewhere = ask("do you sell vouchers"), ask("is there parking", "v2")
    answer = kim.post(f"/questions/{group_of(here)}/reply", version=0, question=elsewhere.id, reply="Hi!")
    assert answer.status_code == 422
    assert not desk.store.pending_replies("website")


def test_pages_forbid_everything_inline_and_are_not_kept(kim: Staff) -> None:
    answer = kim.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    for path in ("/", "/callbacks", "/outcomes", "/people", "/clinic", "/accounts", "/history", "/password"):
        text = kim.get(path).text
        assert " style=" not in text
        assert "<script>" not in text
        assert " onclick=" not in text
