"""The script, the demo page and health, as they are served."""

from __future__ import annotations

import gzip
import re
from typing import Any

from bot.clinic_source import shared_clinic
from bot.review_model import SYSTEM
from bot.store.clinic import ClinicStore

GZIPPED_BYTES = 15 * 1024


async def get(visitor: Any, path: str, **headers: str) -> tuple[int, bytes, Any]:
    headers = {"Accept-Encoding": "identity", **{n.replace("_", "-"): v for n, v in headers.items()}}
    async with visitor.http.get(visitor.url + path, headers=headers, auto_decompress=False) as response:
        return response.status, await response.read(), response.headers


async def test_the_script_is_small_and_cached(visitor: Any) -> None:
    status, body, headers = await get(visitor, "/webhooks/website/widget.js", Accept_Encoding="gzip")
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert len(body) <= GZIPPED_BYTES
    assert "max-age=300" in headers["Cache-Control"]
    plain = (await get(visitor, "/webhooks/website/widget.js"))[1]
    assert gzip.decompress(body) == plain
    tag = headers["ETag"]
    status, body, _ = await get(visitor, "/webhooks/website/widget.js", If_None_Match=f"W/{tag}")
    assert (status, body) == (304, b"")
    _, _, headers = await get(visitor, "/webhooks/website/widget.js?v=" + tag.strip('"'))
    assert "immutable" in headers["Cache-Control"]


async def test_the_script_knows_the_clinic_s_words_without_a_server(visitor: Any) -> None:
    script = (await get(visitor, "/webhooks/website/widget.js"))[1].decode()
    assert "1300 455 792" in script and "tel:1300455792" in script
    assert "{phone}" not in script


async def test_a_changed_phone_number_is_everywhere(visitor: Any) -> None:
    store = ClinicStore(visitor.settings.store_url)
    store.override_clinic({}, {"phone": "1300 000 111"}, SYSTEM)
    shared_clinic(visitor.settings).refresh()
    for path in ("/webhooks/website/widget.js", "/"):
        page = (await get(visitor, path))[1].decode()
        assert "1300 000 111" in page and "tel:1300000111" in page and "1300 455 792" not in page


async def test_the_script_makes_no_html_and_evaluates_nothing(visitor: Any) -> None:
    script = (await get(visitor, "/webhooks/website/widget.js"))[1].decode()
    words = ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function(", "cookie")
    assert [word for word in words if word in script] == []
    outside = set(re.findall(r"https?://[^\s\"'`]+", script)) - {"http://www.w3.org/2000/svg"}
    assert outside <= {"https://www.skinmatrix.com.au/"}  # the privacy link


async def test_the_demo_page_is_one_line_more_than_a_page(visitor: Any) -> None:
    status, body, headers = await get(visitor, "/")
    page = body.decode()
    assert status == 200
    line = '<script src="webhooks/website/widget.js" defer></script>'
    assert re.findall(r"<script.*?</script>", page) == [line]
    assert "1300 455 792" in page and "{" not in page
    assert "script-src 'self'" in headers["Content-Security-Policy"]


async def test_health(visitor: Any) -> None:
    assert (await get(visitor, "/health/live"))[0] == 200
    assert (await get(visitor, "/health/ready"))[0] == 200
    visitor.bot.is_ready = lambda: False
    assert (await get(visitor, "/health/ready"))[0] == 503
    assert (await get(visitor, "/health/live"))[0] == 200
