"""The clinic's facts as they are now: clinic.yml and what staff changed, live within two seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.clinic import Clinic, clinic_from, load_clinic
from bot.live import Live
from bot.settings import Settings, SettingsError
from bot.store.clinic import ClinicStore

logger = logging.getLogger(__name__)

# What staff may change; the rest (name, website, time zone) belongs to the installation.
EDITABLE = (
    "phone", "booking_url", "hours", "address", "privacy_url", "specialist",
    "offer.code", "offer.terms", "offer.starts", "offer.ends",
)  # fmt: skip


class ClinicSource(Live):
    """The facts, up to date."""

    def __init__(self, settings: Settings, store: ClinicStore | None = None) -> None:
        self._file = load_clinic(settings.clinic_file)
        self._clinic = self._file
        self._store = store or ClinicStore(settings.store_url)
        self._overrides: Mapping[str, str] = {}
        super().__init__("clinic-source")

    @property
    def clinic(self) -> Clinic:
        """The facts as they are now."""
        return self._clinic

    def look(self) -> None:
        overrides = self._store.clinic_overrides()
        if overrides != self._overrides:
            try:
                self._clinic = with_overrides(self._file, overrides)
            except SettingsError as error:
                logger.warning("The changed clinic details are refused: %s", error)
            self._overrides = overrides


def editable_values(clinic: Clinic) -> dict[str, str]:
    """The facts that staff may change, as text by name."""
    offer = {key: str(value or "") for key, value in asdict(clinic.offer).items()} if clinic.offer else {}
    facts = {key: value for key, value in asdict(clinic).items() if key != "offer"}
    return {name: offer.get(name[6:], "") if name.startswith("offer.") else facts[name] for name in EDITABLE}


def with_overrides(clinic: Clinic, overrides: Mapping[str, str]) -> Clinic:
    """The clinic with these facts in the place of its own.

    Raises:
        SettingsError: a fact is malformed; the message names it.
    """
    values: dict[str, Any] = {key: value for key, value in asdict(clinic).items() if key != "offer"}
    shown = {**editable_values(clinic), **{k: v for k, v in overrides.items() if k in EDITABLE}}
    values.update({name: value for name, value in shown.items() if not name.startswith("offer.")})
    values["offer"] = {name[6:]: value for name, value in shown.items() if name.startswith("offer.")}
    return clinic_from(values, "The clinic's details")


_shared: dict[tuple[str, str], ClinicSource] = {}
_sharing = threading.Lock()


def shared_clinic(settings: Settings) -> ClinicSource:
    """The process's one source for these settings."""
    key = (settings.store_url, str(settings.clinic_file))
    with _sharing:
        if key not in _shared:
            _shared[key] = ClinicSource(settings)
        return _shared[key]
