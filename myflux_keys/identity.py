"""A federated tenant's identity at OpenAI: the ids with which its runtime gets a token, and the terms of that token.

Owns the object's JSON, schema 1, its place in the health bucket, and what both sides of the exchange agree on. Holds no
secret: a token is given only to a session of the runtime role that is tagged with the tenant. Standard library only,
for the functions' zips. Readers ignore unknown fields. docs/adr/0043-no-key-at-all.md
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

from myflux_keys.declaration import DECLARATIONS
from myflux_keys.payload import SecretText

SCHEMA: Final = 1
IDENTITIES: Final = f"{DECLARATIONS}identities/"
"""How the keys of all identities begin, each ``declarations/identities/<tenant>.json``: whoever may write declarations
may write them."""
TOKEN_SECONDS: Final = 900
"""How long AWS's token is valid, and so at most OpenAI's: nothing takes a token back before it ends."""
ALGORITHM: Final = "ES384"
AWS_ISSUER: Final = re.compile(
    r"https://[0-9a-f-]{36}\.tokens\.sts\.(global|[a-z]+(-[a-z]+)+-[0-9])\.api\.(aws|amazonwebservices\.com\.cn)",
    re.ASCII,
)
"""An AWS account's, which signs for that account's own roles alone; any other issuer signs what its owner likes.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html"""
_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
MOST_PROVIDERS: Final = 50
"""Workload identity providers that an OpenAI organization may have."""
MOST_RULES: Final = 50
"""Federation rules that a provider may have, of which a tenant has one."""
_OPENAI: Final = "https://auth.openai.com/oauth/token"


class IdentityError(ValueError):
    """The text is no identity of schema 1. The message names the field and the rule."""


def audience(cell: str) -> str:
    """The audience of a cell's tokens: worth nothing for another cell of the account, or for another service."""
    return f"myflux-{cell}"


def exchange_url(base_url: str) -> str:
    """Where AWS's token is exchanged: OpenAI has one address for all Regions; a local cell its own."""
    parts = urlsplit(base_url)
    if (parts.hostname or "").endswith(".openai.com"):
        return _OPENAI
    return f"{parts.scheme}://{parts.netloc}/oauth/token"


@dataclass(frozen=True)
class TenantIdentity:
    """`models` has the default first."""

    tenant: str
    cell: str
    provider_id: str
    service_account_id: str
    project_id: str
    organization_id: str
    base_url: str
    models: tuple[str, ...]

    def exchange_request(self, signed: SecretText) -> dict[str, str]:
        """What is sent to `exchange_url` for AWS's token, with JSON as OpenAI's client sends it (RFC 8693)."""
        return {
            "grant_type": _GRANT,
            "subject_token": signed.reveal(),
            "subject_token_type": _JWT,
            "identity_provider_id": self.provider_id,
            "service_account_id": self.service_account_id,
        }

    def to_json(self) -> str:
        """The same text for the same identity, so that a stack without changes writes nothing."""
        return json.dumps({"schema": SCHEMA} | asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> TenantIdentity:
        """Raises IdentityError."""
        try:
            parsed: Any = json.loads(text)
        except (ValueError, RecursionError):
            raise IdentityError("the identity is not JSON") from None
        if not isinstance(parsed, dict):
            raise IdentityError("the identity must be an object")
        fields = cast("dict[str, Any]", parsed)
        if type(fields.get("schema")) is not int or fields["schema"] != SCHEMA:
            raise IdentityError(f"the identity is not of schema {SCHEMA}, the only one that this code knows")
        texts = {name: fields.get(name) for name in cls.__dataclass_fields__ if name != "models"}
        for name, value in texts.items():
            if not isinstance(value, str) or not value:
                raise IdentityError(f"{name} must be a text that is not empty")
        models: Any = fields.get("models")
        if not isinstance(models, list) or not models or not all(isinstance(one, str) and one for one in models):  # pyright: ignore[reportUnknownVariableType]
            raise IdentityError("models must be a list of at least one model")
        return cls(**cast("dict[str, str]", texts), models=tuple(cast("list[str]", models)))
