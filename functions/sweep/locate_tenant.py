"""Finds a tenant's project, account and secret, also if the secret's deletion is scheduled or done.

The secret's tags name the project; they can be read until its deletion window ends. After that the project is found
by its name, which is derived from cell and tenant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, path
from functions.shared.openai_projects import PROJECTS, is_archived
from functions.shared.rotation_guard import Refused
from functions.sweep.services import Services
from functions.sweep.tenants import TenantSecret, describe, describe_with_deleted
from myflux_keys import names


@dataclass(frozen=True)
class Target:
    """`secret` None: AWS shows no secret of the tenant. `deletion_scheduled`: no value of the secret can be read.
    `project_id` None: OpenAI has no project of that name."""

    tenant: str
    api: AdminAPI
    secret: TenantSecret | None
    deletion_scheduled: bool
    project_id: str | None
    archived: bool = False
    service_account_id: str = ""


def named_secret(tenant: str, services: Services) -> TenantSecret:
    """The secret with the name of the tenant's. Our tags may be missing, as on a secret to adopt, but not differ.

    Raises Refused if the cell has no such secret, or botocore's errors."""
    cell = services.environment.cell
    name = names.secret_name(cell, tenant)
    try:
        return describe(services.secrets, name, cell, untagged=True)
    except ClientError as error:
        if _is_absent(error):
            raise Refused(f"cell {cell} has no secret {name}, or it has another cell's tags") from None
        raise


def find(tenant: str, services: Services, *, organization_id: str | None = None) -> Target:
    """`organization_id` is the customer's, needed if the secret is deleted. Raises Refused for a tenant whose key is
    the customer's own, OpenAIError, AdminKeyMissing, or botocore's errors."""
    cell = services.environment.cell
    try:
        secret, deletion_scheduled = describe_with_deleted(services.secrets, names.secret_name(cell, tenant), cell)
    except ClientError as error:
        if not _is_absent(error):
            raise
        secret, deletion_scheduled = None, False
    if secret is not None and not secret.managed:
        raise Refused(f"the key of {tenant} is the customer's own: only they can revoke it, at OpenAI")
    tags: Mapping[str, str] = secret.state.tags if secret is not None else {}
    organization = tags.get(names.TAG_ORGANIZATION_ID, "") if secret is not None else organization_id
    api = services.api.at(names.customer_admin_secret(cell, tenant) if organization else None)
    project = _project(api, tags.get(names.TAG_PROJECT_ID, ""), names.project_name(cell, tenant))
    return Target(
        tenant,
        api,
        secret,
        deletion_scheduled,
        str(project["id"]) if project else None,
        archived=project is not None and is_archived(project),
        service_account_id=tags.get(names.TAG_SERVICE_ACCOUNT_ID, ""),
    )


def _project(api: AdminAPI, project_id: str, name: str) -> Mapping[str, Any] | None:
    if project_id:
        try:
            return api.send("GET", PROJECTS + path("/{project}", project=project_id))
        except OpenAIError as error:
            if error.status != 404:
                raise
            return None
    called = [item for item in api.pages(PROJECTS, {"include_archived": "true"}) if item.get("name") == name]
    active = [item for item in called if not is_archived(item)]
    if len(active) > 1:
        ids = ", ".join(str(item["id"]) for item in active)
        raise Refused(f"{len(active)} projects are called {name!r} ({ids}): rename or archive all but one")
    return next(iter([*active, *called]), None)


def _is_absent(error: ClientError) -> bool:
    """The permission depends on the secret's tags, so AWS denies access to a secret that does not exist."""
    return error.response.get("Error", {}).get("Code") in ("AccessDeniedException", "ResourceNotFoundException")
