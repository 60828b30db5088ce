"""Makes keys. Only the response and the ledger get the value; the state has a digest and a redacted value."""

from __future__ import annotations

from local.openai import audit, keys
from local.openai.call import Call
from local.openai.state import AdminKey, ApiKey, Minted, Project, ServiceAccount, User


def mint_project_key(
    call: Call,
    project: Project,
    owner: ServiceAccount | User,
    name: str,
    scopes: list[str],
    expires_in_seconds: int | None,
) -> tuple[ApiKey, str]:
    """(record, value) of the new key. With a `propagation_delay` fault, the key is refused for the fault's seconds."""
    by_machine = isinstance(owner, ServiceAccount)
    value = keys.make_value(keys.SERVICE_ACCOUNT_PREFIX if by_machine else keys.PROJECT_PREFIX)
    delay = call.emulator.faults.take(call.method, call.path, "propagation_delay")
    key = ApiKey(
        id=keys.make_id("key_"),
        name=name,
        project_id=project.id,
        owner=owner,
        digest=keys.digest(value),
        redacted_value=keys.redacted_at_rest(value),
        created_at=call.at,
        scopes=scopes,
        expires_at=None if expires_in_seconds is None else call.at + expires_in_seconds,
        accepted_from=call.now + (delay.seconds if delay else 0.0),
    )
    call.organization.add_key(key)
    call.emulator.ledger.entries.append(
        Minted(
            key.id,
            "service_account" if by_machine else "user",
            value,
            name,
            project.id,
            owner.id if by_machine else None,
            call.at,
        )
    )
    audit.record(call, "api_key.created", {"id": key.id, "data": {"scopes": scopes}}, project)
    return key, value


def mint_admin_key(call: Call, name: str, scopes: list[str], expires_in_seconds: int | None) -> tuple[AdminKey, str]:
    value = keys.make_value(keys.ADMIN_PREFIX)
    key = AdminKey(
        id=keys.make_id("key_"),
        name=name,
        digest=keys.digest(value),
        redacted_value=keys.redacted_at_rest(value),
        created_at=call.at,
        scopes=scopes,
        expires_at=None if expires_in_seconds is None else call.at + expires_in_seconds,
    )
    call.organization.admin_keys[key.id] = key
    call.organization.keys_by_digest[key.digest] = key
    call.emulator.ledger.entries.append(Minted(key.id, "admin", value, name, None, None, call.at))
    audit.record(call, "api_key.created", {"id": key.id, "data": {"scopes": scopes}})
    return key, value
