"""A stack's mark: what decided its last successful `up`, and the version of the state that this left.

Where both are the same again, `up` would change nothing. Owns what counts, as digests, and when a state may be marked.
Pure. Leaves out reading what counts (`deciding`), where a mark is kept (`mark_place`) and who trusts it (`unchanged`).
Why: docs/adr/0040-what-did-not-change-is-not-run.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final, cast

import yaml

from tenancy.loading import FLEET

_FORMAT: Final = 1
_STACK: Final = "pulumi:pulumi:Stack"
_DEPENDENCIES: Final = "propertyDependencies"
_DECIDING: Final = ("AWS_", "MYFLUX_", "PULUMI_")
NOT_DECIDING: Final = frozenset(
    {
        # Who runs it: the cell's file names the account, and the provider refuses another one.
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CREDENTIAL_EXPIRATION",
        "MYFLUX_ID_TOKEN",
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        # Where the state is, and what encrypts its secrets: the mark is beside it.
        "PULUMI_BACKEND_URL",
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER",
        "MYFLUX_SECRETS_PROVIDER",
        # Where files are: what is in them counts, and each machine has its own folders.
        FLEET,
        "MYFLUX_CACHE",
        "MYFLUX_STATE",
    }
)
"""Of the variables that begin with one of `_DECIDING`. Every other one counts, also one that nobody knows yet."""
_KEYS_OF_THE_STATE: Final = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""In a stack's settings: how the state's secrets are encrypted. The engine writes them itself."""


@dataclass(frozen=True)
class Decides:
    """All that decides a tenant's stack. Each field is a digest, or a version."""

    sources: str
    """Code, data files, lock file, SDKs, and the files of tenant and cell (`sources.fingerprint`)."""
    rules: str
    """The policy pack, and how this tool runs the engine."""
    settings: str
    """The stack's settings in the workspace; empty where there are none that decide anything."""
    environment: str
    engine: str
    """The engine's version, and the AWS provider on PATH, which the engine prefers to the pinned one."""
    platform: str
    """What the cell's platform exports."""


@dataclass(frozen=True)
class Mark:
    """`state` is the version of the state's file: see `mark_place`."""

    decided_by: Decides
    state: str


def written(mark: Mark) -> str:
    return json.dumps({"format": _FORMAT, "decided_by": asdict(mark.decided_by), "state": mark.state}, indent=2)


def read(text: str) -> Mark | None:
    """None for anything that `written` does not write, such as a later format or a file cut short."""
    try:
        parts = json.loads(text)
        if parts["format"] != _FORMAT or parts.keys() != {"format", "decided_by", "state"}:
            return None
        mark = Mark(Decides(**parts["decided_by"]), parts["state"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    values = [mark.state, *(getattr(mark.decided_by, each.name) for each in fields(Decides))]
    return mark if all(isinstance(value, str) for value in values) and mark.state else None


def digest(*parts: str | bytes) -> str:
    """Of the parts in this order; their lengths count, so that no two lists of parts are the same bytes."""
    found = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        found.update(f"{len(content)}\0".encode() + content)
    return found.hexdigest()


def of_environment(variables: Mapping[str, str]) -> str:
    """An empty variable is as one that is not set."""
    counted = {
        name: value
        for name, value in variables.items()
        if value and name.startswith(_DECIDING) and name not in NOT_DECIDING
    }
    return digest(*(part for pair in sorted(counted.items()) for part in pair))


def of_settings(text: str | None) -> str:
    """`text` is the workspace's file of the stack's settings; None where there is none, or the engine reads another."""
    try:
        parts: Any = yaml.safe_load(text or "")
    except yaml.YAMLError:
        parts = text
    if isinstance(parts, Mapping):
        found = cast(Mapping[str, Any], parts)
        parts = {name: value for name, value in found.items() if name not in _KEYS_OF_THE_STATE and value}
    return digest(text or "") if parts else ""


def of_platform(state: str) -> str | None:
    """`state` is the text of a platform's state; None where it exports nothing."""
    resources: list[dict[str, Any]] = _latest(state).get("resources") or []
    for resource in resources:
        if resource.get("type") == _STACK and resource.get("outputs"):
            return digest(json.dumps(resource["outputs"], sort_keys=True))
    return None


def same_resources(before: str, after: str) -> bool:
    """Whether two states' texts know the same resources with the same values."""
    resources = _resources(before)
    return bool(resources) and resources == _resources(after)


def _resources(state: str) -> list[dict[str, Any]]:
    """A refresh drops the properties that depend on nothing from the engine's list of dependencies."""
    resources: list[dict[str, Any]] = _latest(state).get("resources") or []
    return [{**one, _DEPENDENCIES: _not_empty(one.get(_DEPENDENCIES) or {})} for one in resources]


def _not_empty(lists: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found for name, found in lists.items() if found}


def may_be_marked(state: str, ended: float) -> bool:
    """Whether this is the state that a run left which ended at `ended` (Unix seconds): complete, and not since written
    by another run."""
    latest = _latest(state)
    if not latest.get("resources") or latest.get("pending_operations"):
        return False
    try:
        return datetime.fromisoformat(_to_microseconds(latest["manifest"]["time"])).timestamp() <= ended
    except (ValueError, KeyError, TypeError):
        return False


def _to_microseconds(moment: str) -> str:
    """Go writes nanoseconds, and drops the zeros at their end."""
    whole, dot, rest = moment.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{whole}.{rest[:digits][:6].ljust(6, '0')}{rest[digits:]}" if dot else moment


def _latest(state: str) -> dict[str, Any]:
    """The newest deployment in the engine's file; empty where the text is none."""
    try:
        return json.loads(state)["checkpoint"]["latest"] or {}
    except (ValueError, KeyError, TypeError):
        return {}
