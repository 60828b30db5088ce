"""A platform has its alarms, its rule for failed rotations and its schedules.

Owns which alarms there must be. Leaves out the topic (`topic`) and what each alarm means (docs/runbook.md). A stack
with functions of ours is a platform, and must have all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_functions import SCHEDULED

_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
RULE_TYPE: Final = "aws:cloudwatch/eventRule:EventRule"
TARGET_TYPE: Final = "aws:cloudwatch/eventTarget:EventTarget"
_TARGET_PATHS: Final = ("arn", "rule")
"""An EventBridge target's function, and its rule."""
_FAILURES: Final = frozenset({"RotationFailed", "RotationAbandoned", "TestRotationFailed"})
_BY_THE_TRAIL: Final = ["AWS Service Event via CloudTrail"]
_DAY: Final = 86_400
_SCHEDULED: Final = tuple(f"-{one.kind}" for one in SCHEDULED)
"""How the names of functions end that a schedule calls."""
CONSUMERS: Final = ("myflux", "cinnox")
"""As in myflux_keys/consumers.py, which a pack cannot import where it runs."""


@dataclass(frozen=True)
class RequiredAlarm:
    """An alarm that must exist. `most` is the highest threshold allowed; the lowest if it alarms `below` it."""

    metric: str
    most: float = 0
    below: bool = False
    silence: str = ""
    namespace: str = "MyFluxKeys"
    consumer: str = ""


SWEEPS: Final = (
    RequiredAlarm("RotationOverdue"),
    RequiredAlarm("OrphanKeys"),
    *(RequiredAlarm("OldKeyStillUsed", consumer=consumer) for consumer in CONSUMERS),
    RequiredAlarm("OldKeyAlive"),
    RequiredAlarm("LiveKeyMissing"),
    RequiredAlarm("ForeignKeys"),
    RequiredAlarm("SecretDeleted"),
    RequiredAlarm("SecretMissing"),
    RequiredAlarm("SecretMistagged"),
    RequiredAlarm("ProjectMissing"),
    RequiredAlarm("FederationLeft"),
    RequiredAlarm("TrustedPrincipalGone"),
    RequiredAlarm("GovernanceChanged"),
    RequiredAlarm("AdminKeyDaysLeft", most=14, below=True),
    RequiredAlarm("CustomerKeyAgeDays", most=90),
    RequiredAlarm("SweepUnfinished", silence="breaching"),
)

HEALTH: Final = RequiredAlarm("HealthCycles", most=1, below=True, silence="breaching")
TROUBLES: Final = (
    "KeyRefused",
    "OutOfMoney",
    "RateLimited",
    "CallsRefused",
    "ModelsHidden",
    "ModelsRetiring",
    "ModelsRetired",
    "OpenAISilent",
    "BudgetReached",
    "BudgetForecast",
    "LimitsDiffer",
    "KeysExpiring",
    "RotationsLate",
    "KeysOfPersons",
    "Undeclared",
    "HandoversDue",
    "CountriesDropped",
)
"""Metrics of the health function, which tells each trouble itself: their alarms are shown, and none must exist."""


def _alarms(stack: Stack, _: Config) -> Iterator[Finding]:
    functions = list(ownership.functions(stack))
    if not functions:
        return
    wanted = [
        (function, RequiredAlarm("Errors", namespace="AWS/Lambda"), {"FunctionName": function.text("name")})
        for function in functions
    ]
    wanted += [
        (q, RequiredAlarm("ApproximateNumberOfMessagesVisible", namespace="AWS/SQS"), {"QueueName": q.text("name")})
        for q in stack
        if q.type == ownership.QUEUE and ownership.is_ours(q)
    ]
    sweeps = [function for function in functions if function.text("name").endswith("-sweep")]
    for sweep in sweeps:
        cell = {"Cell": sweep.text("tags", "cell")}
        wanted += [(sweep, one, cell | ({"Consumer": one.consumer} if one.consumer else {})) for one in SWEEPS]
    looks = [function for function in functions if function.text("name").endswith("-health")]
    wanted += [(function, HEALTH, {"Cell": function.text("tags", "cell")}) for function in looks]
    for about, one, dimensions in wanted:
        found = [
            alarm
            for alarm in stack
            if alarm.type == _ALARM
            and alarm.get("metricName") == one.metric
            and alarm.get("namespace") == one.namespace
            and all(alarm.get("dimensions", name) == value for name, value in dimensions.items())
        ]
        if not found:
            yield violation(about, "", f"there is no alarm on {one.metric}")
        for alarm in found:
            yield from _alarm_findings(stack, alarm, one)


