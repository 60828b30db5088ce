"""Authenticates a request's key and checks its scopes.

Owns authentication and scopes. Leaves out what the organization's policies forbid (`policies.py`). Admin keys are valid
only on admin endpoints, and project keys only on model endpoints: the error for the wrong kind names the missing scope,
as OpenAI's does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from local.openai import errors, keys
from local.openai.state import AccessToken, AdminKey, ApiKey, Organization, ServiceAccount

PROJECT_SCOPES: Final = frozenset(
    {"api.all.read", "model.request", "api.model.request"}
    | {
        f"api.{area}.{right}"
        for area in (
            "model",
            "responses",
            "files",
            "assistants",
            "threads",
            "vector_stores",
            "fine_tuning",
            "evals",
            "batch",
            "prompts",
            "videos",
            "containers",
            "conversations",
            "webhooks",
            "datasets",
            "embeddings",
            "images",
            "audio",
            "moderations",
        )
        for right in ("read", "write")
    }
)
"""The scopes of project keys. OpenAI publishes no list: its errors, its key page and its audit log name them.
Both spellings in `_SPELLINGS` are accepted."""

_SPELLINGS: Final = {"model.request": "api.model.request"}
"""OpenAI's errors name the scope `model.request`; its audit log names the same scope `api.model.request`."""

READ_ALL: Final = "api.all.read"
MANAGEMENT_READ: Final = "api.management.read"
MANAGEMENT_WRITE: Final = "api.management.write"
USAGE_READ: Final = "api.usage.read"
AUDIT_READ: Final = "api.audit_logs.read"
ADMIN_SCOPES: Final = frozenset({READ_ALL, MANAGEMENT_READ, MANAGEMENT_WRITE, USAGE_READ, AUDIT_READ})


def bearer(header: str | None) -> str:
    """The key from an Authorization header."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise errors.no_key()
    return value.strip()


def _find(organization: Organization, headers: Mapping[str, str], now: float) -> ApiKey | AdminKey:
    value = bearer(headers.get("authorization"))
    key = organization.keys_by_digest.get(keys.digest(value))
    if key is None or key.expired(now) or (isinstance(key, ApiKey) and not _in_force(organization, key, now)):
        raise errors.incorrect_key(keys.redacted_in_error(value))
    if headers.get("openai-organization", ours := organization.settings.organization_id) != ours:
        raise errors.mismatched("Organization")
    if isinstance(key, ApiKey) and headers.get("openai-project", key.project_id) != key.project_id:
        raise errors.mismatched("Project")
    return key


def _in_force(organization: Organization, key: ApiKey, now: float) -> bool:
    if isinstance(key, AccessToken) and key.owner.id not in organization.projects[key.project_id].service_accounts:
        return False
    return now >= key.accepted_from and organization.projects[key.project_id].archived_at is None


def _covers(held: list[str], needed: str) -> bool:
    """A key without scopes is unrestricted. `api.all.read` includes every read; a write scope never includes reads."""
    if not held or needed in held or _SPELLINGS.get(needed) in held:
        return True
    return needed.endswith(".read") and READ_ALL in held


def admin(organization: Organization, headers: Mapping[str, str], scope: str, now: float) -> AdminKey:
    """The valid admin key of a call to an admin endpoint that needs `scope`."""
    key = _find(organization, headers, now)
    if not isinstance(key, AdminKey) or not _covers(key.scopes, scope):
        raise errors.missing_scopes([scope], admin=True)
    key.last_used_at = int(now)
    return key


def project_key(organization: Organization, headers: Mapping[str, str], scopes: Sequence[str], now: float) -> ApiKey:
    """The valid project key of a call to a model endpoint that needs all of `scopes`."""
    key = _find(organization, headers, now)
    if not isinstance(key, ApiKey) or (isinstance(key.owner, ServiceAccount) and key.owner.role == "none"):
        raise errors.missing_scopes(scopes, admin=False)
    missing = [scope for scope in scopes if not _covers(key.scopes, scope)]
    if missing:
        raise errors.missing_scopes(missing, admin=False)
    key.last_used_at = int(now)
    return key
