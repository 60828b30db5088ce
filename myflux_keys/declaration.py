"""A tenant's declaration: what its file says that a scheduled function needs, as JSON, schema 1.

Owns the fields, their JSON and their check, and the folder in the bucket where it is stored. Holds no secret and no
e-mail address. A function cannot read tenants' files, and the tags of a secret have no room for budget, limits and
name. Standard library only, for the functions' zips. Readers ignore unknown fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, cast

SCHEMA: Final = 1
DECLARATIONS: Final = "declarations/"
"""How the keys of all declarations begin, each ``declarations/<tenant>.json``."""
CREDENTIALS: Final = ("key", "federated")
CATALOGUE: Final = "catalogue.json"
"""The key of what OpenAI offers, in the same bucket."""


class DeclarationError(ValueError):
    """The text is no declaration of schema 1. The message names the field and the rule."""


@dataclass(frozen=True)
class RateLimit:
    requests_per_minute: int
    tokens_per_minute: int


@dataclass(frozen=True)
class Budget:
    """`monthly_usd` in whole US dollars a calendar month (UTC); `hard`: OpenAI blocks calls when it is spent."""

    monthly_usd: int
    hard: bool
    alert_percent: tuple[int, ...] = ()


@dataclass(frozen=True)
class Declaration:
    """`models` has the default first. `organization_id` is the customer's, None in the cell's organization. `minted`:
    the keys are made here, so an admin key of their organization exists. `credential` is ``key`` or ``federated``, and
    `switching_from` is the other one while a switch is under way: both work then."""

    tenant: str
    cell: str
    name: str
    country: str
    source: str
    models: tuple[str, ...]
    permission: str | None = None
    enabled: bool = True
    minted: bool = True
    organization_id: str | None = None
    budget: Budget | None = None
    rate_limits: Mapping[str, RateLimit] = field(default_factory=dict[str, RateLimit])
    credential: str = "key"
    switching_from: str | None = None

    @property
    def has_key(self) -> bool:
        return "key" in (self.credential, self.switching_from)

    @property
    def has_identity(self) -> bool:
        return "federated" in (self.credential, self.switching_from)

    def to_json(self) -> str:
        """The same text for the same declaration, so that a stack without changes writes nothing. That of a tenant with
        a key is the same as before there were others."""
        fields = {"schema": SCHEMA} | asdict(self)
        if not self.has_identity:
            del fields["credential"], fields["switching_from"]
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Declaration:
        """Raises DeclarationError."""
        try:
            parsed: Any = json.loads(text)
        except (ValueError, RecursionError):
            raise DeclarationError("the declaration is not JSON") from None
        fields = _object(parsed, "the declaration")
        if type(fields.get("schema")) is not int or fields["schema"] != SCHEMA:
            raise DeclarationError(f"the declaration is not of schema {SCHEMA}, the only one that this code knows")
        organization, permission = fields.get("organization_id"), fields.get("permission")
        credential, before = fields.get("credential", "key"), fields.get("switching_from")
        if credential not in CREDENTIALS or before not in (None, *CREDENTIALS):
            raise DeclarationError(f"credential and switching_from must be one of {', '.join(CREDENTIALS)}")
        limits = _object(fields.get("rate_limits") or {}, "rate_limits")
        return cls(
            **{name: _text(fields, name) for name in ("tenant", "cell", "name", "country", "source")},
            models=_models(fields.get("models")),
            permission=None if permission is None else _text(fields, "permission"),
            enabled=_flag(fields, "enabled"),
            minted=_flag(fields, "minted"),
            organization_id=None if organization is None else _text(fields, "organization_id"),
            budget=None if fields.get("budget") is None else _budget(_object(fields["budget"], "budget")),
            rate_limits={model: _limit(_object(limit, f"rate_limits.{model}")) for model, limit in limits.items()},
            credential=credential,
            switching_from=before,
        )


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DeclarationError(f"{name} must be an object")
    return cast("dict[str, Any]", value)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value: Any = fields.get(name)
    if not isinstance(value, str) or not value:
        raise DeclarationError(f"{name} must be a text that is not empty")
    return value


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value: Any = fields.get(name)
    if not isinstance(value, bool):
        raise DeclarationError(f"{name} must be true or false")
    return value


def _whole(fields: Mapping[str, Any], name: str) -> int:
    value: Any = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise DeclarationError(f"{name} must be a whole number from 1")
    return value


def _models(value: Any) -> tuple[str, ...]:
    models = cast("list[Any]", value) if isinstance(value, list) else []
    if not models or not all(isinstance(model, str) and model for model in models):
        raise DeclarationError("models must be a list of at least one model")
    return tuple(models)


def _limit(fields: Mapping[str, Any]) -> RateLimit:
    return RateLimit(_whole(fields, "requests_per_minute"), _whole(fields, "tokens_per_minute"))


def _budget(fields: Mapping[str, Any]) -> Budget:
    shares: Any = fields.get("alert_percent") or []
    if not isinstance(shares, list) or not all(isinstance(share, int) for share in cast("list[Any]", shares)):
        raise DeclarationError("budget.alert_percent must be a list of whole numbers")
    return Budget(_whole(fields, "monthly_usd"), _flag(fields, "hard"), tuple(cast("list[int]", shares)))
