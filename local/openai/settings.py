"""The settings of the cell's organization that a test or a person can change. A customer's starts with the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, cast


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
    usage_limit_cents: int | None = None
    """The usage that OpenAI approved for the organization's calls in a month. None: no limit."""
    limit_propagation_seconds: int = 0
    """How long after a project's spend limit was raised the lower one still refuses calls."""
    batch_seconds: int = 0
    """How long a batch is worked on: with 0 it is done at the next call. After a day OpenAI gives a batch up."""
    costs_delay_seconds: int = 0
    """How long a call takes to appear in costs. Until then its day may have no bucket at all."""
    costs_early_percent: int = 100
    """The share of a day's costs that is shown until a day after its end, when the rest is added."""
    unattributed_cents: int = 0
    """Costs of each day that belong to no project, as bundles bought for the organization."""
    one_rule_per_account: bool = True
    """Whether a service account has at most one federation rule of a provider, as OpenAI documents. Without that, an
    exchange that several rules match is refused."""
    federation_names_once: bool = True
    """Whether identity providers, and the rules of one, have names of their own. OpenAI does not say."""
    rule_id_in_usage: bool = True
    """Whether usage names the federation rule in the place of a key's id. OpenAI does not say what it shows there;
    false: null."""
    shutdown_dates: dict[str, Any] = field(default_factory=dict)
    """Announced dates by model, in place of the catalogue's: any text, or null for none."""
    hide_shutdown_dates: bool = False
    """Whether the list of models has no field for the date, as before OpenAI announced dates there."""


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Raises ValueError with the setting, the value and the rule."""
    known = {one.name for one in fields(Settings)}
    for name, value in changes.items():
        if name not in known:
            raise ValueError(f"there is no setting {name!r}: the settings are {', '.join(sorted(known))}")
        _check(name, value)
    return replace(settings, **changes)


_FLAGS: Final = (
    "only_service_account_keys",
    "forbid_new_keys",
    "shut_models_down",
    "hide_shutdown_dates",
    "one_rule_per_account",
    "federation_names_once",
    "rule_id_in_usage",
)
_FROM_ZERO: Final = (
    "admin_requests_per_minute",
    "limit_propagation_seconds",
    "batch_seconds",
    "costs_delay_seconds",
    "costs_early_percent",
    "unattributed_cents",
)


def _check(name: str, value: Any) -> None:
    if name == "organization_id":
        if not isinstance(value, str) or not value.startswith("org-"):
            raise ValueError(f"organization_id must start with org-, got {value!r}")
    elif name in _FLAGS:
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false, got {value!r}")
    elif name == "shutdown_dates":
        dates = cast("dict[str, Any]", value) if isinstance(value, dict) else {"": value}
        if not all(date is None or isinstance(date, str) for date in dates.values()) or "" in dates:
            raise ValueError(f"shutdown_dates must map models to a text or null, got {value!r}")
    elif name in ("max_key_lifetime_seconds", "usage_limit_cents") and value is None:
        return
    elif isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    elif value < (0 if name in _FROM_ZERO else 1):
        raise ValueError(f"{name} is {value}: it cannot be that small")


def as_json(settings: Settings) -> dict[str, Any]:
    return asdict(settings)
