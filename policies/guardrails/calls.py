"""The functions' callers and events are complete.

Owns permissions and events that must exist. Leaves out those that must not (`functions`), and that a schedule must
exist (`alarms`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .iam.documents import NotKnownYet, Statement
from .iam.patterns import covers
from .iam.policy_holders import ROLE_POLICY, documents
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_functions import ADMIN_WRITERS, SCHEDULED, WRITERS
from .schedule import longest_gap_days

_PERMISSION: Final = "aws:lambda/permission:Permission"
_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
_ROTATES: Final = tuple(f"-{kind}" for kind in sorted(WRITERS | ADMIN_WRITERS))
_SECRETS_MANAGER: Final = "secretsmanager.amazonaws.com"
_EVENTS: Final = "events.amazonaws.com"


def _may_be_called(stack: Stack, _: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        name = function.text("name")
        allowed = [one for one in stack if one.type == _PERMISSION and _about(stack, one, "function", function)]
        if name.endswith(_ROTATES) and not [one for one in allowed if one.get("principal") == _SECRETS_MANAGER]:
            yield violation(function, "", "Secrets Manager may not call the function, so nothing is rotated")
        for rule, target in _schedules(stack, function):
            if not any(one.get("principal") == _EVENTS and _from_rule(stack, one, rule) for one in allowed):
                yield violation(rule, "", "the rule may not call its function")
            yield from _every_day(rule)
            yield from _event_findings(target, name)


def _about(stack: Stack, resource: Resource, path: str, function: Resource) -> bool:
    value = resource.get(path)
    if value is UNKNOWN:
        return function in ownership.sources(stack, resource, path)
    return str(value).rpartition(":function:")[2] == function.get("name")


def _from_rule(stack: Stack, permission: Resource, rule: Resource) -> bool:
    value = permission.get("sourceArn")
    if value is UNKNOWN:
        return rule in ownership.sources(stack, permission, "sourceArn")
    return str(value).rpartition(":rule/")[2] == rule.get("name")


def _schedules(stack: Stack, function: Resource) -> Iterator[tuple[Resource, Resource]]:
    for target in stack:
        if target.type == _TARGET and _about(stack, target, "arn", function):
            name = target.get("rule")
            for rule in stack:
                mine = rule in ownership.sources(stack, target, "rule") if name is UNKNOWN else rule.get("name") == name
                if rule.type == _RULE and mine and rule.get("scheduleExpression"):
                    yield rule, target


def _every_day(rule: Resource) -> Iterator[Finding]:
    if rule.get("scheduleExpression") is UNKNOWN:
        yield unknown(rule, "scheduleExpression")
        return
    gap = longest_gap_days(rule.text("scheduleExpression"))
    if gap is None or gap > 1:
        yield violation(rule, "scheduleExpression", "the function is called less than once a day")


def _event_findings(target: Resource, name: str) -> Iterator[Finding]:
    if target.get("input") is UNKNOWN:
        yield unknown(target, "input")
        return
    wanted = [field for one in SCHEDULED if name.endswith(f"-{one.kind}") for field in (one.event or {}).items()]
    try:
        event: Any = json.loads(target.text("input"))
    except ValueError:
        event = {}
    fields = cast(dict[str, Any], event) if isinstance(event, dict) else {}
    for field, values in wanted:
        # 0 and False are the same to `in`.
        if not any(fields.get(field) is value or fields.get(field) == value != 0 for value in values):
            yield violation(target, "input", f"the event's field {field} has a wrong value")


def _may_log(stack: Stack, _: Config) -> Iterator[Finding]:
    held = [one for one in documents(stack, "identity") if one.resource.type == ROLE_POLICY]
    for function in ownership.functions(stack):
        name = function.text("name")
        mine = [
            one
            for one in held
            if name in (one.owner, *(role.get("name") for role in ownership.sources(stack, one.resource, "role")))
        ]
        if hidden := [one for one in mine if isinstance(one.trouble, NotKnownYet)]:
            yield unknown(hidden[0].resource, hidden[0].path)
            continue
        allowed = [statement for one in mine for statement in one.statements]
        log = f"arn:~:logs:~:~:log-group:/aws/lambda/{name}:log-stream:*"
        wanted = [
            ("logs:CreateLogStream", log),
            ("logs:PutLogEvents", log),
            ("sqs:SendMessage", "arn:~:sqs:~:~:myflux-*"),
        ]
        for action, on in wanted:
            if not any(_allows(one, action, on) for one in allowed) or any(
                not one.allows and one.can_name(action) for one in allowed
            ):
                lost = "its dead letters are" if action.startswith("sqs:") else "its log is"
                yield violation(function, "", f"the function's role lacks {action}: {lost} lost")


def _allows(statement: Statement, action: str, on: str) -> bool:
    return statement.allows and statement.names(action) and any(covers(on, one) for one in statement.resources)


CALL_RULES: Final = (
    Rule(
        name="functions-called-when-they-must",
        severity="high",
        level="mandatory",
        description="Secrets Manager may call the rotation functions. Schedules call the sweep, the health "
        "function and the admin key's rotation at least daily, with the right event.",
        rationale="Whoever removes the permission, or sets the sweep to dry_run, keeps a stolen key valid.",
        fix="Keep the permissions in components/, and components/scheduled_call.py with its events.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html",
        check=_may_be_called,
    ),
    Rule(
        name="functions-leave-a-trace",
        severity="medium",
        level="mandatory",
        description="A function's role may write its log and send its dead letters.",
        rationale="Nobody can find out what a function did with keys.",
        fix="Keep WriteOwnLogs and SendOwnDeadLetters of components/iam/functions.py.",
        source="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
        check=_may_log,
    ),
)
