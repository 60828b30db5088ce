"""The health function's own settings, from environment variables beside those that all functions have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.health.messages import LANGUAGES
from functions.shared.environment import Environment, SettingError, read_environment

BUCKET: Final = "MYFLUX_HEALTH_BUCKET"
TOPIC: Final = "MYFLUX_ALARM_TOPIC"
LANGUAGE: Final = "MYFLUX_LANGUAGE"


@dataclass(frozen=True)
class Settings:
    """`topic` is an SNS topic's ARN. `language` is one of `messages.LANGUAGES`."""

    common: Environment
    bucket: str
    topic: str
    language: str


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Raises SettingError, before any call."""
    common = read_environment(variables)
    values = {name: variables.get(name, "").strip() for name in (BUCKET, TOPIC, LANGUAGE)}
    for name, value in values.items():
        if not value:
            raise SettingError(f"{name} is not set: the platform's stack sets it on the function")
    if values[LANGUAGE] not in LANGUAGES:
        raise SettingError(f"{LANGUAGE}={values[LANGUAGE]!r} is none of: {', '.join(LANGUAGES)}")
    return Settings(common, values[BUCKET], values[TOPIC], values[LANGUAGE])