def _alarm_findings(stack: Stack, alarm: Resource, wanted: RequiredAlarm) -> Iterator[Finding]:
    comparison, threshold = alarm.text("comparisonOperator"), alarm.number("threshold")
    direction = "LessThan" if wanted.below else "GreaterThan"
    late = threshold is None or (threshold < wanted.most if wanted.below else threshold > wanted.most + 1)
    # "More than 0" and "at least 1" are the same of a count.
    late = late or (comparison == "GreaterThanThreshold" and threshold is not None and threshold > wanted.most)
    if alarm.get("threshold") is UNKNOWN:
        yield unknown(alarm, "threshold")
    elif late or not comparison.startswith(direction):
        yield violation(alarm, "threshold", f"the alarm on {wanted.metric} is never raised, or too late")
    if alarm.get("statistic") not in (("Minimum",) if wanted.below else ("Maximum", "Sum")):
        yield violation(
            alarm, "statistic", f"the alarm on {wanted.metric} does not use the worst value as its statistic"
        )
    look_back = (alarm.number("period") or _DAY + 1) * (alarm.number("evaluationPeriods") or _DAY)
    if look_back > _DAY:
        yield violation(alarm, "period", f"the alarm on {wanted.metric} evaluates more than a day")
    needed = alarm.number("datapointsToAlarm") or alarm.number("evaluationPeriods") or 1
    if needed > 3:
        yield violation(
            alarm,
            "datapointsToAlarm",
            f"the alarm on {wanted.metric} needs {needed:g} periods to be raised; 3 is the most",
        )
    if wanted.silence and alarm.get("treatMissingData") != wanted.silence:
        yield violation(alarm, "treatMissingData", f"missing data of {wanted.metric} does not raise the alarm")
    if alarm.get("actionsEnabled") is False:
        yield violation(alarm, "actionsEnabled", f"the actions of the alarm on {wanted.metric} are disabled")
    yield from notifies_topic(stack, alarm, "alarmActions")


def notifies_topic(stack: Stack, resource: Resource, path: str) -> Iterator[Finding]:
    value = resource.get(path)
    listed: list[Any] = cast(list[Any], value) if isinstance(value, list) else [value] if value else []
    topics = {one.get("name") for one in stack if one.type == ownership.TOPIC and ownership.is_ours(one)}
    if any(":sns:" in one and one.rpartition(":")[2] in topics for one in listed if isinstance(one, str)):
        return
    if value is UNKNOWN or UNKNOWN in listed:
        topics = [one for one in ownership.sources(stack, resource, path) if one.type == ownership.TOPIC]
        if not any(ownership.is_ours(topic) for topic in topics):
            yield unknown(resource, path)
        return
    yield violation(resource, path, "it notifies no topic of ours")


