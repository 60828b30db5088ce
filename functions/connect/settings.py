"""The page function's settings, from environment variables that the platform stack sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.shared.environment import BASE_URL, CELL, checked_base_url, checked_cell, required

BUCKET: Final = "MYFLUX_INTAKE_BUCKET"
INTAKE_KEY: Final = "MYFLUX_INTAKE_KEY"
LINK_KEY: Final = "MYFLUX_LINK_KEY"


@dataclass(frozen=True)
class Settings:
    """`intake_key` encrypts what is handed in, `link_key` signs links: ARNs of KMS keys."""

    cell: str
    base_url: str
    bucket: str
    intake_key: str
    link_key: str


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingError, before any call."""
    values = required(variables, CELL, BASE_URL, BUCKET, INTAKE_KEY, LINK_KEY)
    cell, base_url = checked_cell(values[CELL]), checked_base_url(values[BASE_URL])
    return Settings(cell, base_url, values[BUCKET], values[INTAKE_KEY], values[LINK_KEY])
