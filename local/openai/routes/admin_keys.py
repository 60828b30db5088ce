"""Admin keys: list, create, retrieve, delete.

Create and delete need the scope `api.management.write`; a key may delete itself.
"""

from __future__ import annotations

from typing import Any

from local.openai import audit, errors, policies
from local.openai.call import Call, admin_route
from local.openai.minting import mint_admin_key
from local.openai.paging import page
from local.openai.state import AdminKey


def render(key: AdminKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "object": "organization.admin_api_key",
        "name": key.name,
        "redacted_value": key.redacted_value,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "owner": {
            "id": "user-owner",
            "object": "organization.user",
            "type": "user",
            "name": "The owner",
            "role": "owner",
            "created_at": 1_700_000_000,
        },
    }


def _key(call: Call) -> AdminKey:
    identifier = call.parameters["key_id"]
    key = call.organization.admin_keys.get(identifier)
    if key is None:
        raise errors.not_found("Admin API key", identifier)
    return key


def _create(call: Call) -> dict[str, Any]:
    body = call.body()
    name = body.text("name")
    expires = body.integer("expires_in_seconds", minimum=1, maximum=policies.LONGEST_EXPIRY, required=False)
    body.done()
    assert name is not None
    assert call.admin_key is not None
    # The new key must not have more scopes than the key that makes it.
    key, value = mint_admin_key(call, name, list(call.admin_key.scopes), expires)
    return render(key) | {"value": value}


def _list(call: Call) -> dict[str, Any]:
    return page(list(call.organization.admin_keys.values()), call.query(), render, lambda k: k.id, order="asc")


def _retrieve(call: Call) -> dict[str, Any]:
    return render(_key(call))


def _delete(call: Call) -> dict[str, Any]:
    key = _key(call)
    if not call.emulator.faults.take(call.method, call.path, "not_done"):
        del call.organization.admin_keys[key.id]
        del call.organization.keys_by_digest[key.digest]
        audit.record(call, "api_key.deleted", {"id": key.id})
    return {"id": key.id, "object": "organization.admin_api_key.deleted", "deleted": True}


ROUTES = [
    admin_route("POST", "/admin_api_keys", _create),
    admin_route("GET", "/admin_api_keys", _list),
    admin_route("GET", "/admin_api_keys/{key_id}", _retrieve),
    admin_route("DELETE", "/admin_api_keys/{key_id}", _delete),
]