def _failures_notified(stack: Stack, _: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        name = function.text("name")
        if not name.endswith("-rotation"):
            continue
        rules = [rule for rule in stack if rule.type == RULE_TYPE and ownership.is_ours(rule) and _about_failures(rule)]
        if not rules:
            yield violation(function, "", "there is no rule for failed and abandoned rotations")
        for rule in rules:
            yield from _enabled(rule)
            targets = [one for one in stack if one.type == TARGET_TYPE and of_rule(stack, one, rule)]
            if not targets:
                yield violation(rule, "", "the rule for failed rotations has no target")
            for target in targets:
                yield from notifies_topic(stack, target, "arn")


def _about_failures(rule: Resource) -> bool:
    try:
        pattern: Any = json.loads(rule.text("eventPattern"))
        detail = pattern["detail"]
        prefixes = [str(one.get("prefix")) for one in detail["additionalEventData"]["SecretId"]]
        by_the_trail = pattern.get("detail-type", _BY_THE_TRAIL) == _BY_THE_TRAIL
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    cell = rule.text("tags", "cell")
    # A prefix has no wildcards: a star in it means a star in the secret's name.
    tails = [prefix.partition(":secret:")[2] for prefix in prefixes]
    secrets = (f"myflux/{cell}/", f"myflux-admin/{cell}/openai-")
    both = all(any(tail.startswith("myflux") and start.startswith(tail) for tail in tails) for start in secrets)
    return (
        both
        and by_the_trail
        and set(detail.get("eventName", ())) >= _FAILURES
        and pattern.get("source") == ["aws.secretsmanager"]
    )


def _enabled(rule: Resource) -> Iterator[Finding]:
    if rule.get("isEnabled") is False or rule.get("state") == "DISABLED":
        yield violation(rule, "state", "the rule is disabled")


def of_rule(stack: Stack, target: Resource, rule: Resource) -> bool:
    value = target.get("rule")
    return value == rule.get("name") if value is not UNKNOWN else rule in ownership.sources(stack, target, "rule")


def _ends(resource: Resource, path: str, name: str) -> bool:
    return str(resource.get(path)).endswith(f":{name}")


def _has_unknown_source(stack: Stack, resource: Resource, path: str) -> bool:
    """Whether it is unknown even which resource the value at `path` comes from."""
    return resource.get(path) is UNKNOWN and not ownership.sources(stack, resource, path)


def _scheduled(stack: Stack, _: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        name = function.text("name")
        if not name.endswith(_SCHEDULED):
            continue
        targets = [
            one
            for one in stack
            if one.type == TARGET_TYPE
            and (function in ownership.comes_from(stack, one, "arn", ownership.FUNCTION) or _ends(one, "arn", name))
        ]
        rules = [rule for rule in stack if rule.type == RULE_TYPE and any(of_rule(stack, one, rule) for one in targets)]
        if not [rule for rule in rules if rule.get("scheduleExpression")]:
            hidden = [
                (one, path)
                for one in stack
                if one.type == TARGET_TYPE
                for path in _TARGET_PATHS
                if _has_unknown_source(stack, one, path)
            ]
            yield unknown(*hidden[0]) if hidden else violation(function, "", "no scheduled rule calls the function")
        for rule in rules:
            yield from _enabled(rule)


_WHY: Final = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring.html"

ALARM_RULES: Final = (
    Rule(
        name="alarms-ring",
        severity="high",
        level="mandatory",
        description="A platform has an alarm for functions' errors, for dead letters, for each metric of the sweep "
        "and for a health function that does not work.",
        rationale="Nobody notices that a key is used by somebody else, or is no longer rotated.",
        fix="Keep components/alarms.py, sweep_alarms.py and health_alarms.py: a threshold may be stricter, not weaker.",
        source=_WHY,
        check=_alarms,
    ),
    Rule(
        name="failed-rotations-told",
        severity="high",
        level="mandatory",
        description="An EventBridge rule notifies the alarms' topic of every failed or abandoned rotation.",
        rationale="Whoever makes rotations fail keeps a stolen key valid.",
        fix="Keep the rule in components/alarms.py with its three events and both kinds of secrets.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html",
        check=_failures_notified,
    ),
    Rule(
        name="functions-look-by-the-clock",
        severity="high",
        level="mandatory",
        description="An enabled scheduled rule calls the sweep, the health function and the admin key's rotation.",
        rationale="Orphaned keys are never revoked.",
        fix="Keep components/scheduled_call.py.",
        source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html",
        check=_scheduled,
    ),
)
