"""Service accounts of a project, and the keys minted on them.

Owns `…/service_accounts` and its sub-paths. Leaves out later changes of a key (`project_keys.py`). An account made with
`create_service_account_only` has the role `none` and no key; its keys are refused until it gets another role.
"""

from __future__ import annotations

from typing import Any

from local.openai import access, audit, errors, keys, policies
from local.openai.call import Call, admin_route
from local.openai.minting import mint_project_key
from local.openai.paging import page
from local.openai.state import ApiKey, Project, ServiceAccount


def render(account: ServiceAccount) -> dict[str, Any]:
    return {
        "id": account.id,
        "object": "organization.project.service_account",
        "name": account.name,
        "role": account.role,
        "created_at": account.created_at,
    }


def _with_value(key: ApiKey, value: str) -> dict[str, Any]:
    return {
        "id": key.id,
        "object": "organization.project.service_account.api_key",
        "name": key.name,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "value": value,
    }


def _account(call: Call, project: Project) -> ServiceAccount:
    identifier = call.parameters["service_account_id"]
    account = project.service_accounts.get(identifier)
    if account is None:
        raise errors.not_found("Service account", identifier)
    return account


def _create(call: Call) -> dict[str, Any]:
    project = call.project()
    body = call.body()
    name = body.text("name")
    bare = body.boolean("create_service_account_only", nullable=True)
    expires = body.integer(
        "expires_in_seconds", minimum=1, maximum=policies.LONGEST_EXPIRY, required=False, nullable=True
    )
    body.done()
    if bare and expires is not None:
        raise errors.invalid_value(
            "expires_in_seconds", "it cannot be used when 'create_service_account_only' is true."
        )
    if not bare:
        policies.check_new_key(call.organization.settings, expires, user_owned=False)
    assert name is not None
    account = ServiceAccount(keys.make_id("svc_acct_"), name, call.at, "none" if bare else "member", bare)
    project.service_accounts[account.id] = account
    audit.record(call, "service_account.created", {"id": account.id, "data": {"role": account.role}}, project)
    answer = render(account)
    answer["api_key"] = None
    if not bare:
        answer["api_key"] = _with_value(*mint_project_key(call, project, account, name, [], expires))
    return answer


def _list(call: Call) -> dict[str, Any]:
    return page(list(call.project().service_accounts.values()), call.query(), render, lambda a: a.id)


def _retrieve(call: Call) -> dict[str, Any]:
    return render(_account(call, call.project()))


def _update(call: Call) -> dict[str, Any]:
    project = call.project()
    account = _account(call, project)
    body = call.body()
    name = body.text("name", required=False)
    role = body.choice("role", ("member", "owner"), required=False)
    body.done()
    if name is not None:
        account.name = name
    if role is not None:
        account.role = "owner" if role == "owner" else "member"
    audit.record(call, "service_account.updated", {"id": account.id, "changes_requested": {"role": role}}, project)
    return render(account)


def _delete(call: Call) -> dict[str, Any]:
    project = call.project()
    account = _account(call, project)
    for key in [k for k in project.keys.values() if k.owner is account]:
        call.organization.remove_key(key)
    del project.service_accounts[account.id]
    audit.record(call, "service_account.deleted", {"id": account.id}, project)
    return {"id": account.id, "object": "organization.project.service_account.deleted", "deleted": True}


def _mint(call: Call) -> dict[str, Any]:
    project = call.project()
    account = _account(call, project)
    body = call.body()
    name = body.text("name", required=False)
    scopes = checked_scopes(body.texts("scopes", required=False))
    expires = body.integer(
        "expires_in_seconds", minimum=1, maximum=policies.LONGEST_EXPIRY, required=False, nullable=True
    )
    body.done()
    policies.check_new_key(call.organization.settings, expires, user_owned=False)
    return _with_value(*mint_project_key(call, project, account, name or "Secret Key", scopes or [], expires))


def checked_scopes(scopes: list[str] | None) -> list[str] | None:
    for index, scope in enumerate(scopes or []):
        if scope not in access.PROJECT_SCOPES:
            raise errors.invalid_value(f"scopes[{index}]", f"'{scope}' is not a scope of project API keys.")
    return scopes


_BASE = "/projects/{project_id}/service_accounts"

ROUTES = [
    admin_route("POST", _BASE, _create),
    admin_route("GET", _BASE, _list),
    admin_route("GET", _BASE + "/{service_account_id}", _retrieve),
    admin_route("POST", _BASE + "/{service_account_id}", _update),
    admin_route("DELETE", _BASE + "/{service_account_id}", _delete),
    admin_route("POST", _BASE + "/{service_account_id}/api_keys", _mint),
]
