"""The action server runs actions, and answers everything else with a short refusal."""

import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from bot.serving.action_call import MAX_BODY_BYTES, BadCall, checked_call
from bot.serving.action_token import actions_token
from bot.settings import load_settings
from bot.store.store import Store
from tests.serving.conftest import ROOT, environment, refusal, running

HOSTILE = [
    item
    for item in yaml.safe_load((ROOT / "tests/data/hostile.yml").read_text(encoding="utf-8"))
    if item["where"] == "action_server" and "precondition" not in item
]

GOOD: dict[str, Any] = {
    "next_action": "action_hours",
    "sender_id": "visitor",
    "version": "3.6.21",
    "tracker": {
        "sender_id": "visitor",
        "slots": {},
        "latest_message": {"text": "when are you open", "intent": {"name": "ask_hours"}, "entities": []},
        "events": [{"event": "user", "text": "when are you open"}],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": "action_listen",
    },
}


@pytest.fixture(scope="module")
def webhook(trained: Path) -> Iterator[str]:
    with running("bot.serving.action_server", trained, "MILIA_ACTIONS_PORT") as url:
        yield f"{url}/webhook"


def body_of(item: dict[str, Any]) -> bytes:
    import base64

    if "generator" in item:  # the file is our own, and says what its expressions may use
        names = {"json": json, "base64": base64, "gzip": gzip, "zlib": zlib}
        made = eval(item["generator"], names)
        return made if isinstance(made, bytes) else str(made).encode()
    if "payload_b64" in item:
        return base64.b64decode(item["payload_b64"])
    return str(item["payload"]).replace("action_record_question", "action_hours").encode()


def assert_works(webhook: str) -> None:
    answer = requests.post(webhook, json=GOOD, timeout=5)
    assert answer.status_code == 200
    assert answer.json()["responses"][0]["text"] == "visitor said 'when are you open', turn 1."


@pytest.mark.parametrize("item", HOSTILE, ids=[item["name"] for item in HOSTILE])
def test_hostile_bodies_are_refused(webhook: str, item: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json", **item.get("headers", {})}
    answer = requests.post(webhook, data=body_of(item), headers=headers, timeout=5)
    assert 400 <= answer.status_code < 500
    assert list(answer.json()) == ["error"]
    assert 10 < len(answer.text) < 300
    assert_works(webhook)


def changed(**fields: Any) -> dict[str, Any]:
    return {**GOOD, **fields}


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (json.dumps([GOOD]), {}, 400, "JSON object"),
        ("", {}, 400, "not valid JSON"),
        ("[" * 100_000, {}, 400, "not valid JSON"),
        (b"\xff\xfe{}", {}, 400, "not valid JSON"),
        (json.dumps(changed(next_action=7)), {}, 400, "next_action has to be a text"),
        (json.dumps(changed(next_action="")), {}, 400, "next_action is empty"),
        (
            json.dumps({"next_action": "action_hours", "sender_id": "a"}),
            {},
            400,
            "tracker has to be an object",
        ),
        (json.dumps(changed(tracker={"sender_id": "visitor", "events": ["a"]})), {}, 400, "events"),
        (json.dumps(changed(version=3)), {}, 400, "version has to be a text or null"),
        (json.dumps(GOOD), {"Content-Type": "text/plain"}, 415, "application/json"),
        (gzip.compress(json.dumps(GOOD).encode()), {"Content-Encoding": "gzip"}, 415, "deflate"),
        (zlib.compress(json.dumps(GOOD).encode())[:-9], {"Content-Encoding": "deflate"}, 400, "cut off"),
        (b" " * (MAX_BODY_BYTES + 1), {}, 413, "larger than"),
        (json.dumps(changed(next_action="action_nobody_knows")), {}, 404, "action_nobody_knows"),
    ],
)
def test_each_refusal_says_why(
    webhook: str, body: str | bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    answer = requests.post(
        webhook, data=body, headers={"Content-Type": "application/json", **headers}, timeout=5
    )
    assert (answer.status_code, reason in answer.json()["error"]) == (status, True), answer.text


def test_endless_chunks_are_cut_off(webhook: str) -> None:
    chunks = (b" " * 65536 for _ in range(1000))
    answer = requests.post(webhook, data=chunks, headers={"Content-Type": "application/json"}, timeout=5)
    assert answer.status_code == 413


def test_what_rasa_packs_is_unpacked(webhook: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "deflate"}
    packed = zlib.compress(json.dumps(GOOD).encode())
    assert requests.post(webhook, data=packed, headers=headers, timeout=5).json()["events"]


def test_a_failing_action_tells_nothing_about_the_visitor(webhook: str) -> None:
    answer = requests.post(webhook, json=changed(next_action="action_broken"), timeout=5)
    assert (answer.status_code, answer.json()) == (500, {"error": "The action failed."})


def test_a_slow_action_keeps_nobody_waiting(webhook: str) -> None:
    slow = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import requests; requests.post({webhook!r}, json={changed(next_action='action_slow')!r})",
        ]
    )
    while slow.poll() is None:
        assert requests.post(webhook, json=GOOD, timeout=5).elapsed.total_seconds() < 0.5
    assert slow.returncode == 0


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(BadCall) as refused:
        checked_call(zlib.compress(b" " * 50_000_000), "application/json; charset=utf-8", "deflate")
    assert refused.value.status == 413


