"""The page function's settings, from environment variables that the platform stack sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.shared.environment import BASE_URL, CELL, SettingError, checked_base_url
from myflux_keys.names import CELL_SLUG

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
    values = {name: variables.get(name, "").strip() for name in (CELL, BASE_URL, BUCKET, INTAKE_KEY, LINK_KEY)}
    for name, value in values.items():
        if not value:
            raise SettingError(f"{name} is not set: the platform's stack sets it on the function")
    if not CELL_SLUG.fullmatch(values[CELL]):
        raise SettingError(f"{CELL}={values[CELL]!r} is not a cell's slug ({CELL_SLUG.pattern})")
    return Settings(
        values[CELL], checked_base_url(values[BASE_URL]), values[BUCKET], values[INTAKE_KEY], values[LINK_KEY]
    )
