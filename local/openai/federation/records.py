"""Identity providers and federation rules. OpenAI's site and audit log call a rule a service account mapping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Scalar = str | bool | int | float


@dataclass
class FederationRule:
    """`scopes` None: the service account's own permissions. Times are seconds since the epoch."""

    id: str
    provider_id: str
    matchers: dict[str, Scalar]
    project_id: str
    service_account_id: str
    created_at: int
    updated_at: int
    name: str | None = None
    description: str | None = None
    enabled: bool = True
    scopes: list[str] | None = None


@dataclass
class IdentityProvider:
    """`transformations` are CEL expressions by attribute, ``openai.…``. `jwks` None: the keys are found by discovery,
    at `discovery_url` or below the issuer."""

    id: str
    name: str
    issuer: str
    audience: str
    created_at: int
    updated_at: int
    description: str | None = None
    enabled: bool = True
    transformations: dict[str, str] = field(default_factory=dict[str, str])
    jwks: dict[str, Any] | None = None
    discovery_url: str | None = None
    rules: dict[str, FederationRule] = field(default_factory=dict[str, FederationRule])
