"""The functions that read keys: who may call them, how many at once, and where failed events go.

Owns permissions, URLs, invocations and dead letters. Leaves out their code (`function_code`), environment
(`function_environment`), logs (`logs`), roles (`own_roles`) and alarms (`alarms`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from . import ownership
from .config import Config
from .iam.patterns import covers
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_functions import PAGES
from .targets import name_in

_URL: Final = "aws:lambda/functionUrl:FunctionUrl"
_PERMISSION: Final = "aws:lambda/permission:Permission"
_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
_ASYNC: Final = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
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
    return name_in(str(value or ""))


def _called(stack: Stack, _: Config) -> Iterator[Finding]:
    for resource in stack:
        if resource.type not in (_URL, _PERMISSION):
            continue
        path = "functionName" if resource.type == _URL else "function"
        name = _function_named(stack, resource, path)
        if name is None:
            yield unknown(resource, path)
        elif ownership.named_like_ours(name):
            page = _is_page(name)
            if resource.type == _URL and not page:
                yield violation(resource, "", "the function gets a URL on the internet")
            elif resource.type == _URL:
                yield from _url(stack, resource, name)
            elif page and resource.get("principal") == "*":
                yield from _opening(resource)
            else:
                yield from _permission(stack, resource)


def _is_page(name: str) -> bool:
    role = ownership.role_of(name)
    return role is not None and role.kind in PAGES


def _opening(permission: Resource) -> Iterator[Finding]:
    """One of the two grants that open the page to everybody, and only through its URL."""
    action = str(permission.get("action")).lower()
    if action == "lambda:invokefunctionurl":
        if permission.get("functionUrlAuthType") != "NONE":
            yield violation(permission, "functionUrlAuthType", "the page's grant is not for the authorization NONE")
    elif action == "lambda:invokefunction":
        if permission.get("invokedViaFunctionUrl") is not True:
            message = "every AWS account may invoke the page with an event of its own making"
            yield violation(permission, "invokedViaFunctionUrl", message)
    else:
        yield violation(permission, "action", "everybody may do more with the page than open it")


def _url(stack: Stack, url: Resource, name: str) -> Iterator[Finding]:
    """AWS answers 403 unless both grants exist: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"""
    if url.get("authorizationType") is UNKNOWN:
        yield unknown(url, "authorizationType")
    elif url.get("authorizationType") != "NONE":
        yield violation(url, "authorizationType", "customers cannot open the page: they sign no requests")
    grants = [one for one in stack if one.type == _PERMISSION and one.get("principal") == "*"]
    actions = {str(one.get("action")).lower() for one in grants if _function_named(stack, one, "function") == name}
    for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
        if action.lower() not in actions:
            yield violation(url, "", f"AWS answers 403 to everybody: there is no grant of {action}")


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


def _limited(stack: Stack, config: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        at_once = function.get("reservedConcurrentExecutions")
        if at_once is UNKNOWN:
            yield unknown(function, "reservedConcurrentExecutions")
        elif not 1 <= (function.number("reservedConcurrentExecutions") or 0) <= config.max_concurrency:
            message = f"the reserved concurrency must be 1 to {config.max_concurrency}"
            yield violation(function, "reservedConcurrentExecutions", message)
        yield from _to_our_queue(
            stack,
            function,
            ("deadLetterConfig", "targetArn"),
            "failed events are lost, or sent to a queue that is not ours",
        )
    for queue in (one for one in stack if one.type == ownership.QUEUE and ownership.is_ours(one)):
        if queue.get("sqsManagedSseEnabled") is False and not queue.get("kmsMasterKeyId"):
            yield violation(queue, "sqsManagedSseEnabled", "the queue of failed events is not encrypted")
    for setting in (one for one in stack if one.type == _ASYNC):
        name = _function_named(stack, setting, "functionName")
        if name is None and setting.get("destinationConfig") not in (None, {}):
            yield unknown(setting, "functionName")
        elif name is not None and ownership.named_like_ours(name):
            yield from _destinations(stack, setting)


def _destinations(stack: Stack, setting: Resource) -> Iterator[Finding]:
    """Beside the dead-letter queue, Lambda can send a record of each asynchronous call somewhere."""
    if setting.get("destinationConfig") is UNKNOWN:
        yield unknown(setting, "destinationConfig")
        return
    failed, done = ("destinationConfig", "onFailure"), ("destinationConfig", "onSuccess")
    if setting.get(*failed) not in (None, {}):
        message = "records of failed calls are sent to something else than our queue"
        yield from _to_our_queue(stack, setting, (*failed, "destination"), message)
    if setting.get(*done) not in (None, {}):
        yield violation(
            setting, ".".join(done), "records of successful calls, with the function's answers, are sent on"
        )


def _to_our_queue(stack: Stack, resource: Resource, path: tuple[str, ...], wrong: str) -> Iterator[Finding]:
    value = resource.get(*path)
    if value is UNKNOWN:
        found = [one for one in ownership.sources(stack, resource, path[0]) if one.type == ownership.QUEUE]
        if len(found) != 1 or not ownership.is_ours(found[0]):
            yield unknown(resource, ".".join(path))
    elif not isinstance(value, str) or not _is_our_queue(stack, value):
        yield violation(resource, ".".join(path), wrong)


def _is_our_queue(stack: Stack, arn: str) -> bool:
    """By its name, or because it is a queue of ours in this stack."""
    if re.fullmatch(r"arn:[^:]*:sqs:[^:]*:\d{12}:[^:]+", arn) is None:
        return False
    name = ownership.last_name(arn)
    ours = (one for one in stack if one.type == ownership.QUEUE and ownership.is_ours(one))
    return ownership.named_like_ours(name) or name in [one.get("name") for one in ours]


def _provisioned(stack: Stack, _: Config) -> Iterator[Finding]:
    for call in (one for one in stack if one.type == ownership.INVOCATION):
        name = _function_named(stack, call, "functionName")
        body = str(call.get("input"))
        about_ours = ownership.makes_project(call) or ownership.named_like_ours(name or "")
        if name is None and about_ours:
            yield unknown(call, "functionName")
        elif about_ours and name not in [f"myflux-{place.cell}-provisioner" for place in _places(stack)]:
            yield violation(call, "functionName", "Pulumi calls another function than the cell's provisioner")
        if about_ours and call.get("input") is not UNKNOWN and not _for_its_own(stack, body):
            yield violation(call, "input", "the project is not the one of the stack's tenant")
        if about_ours and (wrong := _keys(stack, ownership.request(call))):
            yield violation(call, "input.keys", wrong)
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
    return ownership.Place(cell, tenant) in _places(stack) and project == f"myflux-{cell}-{tenant}"


def _keys(stack: Stack, asked: Mapping[str, Any]) -> str:
    """What is wrong with the order to end the tenant's keys, or with its absence; empty if nothing."""
    secrets = (ownership.place_of(secret.text("name")) for secret in ownership.secrets(stack))
    has_secret = any(place and place.tenant == asked.get("tenant") for place in secrets)
    if has_secret and asked.get("keys") is False:
        return "every key of the tenant is ended, and its secret stays"
    if not has_secret and asked.get("keys") is not False:
        return "the tenant has no secret, and its keys of before stay valid"
    return ""


