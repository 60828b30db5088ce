"""A project's keys after they were minted: list, retrieve, change expiry and scopes, revoke.

Owns `…/api_keys`. Leaves out minting, which needs an owner (`service_accounts.py`). Without `owner_project_access`, a
list does not contain keys whose owner was not a member by default. OpenAI documents that some enabled keys may then be
missing, but not which: these are the keys whose absence matters most to a caller that omits the parameter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from local.openai import audit, errors, policies
from local.openai.call import Call, admin_route
from local.openai.paging import page
from local.openai.routes.service_accounts import checked_scopes
from local.openai.state import ApiKey, Project, ServiceAccount


def _access(key: ApiKey) -> str:
    return "inactive" if isinstance(key.owner, ServiceAccount) and key.owner.role == "none" else "active"


def render(key: ApiKey) -> dict[str, Any]:
    owner = key.owner
    shown: dict[str, Any]
    if isinstance(owner, ServiceAccount):
        account = {"id": owner.id, "name": owner.name, "created_at": owner.created_at, "role": owner.role}
        shown = {"type": "service_account", "service_account": account}
    else:
        user = {"id": owner.id, "name": owner.name, "email": owner.email, "created_at": owner.created_at}
        shown = {"type": "user", "user": user | {"role": "member"}}
    return {
        "id": key.id,
        "object": "organization.project.api_key",
        "name": key.name,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "redacted_value": key.redacted_value,
        "owner": shown,
        "owner_project_access": _access(key),
    }


def _key(call: Call, project: Project) -> ApiKey:
    identifier = call.parameters["api_key_id"]
    key = project.keys.get(identifier)
    if key is None:
        raise errors.not_found("API key", identifier)
    return key


def _visible(access: str | None) -> Callable[[ApiKey], bool]:
    if access is None:
        return lambda k: not (isinstance(k.owner, ServiceAccount) and k.owner.created_without_role)
    return lambda k: access in ("any", _access(k))


def _list(call: Call) -> dict[str, Any]:
    project = call.project()
    query = call.query()
    access = query.choice("owner_project_access", ("active", "inactive", "any"), "") or None
    return page(list(project.keys.values()), query, render, lambda k: k.id, keep=_visible(access))


def _retrieve(call: Call) -> dict[str, Any]:
    return render(_key(call, call.project()))


def _update(call: Call) -> dict[str, Any]:
    project = call.project()
    key = _key(call, project)
    body = call.body()
    scopes = checked_scopes(body.texts("scopes", required=False))
    expires = body.integer("expires_in_seconds", minimum=1, maximum=policies.LONGEST_EXPIRY, required=False)
    body.done()
    if scopes is None and expires is None:
        raise errors.ApiError(400, "Provide at least one of 'scopes' or 'expires_in_seconds'.")
    if key.expired(call.now):
        raise errors.ApiError(400, f"API key {key.id} has expired and cannot be updated.", code="api_key_expired")
    if expires is not None:
        policies.check_expiry(call.organization.settings, expires)
        key.expires_at = call.at + expires
    if scopes is not None:
        key.scopes = scopes
    asked = {"scopes": scopes, "expires_in_seconds": expires}
    requested = {name: value for name, value in asked.items() if value is not None}
    audit.record(call, "api_key.updated", {"id": key.id, "changes_requested": requested}, project)
    return render(key)


def _delete(call: Call) -> dict[str, Any]:
    project = call.project()
    key = _key(call, project)
    if isinstance(key.owner, ServiceAccount) and call.emulator.faults.take(call.method, call.path, "old_delete_rule"):
        raise errors.key_cannot_be_deleted()
    answer = {"id": key.id, "object": "organization.project.api_key.deleted", "deleted": True}
    if call.emulator.faults.take(call.method, call.path, "not_done"):
        return answer
    if late := call.emulator.faults.take(call.method, call.path, "dies_late"):
        key.expires_at = call.at + math.ceil(late.seconds)
        del project.keys[key.id]
    else:
        call.organization.remove_key(key)
    audit.record(call, "api_key.deleted", {"id": key.id}, project)
    return answer


_BASE = "/projects/{project_id}/api_keys"

ROUTES = [
    admin_route("GET", _BASE, _list),
    admin_route("GET", _BASE + "/{api_key_id}", _retrieve),
    admin_route("POST", _BASE + "/{api_key_id}", _update),
    admin_route("DELETE", _BASE + "/{api_key_id}", _delete),
]
