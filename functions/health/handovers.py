"""Reads one tenant's hand-overs: the records, the secret's versions, and OpenAI's list of keys.

Owns the calls and whose turn it is: a list of keys is a call of the Admin API, so a few tenants a cycle are looked at,
and only while an old key may live. Leaves out what follows (`handover_facts.py`) and what is told
(`handover_judge.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from functions.health.handover_facts import Handing, Recorded
from functions.health.store import Store
from functions.rotation.tenant import read_tenant
from functions.shared.handover import LONGEST_SECONDS
from functions.shared.old_keys import Versions, old_keys
from functions.shared.openai_admin import AdminAPI, ProjectKeys
from functions.shared.rotation_guard import Refused
from functions.shared.secrets_manager import SecretStore
from functions.sweep.tenants import TenantSecret

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

TURNS: Final = 4
"""Tenants a cycle and organization: the calls a minute of the endpoint, with some left to the sweep."""


def recorded(
    client: SecretsManagerClient, store: Store, cell: str, secret: TenantSecret, now: float
) -> Recorded | None:
    """None: no consumer needs a person. The versions' dates are read only while an old key may live. Raises botocore's
    errors."""
    if not secret.pasted:
        return None
    records = store.handovers.records(secret.tenant, secret.pasted, "health.handover")
    try:
        tenant = read_tenant(secret.state, cell) if secret.managed else None
    except Refused:
        tenant = None
    if tenant is None:
        return Recorded(secret.tenant, records, Versions(secret.state.stages, {}), 0.0, readable=False)
    longest = max(LONGEST_SECONDS, tenant.overlap)
    ids = (tenant.project_id, tenant.service_account_id)
    rotated = secret.last_rotated
    if rotated is not None:
        found = Recorded(secret.tenant, records, Versions(secret.state.stages, {}), rotated + longest, True, *ids)
        if not found.is_open(now):
            return found
    versions = Versions(secret.state.stages, SecretStore(client, secret.arn).made_at())
    live_since = max(rotated or 0, versions.made.get(versions.current or "", 0))
    return Recorded(secret.tenant, records, versions, live_since + longest, True, *ids)


def turns(asked: Iterable[Recorded], looked_at: Mapping[str, float], now: float) -> list[Recorded]:
    """Whoever was looked at longest ago comes first."""
    those = [one for one in asked if one.is_open(now)]
    return sorted(those, key=lambda one: (looked_at.get(one.tenant, 0.0), one.tenant))[:TURNS]


def look_at(api: AdminAPI, cell: str, one: Recorded, now: float) -> tuple[Handing, ...]:
    """Raises OpenAIError."""
    keys = ProjectKeys(api, one.project_id).all()
    return one.handings(old_keys(keys, cell, one.tenant, one.service_account_id, one.versions, now), now)
