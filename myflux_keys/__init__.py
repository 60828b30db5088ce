"""Tenants' OpenAI keys, read from AWS Secrets Manager; and the contract that writer and readers share.

    from myflux_keys import KeyReader

    reader = KeyReader("prod-eu1")
    client = reader.openai_client("acme")

Loads each public name when it is first used: the Lambda functions' zips hold this file without the reader, and the
import must stay fast.

The contract
    names            tags, slugs, names
    payload          a secret's JSON
    declaration      what a tenant's file says, as JSON
    identity         a tenant without a key
    redaction        what keys look like
    version_labels   of a secret
    key_life         a key's longest life
    admin_budget     Admin API calls a cell

Tables
    cell_functions   Lambda functions
    aws_names        names and ARNs
    role_names       readers' roles
    consumers        who uses keys

The reader
    reader             `KeyReader`
    cached_key         the cache's decisions
    lifetimes          how long a key is cached
    credential_source  a key, or a token
    secret_source      reads a secret
    key                `Key`
    identity_source    gets a token
    token_exchange     from OpenAI
    access_token       `Token`
    tenant_sessions    AWS's credentials
    openai_clients     OpenAI's client
    networks           its HTTP client
    event_loops        the same for asyncio
    forks              after `os.fork()`
    aws_connections    the same for AWS
    aws_errors         what they mean
    identity_errors    the same without a key
    errors             what it raises
    web_identity       AWS's tokens alone
    web_token          what STS signs
    quiet              libraries' loggers

The command
    console          `myflux-keys`
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from myflux_keys.errors import (
        AccessDeniedError,
        ConfigurationError,
        FederatedTenantError,
        InvalidTenantError,
        KeyReaderError,
        NotReadyError,
        PayloadError,
        SecretNotFoundError,
        UnavailableError,
    )
    from myflux_keys.key import Key
    from myflux_keys.payload import SecretText
    from myflux_keys.reader import KeyReader
    from myflux_keys.web_identity import WebIdentityError, aws_web_identity_token_provider

__all__ = [
    "AccessDeniedError",
    "ConfigurationError",
    "FederatedTenantError",
    "InvalidTenantError",
    "Key",
    "KeyReader",
    "KeyReaderError",
    "NotReadyError",
    "PayloadError",
    "SecretNotFoundError",
    "SecretText",
    "UnavailableError",
    "WebIdentityError",
    "aws_web_identity_token_provider",
]

_HOMES: Final = {
    "Key": "key",
    "KeyReader": "reader",
    "SecretText": "payload",
    "WebIdentityError": "web_identity",
    "aws_web_identity_token_provider": "web_identity",
}
"""The module of each public name that is not in `errors`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
