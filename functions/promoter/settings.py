"""The promoter's own settings, from environment variables beside those that all functions have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.shared.environment import Environment, read_environment, required

BUCKET: Final = "MYFLUX_INTAKE_BUCKET"
INTAKE_KEY: Final = "MYFLUX_INTAKE_KEY"
LINK_KEY: Final = "MYFLUX_LINK_KEY"


@dataclass(frozen=True)
class Settings:
    """`intake_key` encrypts what is handed in, `link_key` signs links: ARNs of KMS keys."""

    common: Environment
    bucket: str
    intake_key: str
    link_key: str


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingError, before any call."""
    common = read_environment(variables)
    values = required(variables, BUCKET, INTAKE_KEY, LINK_KEY)
    return Settings(common, values[BUCKET], values[INTAKE_KEY], values[LINK_KEY])