def test_it_never_imports_rasa_or_tensorflow(trained: Path) -> None:
    code = (
        "import sys\n"
        "from bot.serving import action_server\n"
        "from bot.serving.action_app import build_app\n"
        "build_app()\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'rasa', 'tensorflow', 'keras'}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=trained,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_port_in_use_is_named(trained: Path, webhook: str) -> None:
    port = webhook.split(":")[2].split("/")[0]
    said = refusal("bot.serving.action_server", trained, MILIA_ACTIONS_PORT=port)
    assert said.strip() == (
        f"The action server can't start. Port {port} is already in use:"
        " stop what uses it, or set MILIA_ACTIONS_PORT to another port."
    )


def test_on_other_machines_only_chat_servers_may_call(trained: Path, tmp_path: Path) -> None:
    secrets = {"MILIA_SECRET_KEY": "a secret that both of them have", "MILIA_DATA_DIR": str(tmp_path)}
    settings = load_settings(secrets, tmp_path / ".env")
    module = "bot.serving.action_server"
    everywhere = {"MILIA_ACTIONS_HOST": "0.0.0.0", **secrets}
    with running(module, trained, "MILIA_ACTIONS_PORT", **everywhere) as url:
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "é"}):
            encoded = {name: value.encode() for name, value in headers.items()}
            for path in ("webhook", "actions"):
                answer = requests.request(
                    "POST" if path == "webhook" else "GET",
                    f"{url}/{path}",
                    json=GOOD,
                    headers=encoded,
                    timeout=5,
                )
                assert answer.status_code == 403
        right = {"Authorization": f"Bearer {actions_token(settings)}"}
        assert requests.post(f"{url}/webhook", json=GOOD, headers=right, timeout=5).status_code == 200


def test_what_an_action_records_is_stored_before_its_answer(tmp_path: Path) -> None:
    given = {"MILIA_DATA_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-m", "bot", "migrate"], cwd=ROOT, env=environment(**given), check=True)
    message = {"text": "do you do fillers", "intent": {"name": "out_of_scope"}, "entities": []}
    said = {"event": "user", "text": "do you do fillers", "message_id": "1", "input_channel": "rest"}
    tracker = {**GOOD["tracker"], "latest_message": message, "events": [said], "latest_input_channel": "rest"}
    call = {**GOOD, "next_action": "action_record_question", "tracker": tracker}
    with running("bot.serving.action_server", ROOT, "MILIA_ACTIONS_PORT", **given) as url:
        requests.post(f"{url}/webhook", json=call, timeout=30).raise_for_status()
        store = Store(load_settings(given, tmp_path / "none").store_url)
        assert [question.text for question in store.questions()] == ["do you do fillers"]
        store.close()