def _places(stack: Stack) -> list[ownership.Place]:
    """Of its secrets, and of its declarations: a tenant without a key has no secret."""
    secrets = (ownership.place_of(secret.text("name")) for secret in ownership.secrets(stack))
    declared = (ownership.declared_place(one) for one in stack if one.type == ownership.OBJECT)
    return [place for place in (*secrets, *declared) if place]


_LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg/"

FUNCTION_RULES: Final = (
    Rule(
        name="functions-called-by-ours-alone",
        severity="critical",
        level="mandatory",
        description="Only Secrets Manager, for our secrets, and our EventBridge rules may call a function. None but "
        "the connect page has a URL, which everybody may open, and nobody may invoke it in another way.",
        rationale="Whoever may call a function can have it mint, rotate and revoke keys. Without a bound account and "
        "ARN, a secret of another account can call it too.",
        fix="Remove the permission of any other caller, and other functions' URLs. Set `source_account` and "
        "`source_arn`. For the page, keep components/connect.py.",
        source=_LAMBDA + "permissions-function-services.html",
        check=_called,
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
        description="Of our functions, Pulumi calls only the cell's provisioner, to create, update and archive the "
        "tenant's project, and to end the keys of a tenant that has no secret.",
        rationale="If a project is not archived, its keys stay valid after its tenant has left; without a secret they "
        "are not rotated.",
        fix="Create projects with components/openai_project.py.",
        source="https://www.pulumi.com/registry/packages/aws/api-docs/lambda/invocation/",
        check=_provisioned,
    ),
)
