"""The clinic's facts: read from one file, checked, and an offer only while it stands."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.clinic import clinic_from, load_clinic
from bot.settings import SettingsError

FACTS: dict[str, Any] = yaml.safe_load(Path("clinic.yml").read_text(encoding="utf-8"))


def clinic_with(**changes: Any) -> Any:
    return clinic_from({**FACTS, **changes}, "clinic.yml")


def test_the_shipped_facts() -> None:
    clinic = load_clinic(Path("clinic.yml"))
    assert clinic.phone == "1300 455 792" and clinic.phone_link == "tel:1300455792"
    assert clinic.website_link == "https://www.skinmatrix.com.au"
    assert clinic.offer and clinic.offer.code == "miliagone"
    assert clinic.hours == "" and clinic.address == "", "not published"


def test_the_booking_link_says_what_for_and_from_where() -> None:
    link = clinic_with(booking_url="https://b.example/?s={service}&from={source}").booking_link(source="a&b")
    assert link == "https://b.example/?s=milia%20removal&from=a%26b"


@pytest.mark.parametrize(
    ("starts", "ends", "moment", "stands"),
    [
        ("", "", "2026-05-01T00:00", True),
        ("", "2026-05-01", "2026-05-01T13:59", True),  # 23:59 in Sydney
        ("", "2026-05-01", "2026-05-01T14:00", False),
        ("2026-05-02", "", "2026-05-01T13:59", False),
        ("2026-05-02", "", "2026-05-01T14:00", True),
    ],
)
def test_an_offer_stands_in_the_clinic_s_days(starts: str, ends: str, moment: str, stands: bool) -> None:
    clinic = clinic_with(offer={**FACTS["offer"], "starts": starts, "ends": ends})
    at = datetime.fromisoformat(moment).replace(tzinfo=timezone.utc)
    assert (clinic.offer_at(at) is not None) is stands


def test_no_code_is_no_offer() -> None:
    assert clinic_with(offer={"code": "", "terms": ""}).offer is None
    assert clinic_with(offer=None).offer_at() is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"phone": ""}, "phone is missing"),
        ({"phone": "call us"}, "phone has to be a number"),
        ({"booking_url": "javascript:alert(1)"}, "booking_url has to start with https://"),
        ({"time_zone": "Sydney"}, "Australia/Sydney"),
        ({"hours": 9}, "hours has to be text"),
        ({"parking": "yes"}, "parking is not a fact"),
        ({"offer": {"code": "x"}}, "offer.terms is missing"),
        ({"offer": {"code": "x", "terms": "y", "ends": "soon"}}, "YYYY-MM-DD"),
        ({"offer": {"code": "x", "terms": "y", "starts": "2026-05-02", "ends": "2026-05-01"}}, "never stand"),
    ],
)
def test_a_wrong_fact_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        clinic_with(**changes)


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is missing"):
        load_clinic(tmp_path / "clinic.yml")
    for text in ("a: [", "just text"):
        (tmp_path / "clinic.yml").write_text(text)
        with pytest.raises(SettingsError, match=r"clinic\.yml"):
            load_clinic(tmp_path / "clinic.yml")
