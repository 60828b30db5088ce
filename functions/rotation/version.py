"""Makes and reads the payload of a version of a tenant's secret."""

from __future__ import annotations

from functions.rotation.mint import MintedKey
from functions.rotation.tenant import Tenant
from functions.shared.environment import Environment
from functions.shared.rotation_guard import RotationError
from myflux_keys.payload import Payload, PayloadError, SecretText, iso


def new_payload(environment: Environment, tenant: Tenant, minted: MintedKey) -> Payload:
    return Payload(
        tenant=tenant.tenant,
        api_key=minted.value,
        key_id=minted.id,
        project_id=tenant.project_id,
        service_account_id=tenant.service_account_id,
        organization_id=tenant.organization_id or environment.organization_id,
        base_url=environment.base_url,
        models=tenant.models,
        minted_at=iso(minted.created_at),
        expires_at=iso(minted.expires_at),
    )


def read_payload(stored: SecretText, tenant: str, version_id: str) -> Payload:
    """Raises RotationError for a value that no rotation wrote for this tenant, without showing it."""
    try:
        payload = Payload.from_json(stored.reveal())
    except PayloadError as error:
        raise RotationError(f"version {version_id} holds a value that is not ours: {error}") from None
    if payload.tenant != tenant or not payload.models:
        raise RotationError(f"version {version_id} holds a value of another tenant, or without models")
    return payload
