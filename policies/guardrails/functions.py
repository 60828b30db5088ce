"""The functions that read keys: who calls them and where they send what they read.

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
"""Which service may call a function of ours, and on behalf of what."""


def _function_named(stack: Stack, resource: Resource, path: str) -> str | None:
    """The name of the function that `path` means; None where it is not known yet."""
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
                yield violation(resource, "", "a function of ours gets an address on the internet")
            else:
                yield from _permission(stack, resource)


def _permission(stack: Stack, permission: Resource) -> Iterator[Finding]:
    principal = permission.get("principal")
    if principal is UNKNOWN:
        yield unknown(permission, "principal")
        return
    if principal not in _CALLERS:
        yield violation(permission, "principal", "somebody else than Secrets Manager and EventBridge may call it")
        return
    if str(permission.get("action")).lower() != "lambda:invokefunction":
        yield violation(permission, "action", "more than calling the function is allowed")
    account, source = permission.get("sourceAccount"), permission.get("sourceArn")
    if account is UNKNOWN:
        yield unknown(permission, "sourceAccount")
    elif not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        yield violation(permission, "sourceAccount", "the service may call on behalf of any account")
    if source is UNKNOWN:
        rules = ownership.comes_from(stack, permission, "sourceArn", _RULE)
        if len(rules) != 1 or not ownership.is_ours(rules[0]):
            yield unknown(permission, "sourceArn")
    elif not isinstance(source, str) or not any(covers(wide, source) for wide in _CALLERS[principal]):
        yield violation(permission, "sourceArn", "the service may call on behalf of more than what is ours")
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
                yield violation(function, path, "a variable named like a secret stands in the function's environment")
            if name != "OPENAI_BASE_URL":
                continue
            if value is UNKNOWN:
                yield unknown(function, path)
            elif not _may_send_to(str(value), config):
                yield violation(
                    function, path, "keys would be sent to an address that is not OpenAI's, or not by https"
                )


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
            yield violation(function, "", f"{name} is not in the stack: Lambda would keep what it makes for ever")
            continue
        days = group.get("retentionInDays")
        if days is UNKNOWN:
            yield unknown(group, "retentionInDays")
        elif not group.number("retentionInDays"):
            yield violation(group, "retentionInDays", "the log is kept for ever")
        elif (group.number("retentionInDays") or 0) < config.min_log_retention_days:
            message = f"the log is gone after {days:g} days; {config.min_log_retention_days} are asked for"
            yield violation(group, "retentionInDays", message)


def _bridled(stack: Stack, config: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        at_once = function.get("reservedConcurrentExecutions")
        if at_once is UNKNOWN:
            yield unknown(function, "reservedConcurrentExecutions")
        elif not 1 <= (function.number("reservedConcurrentExecutions") or 0) <= config.max_concurrency:
            message = f"the function may run any number of times at once; 1 to {config.max_concurrency} are asked for"
            yield violation(function, "reservedConcurrentExecutions", message)
        dead = function.get("deadLetterConfig", "targetArn")
        if dead is UNKNOWN:
            found = ownership.comes_from(stack, function, "deadLetterConfig", ownership.QUEUE) or [
                one for one in ownership.sources(stack, function, "deadLetterConfig") if one.type == ownership.QUEUE
            ]
            if len(found) != 1 or not ownership.is_ours(found[0]):
                yield unknown(function, "deadLetterConfig.targetArn")
        elif not isinstance(dead, str) or not re.fullmatch(r"arn:[^:]*:sqs:[^:]*:\d{12}:myflux-[a-z0-9-]+", dead):
            yield violation(function, "deadLetterConfig", "what the function gives up is dropped, or sent elsewhere")
    for queue in (one for one in stack if one.type == ownership.QUEUE and ownership.is_ours(one)):
        if queue.get("sqsManagedSseEnabled") is False and not queue.get("kmsMasterKeyId"):
            yield violation(queue, "sqsManagedSseEnabled", "what the functions gave up lies there unencrypted")
    for setting in (one for one in stack if one.type == _ASYNC):
        name = _function_named(stack, setting, "functionName")
        elsewhere = setting.get("destinationConfig")
        if name is not None and ownership.named_like_ours(name) and elsewhere not in (None, {}):
            yield violation(setting, "destinationConfig", "what the function answers is sent elsewhere")


def _provisioned(stack: Stack, _: Config) -> Iterator[Finding]:
    for call in (one for one in stack if one.type == _INVOCATION):
        name = _function_named(stack, call, "functionName")
        body = str(call.get("input"))
        about_ours = '"myflux-' in body or (name or "").startswith("myflux-")
        if name is None and about_ours:
            yield unknown(call, "functionName")
        elif about_ours and not re.fullmatch(r"myflux-[a-z0-9-]+-provisioner", name or ""):
            yield violation(call, "functionName", "Pulumi calls another function of ours than the provisioner")
        if about_ours and call.get("input") is not UNKNOWN and not _for_its_own(stack, body):
            yield violation(call, "input", "it makes another project than that of the stack's own tenant")
        if about_ours and call.get("lifecycleScope") != "CRUD":
            yield violation(call, "lifecycleScope", "the project is not archived, and its keys not ended, on removal")


def _for_its_own(stack: Stack, body: str) -> bool:
    try:
        asked: Any = json.loads(body)
        cell, tenant, project = (asked[name] for name in ("cell", "tenant", "project"))
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
        description="Only Secrets Manager for secrets of ours, and rules of ours, may call a function; none has a URL.",
        rationale="Whoever may call a function has it mint, rotate and end keys; so may another "
        "account's secret where account and ARN are not bound.",
        fix="Set `source_account` and `source_arn`, and take function URLs out.",
        source=_LAMBDA + "permissions-function-services.html",
        check=_called,
    ),
    Rule(
        name="functions-environment-is-plain",
        severity="critical",
        level="mandatory",
        description="A function's environment holds no secret, and its OpenAI address is OpenAI's.",
        rationale="The environment is shown to whoever may describe the function; and to the address that stands there "
        "the functions send the admin key.",
        fix="Name the secret, not its value; and list further hosts of yours in the pack's `openaiHosts`.",
        source=_LAMBDA + "configuration-envvars-encryption.html",
        check=_environment,
        scope="resource",
        settings=("openai_hosts",),
    ),
    Rule(
        name="functions-keep-their-logs",
        severity="medium",
        level="mandatory",
        description="Each function has a log group in the stack that is kept long enough, and not for ever.",
        rationale="Without logs nobody learns what an intruder had the function do.",
        fix="Set `log_retention_days` in the cell's file.",
        source="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
        check=_logged,
        settings=("min_log_retention_days",),
    ),
    Rule(
        name="functions-are-bridled",
        severity="medium",
        level="mandatory",
        description="A function runs a few times at once; what it gives up lands in a queue of ours and nowhere else.",
        rationale="A flood of calls uses up OpenAI's rate limit, so that no key can be changed; a dropped event is a "
        "rotation that nobody misses.",
        fix="Set `reserved_concurrent_executions` and `dead_letter_config`, as components/key_function.py does.",
        source=_LAMBDA + "invocation-async-retain-records.html",
        check=_bridled,
        settings=("max_concurrency",),
    ),
    Rule(
        name="projects-made-by-the-provisioner",
        severity="medium",
        level="mandatory",
        description="Pulumi calls the provisioner, for the whole life of a project, and no other function of ours.",
        rationale="A project that nobody archives keeps live keys after its tenant has left.",
        fix="Make projects by components/openai_project.py.",
        source="https://www.pulumi.com/registry/packages/aws/api-docs/lambda/invocation/",
        check=_provisioned,
    ),
)
