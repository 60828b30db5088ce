"""The provisioner function's entry point: called by Pulumi on create, update and delete of a tenant's OpenAI project.

Owns the order of the calls and the result, which holds only ids, since Pulumi's state keeps it. Leaves out each part.
Every part reads before it writes, so a second run changes nothing. What is final comes last: archiving a project, and
ending the keys of a tenant that has none any more. A federation rule that must not be there goes first.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any, Protocol

from functions.provisioner.federation import Federation
from functions.provisioner.limits import Limits
from functions.provisioner.project import Projects, ServiceAccounts
from functions.provisioner.request import Request, read_request
from functions.shared import log
from functions.shared.admin_key import AdminKey
from functions.shared.deadline import Deadline, LambdaContext
from functions.shared.environment import Environment, read_environment
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIHTTP
from functions.shared.secrets_client import new_client

Result = dict[str, Any]
"""`organization_id`, `project_id`, `service_account_id`; after delete also `archived`, and null for what did not
exist. Of a tenant with `federation` also that, `provider_id` and `rule_id`, and `base_url`, where its tokens serve."""


class Context(LambdaContext, Protocol):
    @property
    def invoked_function_arn(self) -> str: ...


class ProvisioningFailed(Exception):
    """A failure as Lambda and Pulumi see it: its text is redacted, and it has no cause."""


@lru_cache(maxsize=1)
def warm(admin_secret: str) -> AdminKey:
    return AdminKey(new_client(), admin_secret)


def handler(event: Mapping[str, Any], context: Context) -> Result:
    """Raises ProvisioningFailed, which fails the update."""
    log.configure()
    deadline = Deadline.of(context)
    began = deadline.now()
    fields: dict[str, Any] = {"tenant": str(event.get("tenant"))}
    try:
        environment = read_environment(os.environ)
        request = read_request(event, environment.cell, context.invoked_function_arn)
        fields |= {"cell": environment.cell, "action": request.action}
        http = OpenAIHTTP(environment.base_url, deadline)
        api = AdminAPI(http, warm(environment.admin_secret), deadline)
        result = carry_out(request, environment, api, deadline)
    except Exception as error:  # noqa: BLE001 - every failure must leave through a redacted text
        text = log.failure_text(error)
        log.line("provisioner.failed", level=logging.ERROR, **fields, error=text)
        raise ProvisioningFailed(text) from None
    log.line("provisioner.done", **fields, **result, openai_calls=http.calls, seconds=round(deadline.now() - began, 3))
    return result


def carry_out(request: Request, environment: Environment, api: AdminAPI, deadline: Deadline) -> Result:
    api = api.at(request.admin_secret)
    if request.action == "delete":
        return archive(request, environment, api, deadline)
    project = Projects(api).ensure(request.project)
    federation = Federation(api, request.cell, request.project)
    if request.federation is None and request.had_rule:
        federation.remove(project.id)
    accounts = ServiceAccounts(api, project.id, deadline)
    account_id = accounts.ensure(request.service_account)
    limits = Limits(api, project.id, mark=request.project)
    limits.allow_models(request.models)
    limits.limit_rates(request.rate_limits)
    limits.limit_spend(request.budget)
    limits.alert_on_spend(request.budget)
    result = _result(request, environment, project.id, account_id)
    if request.federation is not None:
        mapped = federation.ensure(request.federation, request.tenant, project, account_id)
        result |= {"federation": asdict(mapped), "base_url": environment.base_url}
    if not request.keys:
        accounts.end_keys(account_id)
    return result


def archive(request: Request, environment: Environment, api: AdminAPI, deadline: Deadline) -> Result:
    """Deletes the federation rule, revokes the keys, then deletes the accounts, then archives the project: nothing
    final while a key is valid, or a token can be had."""
    projects = Projects(api)
    project = projects.find(request.project)
    if request.had_rule:
        Federation(api, request.cell, request.project).remove(project.id if project else None)
    if project is None or project.archived:
        return _result(request, environment, project.id if project else None, None) | {"archived": True}
    accounts = ServiceAccounts(api, project.id, deadline)
    # A create whose answer was lost, or a person, may have made a second account with this name.
    found = [str(account["id"]) for account in accounts.called(request.service_account)]
    for account_id in found:
        accounts.end_keys(account_id)
    for account_id in found:
        accounts.delete(account_id)
    projects.archive(project)
    return _result(request, environment, project.id, found[0] if found else None) | {"archived": True}


def _result(request: Request, environment: Environment, project_id: str | None, account_id: str | None) -> Result:
    return {
        "organization_id": request.organization_id or environment.organization_id,
        "project_id": project_id,
        "service_account_id": account_id,
    }
