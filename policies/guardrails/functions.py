"""The functions that read keys: who may call them, and where they send keys.

Owns Lambda functions, permissions, URLs and invocations. Leaves out their code (`function_code`), their roles
(`own_roles`) and alarms (`alarms`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, cast
from urllib.parse import urlsplit

from . import ownership
from .config import Config
from .iam.patterns import covers
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation

_URL: Final = "aws:lambda/functionUrl:FunctionUrl"
_PERMISSION: Final = "aws:lambda/permission:Permission"
_LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
_INVOCATION: Final = "aws:lambda/invocation:Invocation"
_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
_ASYNC: Final = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_SECRET_NAMED: Final = re.compile(
    r"(API|ADMIN|ACCESS|PRIVATE|SIGNING|SECRET)_?KEY|PASSW|TOKEN|CREDENTIAL|SECRET_?(VALUE|STRING)|_KEY$", re.IGNORECASE
)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_CALLERS: Final = {
    "secretsmanager.amazonaws.com": (
        "arn:~:secretsmanager:~:~:secret:myflux/~/*/openai-??????",
        "arn:~:secretsmanager:~:~:secret:myflux-admin/~/openai-??????",
    ),
    "events.amazonaws.com": ("arn:~:events:~:~:rule/myflux-~",),
}
"""The services that may call a function, and the resources for which they may."""


def _function_named(stack: Stack, resource: Resource, path: str) -> str | None:
    """The name of the function that `path` refers to; None if it is unknown."""
    value = resource.get(path)
    if value is UNKNOWN:
        found = ownership.comes_from(stack, resource, path, ownership.FUNCTION)
        value = found[0].get("name") if len(found) == 1 else UNKNOWN
    if value is UNKNOWN:
        return None
    return str(value or "").rpartition(":function:")[2].partition(":")[0]


def _called(stack: Stack, _: Config) -> Iterator[Finding]:
    for resource in stack:
        if resource.type not in (_URL, _PERMISSION):
            continue
        path = "functionName" if resource.type == _URL else "function"
        name = _function_named(stack, resource, path)
        if name is None:
            yield unknown(resource, path)
        elif ownership.named_like_ours(name):
            if resource.type == _URL:
                yield violation(resource, "", "the function gets a URL on the internet")
            else:
                yield from _permission(stack, resource)


def _permission(stack: Stack, permission: Resource) -> Iterator[Finding]:
    principal = permission.get("principal")
    if principal is UNKNOWN:
        yield unknown(permission, "principal")
        return
    if principal not in _CALLERS:
        yield violation(
            permission, "principal", "a principal other than Secrets Manager and EventBridge may call the function"
        )
        return
    if str(permission.get("action")).lower() != "lambda:invokefunction":
        yield violation(permission, "action", "the permission allows more than lambda:InvokeFunction")
    account, source = permission.get("sourceAccount"), permission.get("sourceArn")
    if account is UNKNOWN:
        yield unknown(permission, "sourceAccount")
    elif not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        yield violation(
            permission, "sourceAccount", "the service may call for any account: sourceAccount is no account id"
        )
    if source is UNKNOWN:
        rules = ownership.comes_from(stack, permission, "sourceArn", _RULE)
        if len(rules) != 1 or not ownership.is_ours(rules[0]):
            yield unknown(permission, "sourceArn")
    elif not isinstance(source, str) or not any(covers(wide, source) for wide in _CALLERS[principal]):
        yield violation(permission, "sourceArn", "the service may call for resources that are not ours")
    elif isinstance(account, str) and source.split(":")[4] != account:
        yield violation(permission, "sourceArn", "the source is in another account than sourceAccount")


def _environment(stack: Stack, config: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        variables = function.get("environment", "variables")
        if variables is UNKNOWN:
            yield unknown(function, "environment.variables")
            continue
        if not isinstance(variables, dict):
            continue
        for name, value in cast(dict[str, Any], variables).items():
            path = f"environment.variables.{name}"
            if _SECRET_NAMED.search(name):
                yield violation(function, path, "the environment variable is named like a secret")
            if name != "OPENAI_BASE_URL":
                continue
            if value is UNKNOWN:
                yield unknown(function, path)
            elif not _may_send_to(str(value), config):
                yield violation(function, path, "keys would be sent to a host that is not OpenAI's, or without https")


def _may_send_to(url: str, config: Config) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username or parts.password:
        return False
    return host in _LOOPBACK or (parts.scheme == "https" and host in config.openai_hosts)


def _logged(stack: Stack, config: Config) -> Iterator[Finding]:
    groups = {one.text("name"): one for one in stack if one.type == _LOG_GROUP}
    for function in ownership.functions(stack):
        name = f"/aws/lambda/{function.text('name')}"
        group = groups.get(name)
        if group is None:
            yield violation(
                function, "", f"{name} is not in the stack: Lambda would create it and keep the log for ever"
            )
            continue
        days = group.get("retentionInDays")
        if days is UNKNOWN:
            yield unknown(group, "retentionInDays")
        elif not group.number("retentionInDays"):
            yield violation(group, "retentionInDays", "the log is kept for ever")
        elif (group.number("retentionInDays") or 0) < config.min_log_retention_days:
            message = f"the log is deleted after {days:g} days; the least is {config.min_log_retention_days}"
            yield violation(group, "retentionInDays", message)


def _limited(stack: Stack, config: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        at_once = function.get("reservedConcurrentExecutions")
        if at_once is UNKNOWN:
            yield unknown(function, "reservedConcurrentExecutions")
        elif not 1 <= (function.number("reservedConcurrentExecutions") or 0) <= config.max_concurrency:
            message = f"the reserved concurrency must be 1 to {config.max_concurrency}"
            yield violation(function, "reservedConcurrentExecutions", message)
        dead = function.get("deadLetterConfig", "targetArn")
        if dead is UNKNOWN:
            found = ownership.comes_from(stack, function, "deadLetterConfig", ownership.QUEUE) or [
                one for one in ownership.sources(stack, function, "deadLetterConfig") if one.type == ownership.QUEUE
            ]
            if len(found) != 1 or not ownership.is_ours(found[0]):
                yield unknown(function, "deadLetterConfig.targetArn")
        elif not isinstance(dead, str) or not re.fullmatch(r"arn:[^:]*:sqs:[^:]*:\d{12}:myflux-[a-z0-9-]+", dead):
            yield violation(function, "deadLetterConfig", "failed events are lost, or sent to a queue that is not ours")
    for queue in (one for one in stack if one.type == ownership.QUEUE and ownership.is_ours(one)):
        if queue.get("sqsManagedSseEnabled") is False and not queue.get("kmsMasterKeyId"):
            yield violation(queue, "sqsManagedSseEnabled", "the queue of failed events is not encrypted")
    for setting in (one for one in stack if one.type == _ASYNC):
        name = _function_named(stack, setting, "functionName")
        elsewhere = setting.get("destinationConfig")
        if name is not None and ownership.named_like_ours(name) and elsewhere not in (None, {}):
            yield violation(setting, "destinationConfig", "the function's results are sent to another destination")


def _provisioned(stack: Stack, _: Config) -> Iterator[Finding]:
    for call in (one for one in stack if one.type == _INVOCATION):
        name = _function_named(stack, call, "functionName")
        body = str(call.get("input"))
        about_ours = '"myflux-' in body or (name or "").startswith("myflux-")
        if name is None and about_ours:
            yield unknown(call, "functionName")
        elif about_ours and not re.fullmatch(r"myflux-[a-z0-9-]+-provisioner", name or ""):
            yield violation(call, "functionName", "Pulumi calls another function than the provisioner")
        if about_ours and call.get("input") is not UNKNOWN and not _for_its_own(stack, body):
            yield violation(call, "input", "the project is not the one of the stack's tenant")
        if about_ours and call.get("lifecycleScope") != "CRUD":
            yield violation(
                call, "lifecycleScope", "on removal the project is not archived and its keys are not revoked"
            )


def _for_its_own(stack: Stack, body: str) -> bool:
    try:
        request: Any = json.loads(body)
        cell, tenant, project = (request[name] for name in ("cell", "tenant", "project"))
    except (ValueError, KeyError, TypeError):
        return False
    places = [ownership.place_of(secret.text("name")) for secret in ownership.secrets(stack)]
    return ownership.Place(cell, tenant) in places and project == f"myflux-{cell}-{tenant}"


_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg/"

FUNCTION_RULES: Final = (
    Rule(
        name="functions-called-by-ours-alone",
        severity="critical",
        level="mandatory",
        description="Only Secrets Manager, for our secrets, and our EventBridge rules may call a function. None has a "
        "URL.",
        rationale="Whoever may call a function can have it mint, rotate and revoke keys. Without a bound account and "
        "ARN, a secret of another account can call it too.",
        fix="Set `source_account` and `source_arn`, and remove function URLs.",
        source=_LAMBDA + "permissions-function-services.html",
        check=_called,
    ),
    Rule(
        name="functions-environment-is-plain",
        severity="critical",
        level="mandatory",
        description="A function's environment holds no secret, and its OPENAI_BASE_URL is OpenAI's.",
        rationale="Whoever may describe the function sees its environment; and the functions send the admin key to the "
        "URL in it.",
        fix="Set the secret's name, not its value. Add other hosts to the pack's `openaiHosts`.",
        source=_LAMBDA + "configuration-envvars-encryption.html",
        check=_environment,
        scope="resource",
        settings=("openai_hosts",),
    ),
    Rule(
        name="functions-keep-their-logs",
        severity="medium",
        level="mandatory",
        description="Each function has a log group in the stack, with a long enough retention, not unlimited.",
        rationale="Without logs nobody can find out what an attacker did with the function.",
        fix="Set `log_retention_days` in the cell's file.",
        source="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
        check=_logged,
        settings=("min_log_retention_days",),
    ),
    Rule(
        name="functions-are-bridled",
        severity="medium",
        level="mandatory",
        description="A function's concurrency is limited, and its failed events go to our queue only.",
        rationale="Many calls at once use up OpenAI's rate limit, so that no key can be rotated. Nobody notices a lost "
        "event of a failed rotation.",
        fix="Set `reserved_concurrent_executions` and `dead_letter_config`, as components/key_function.py does.",
        source=_LAMBDA + "invocation-async-retain-records.html",
        check=_limited,
        settings=("max_concurrency",),
    ),
    Rule(
        name="projects-made-by-the-provisioner",
        severity="medium",
        level="mandatory",
        description="Pulumi calls only the provisioner, to create, update and archive the tenant's project.",
        rationale="If a project is not archived, its keys stay valid after its tenant has left.",
        fix="Create projects with components/openai_project.py.",
        source="https://www.pulumi.com/registry/packages/aws/api-docs/lambda/invocation/",
        check=_provisioned,
    ),
)
