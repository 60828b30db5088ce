"""The health function's own settings, from environment variables beside those that all functions have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.health.messages import LANGUAGES
from functions.shared.environment import HEALTH_BUCKET, Environment, SettingError, read_environment, required

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
    values = required(variables, HEALTH_BUCKET, TOPIC, LANGUAGE)
    if values[LANGUAGE] not in LANGUAGES:
        raise SettingError(f"{LANGUAGE}={values[LANGUAGE]!r} is none of: {', '.join(LANGUAGES)}")
    return Settings(common, values[HEALTH_BUCKET], values[TOPIC], values[LANGUAGE])
