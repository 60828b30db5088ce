"""The settings of the cell's organization that a test or a person can change. A customer's starts with the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Settings:
    organization_id: str = "org-local"
    admin_requests_per_minute: int = 10
    """Per admin endpoint (method and path template), reset 60 s after the first call. 0: no limit."""
    max_key_lifetime_seconds: int | None = None
    """Organization policy: a new or updated key must have an expiry at most this far ahead. None: no policy."""
    only_service_account_keys: bool = False
    """Organization policy: people cannot make user-owned project keys."""
    forbid_new_keys: bool = False
    """Organization policy: nobody can make a project key, neither for a service account nor for a person."""
    shut_models_down: bool = False
    """Whether a model is refused from its announced shutdown date on, by the cell's clock. Off by default, so that a
    test can move the clock by months; responses always show the date."""
    max_projects: int = 2000
    """The largest number of projects. Archived projects count too."""


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Raises ValueError with the setting, the value and the rule."""
    known = {field.name for field in fields(Settings)}
    for name, value in changes.items():
        if name not in known:
            raise ValueError(f"there is no setting {name!r}: the settings are {', '.join(sorted(known))}")
        _check(name, value)
    return replace(settings, **changes)


def _check(name: str, value: Any) -> None:
    if name == "organization_id":
        if not isinstance(value, str) or not value.startswith("org-"):
            raise ValueError(f"organization_id must start with org-, got {value!r}")
    elif name in ("only_service_account_keys", "forbid_new_keys", "shut_models_down"):
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false, got {value!r}")
    elif name == "max_key_lifetime_seconds" and value is None:
        return
    elif isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    elif value < (0 if name == "admin_requests_per_minute" else 1):
        raise ValueError(f"{name} is {value}: it cannot be that small")


def as_json(settings: Settings) -> dict[str, Any]:
    return asdict(settings)
