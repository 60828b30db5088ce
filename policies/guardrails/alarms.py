"""What should never happen is heard.

Owns the alarms, the rule about failed rotations and the schedules that look. Leaves out the topic (`topic`) and what
they mean (docs/runbook.md). A stack with functions of ours is a platform, and has all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation

_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
_TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
_LEADS: Final = ("arn", "rule")
"""What a target leads to, and from where."""
_FAILURES: Final = frozenset({"RotationFailed", "RotationAbandoned", "TestRotationFailed"})
_BY_THE_TRAIL: Final = ["AWS Service Event via CloudTrail"]
_DAY: Final = 86_400


@dataclass(frozen=True)
class Wanted:
    """An alarm that rings in time. `most` is the highest threshold; the least for one that rings `below` it."""

    metric: str
    most: float = 0
    below: bool = False
    silence: str = ""
    namespace: str = "MyFluxKeys"
    consumer: str = ""


_SWEEPS: Final = (
    Wanted("RotationOverdue"),
    Wanted("OrphanKeys"),
    *(Wanted("OldKeyStillUsed", consumer=consumer) for consumer in ("myflux", "cinnox")),
    Wanted("OldKeyAlive"),
    Wanted("LiveKeyMissing"),
    Wanted("ForeignKeys"),
    Wanted("SecretDeleted"),
    Wanted("SecretMissing"),
    Wanted("SecretMistagged"),
    Wanted("ProjectMissing"),
    Wanted("GovernanceChanged"),
    Wanted("AdminKeyDaysLeft", most=14, below=True),
    Wanted("CustomerKeyAgeDays", most=90),
    Wanted("SweepUnfinished", silence="breaching"),
)


def _alarms(stack: Stack, _: Config) -> Iterator[Finding]:
    functions = list(ownership.functions(stack))
    if not functions:
        return
    wanted = [
        (function, Wanted("Errors", namespace="AWS/Lambda"), {"FunctionName": function.text("name")})
        for function in functions
    ]
    wanted += [
        (q, Wanted("ApproximateNumberOfMessagesVisible", namespace="AWS/SQS"), {"QueueName": q.text("name")})
        for q in stack
        if q.type == ownership.QUEUE and ownership.is_ours(q)
    ]
    sweeps = [function for function in functions if function.text("name").endswith("-sweep")]
    for sweep in sweeps:
        cell = {"Cell": sweep.text("tags", "cell")}
        wanted += [(sweep, one, cell | ({"Consumer": one.consumer} if one.consumer else {})) for one in _SWEEPS]
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
            yield from _rings(stack, alarm, one)


def _rings(stack: Stack, alarm: Resource, wanted: Wanted) -> Iterator[Finding]:
    comparison, threshold = alarm.text("comparisonOperator"), alarm.number("threshold")
    direction = "LessThan" if wanted.below else "GreaterThan"
    late = threshold is None or (threshold < wanted.most if wanted.below else threshold > wanted.most + 1)
    # "More than 0" and "at least 1" are the same of a count.
    late = late or (comparison == "GreaterThanThreshold" and threshold is not None and threshold > wanted.most)
    if alarm.get("threshold") is UNKNOWN:
        yield unknown(alarm, "threshold")
    elif late or not comparison.startswith(direction):
        yield violation(alarm, "threshold", f"the alarm on {wanted.metric} does not ring, or too late")
    if alarm.get("statistic") not in (("Minimum",) if wanted.below else ("Maximum", "Sum")):
        yield violation(alarm, "statistic", f"the alarm on {wanted.metric} looks at another figure than the worst")
    look_back = (alarm.number("period") or _DAY + 1) * (alarm.number("evaluationPeriods") or _DAY)
    if look_back > _DAY:
        yield violation(alarm, "period", f"the alarm on {wanted.metric} looks back longer than a day")
    to_ring = alarm.number("datapointsToAlarm") or alarm.number("evaluationPeriods") or 1
    if to_ring > 3:
        yield violation(alarm, "datapointsToAlarm", f"the alarm on {wanted.metric} waits for {to_ring:g} bad periods")
    if wanted.silence and alarm.get("treatMissingData") != wanted.silence:
        yield violation(alarm, "treatMissingData", f"silence of {wanted.metric} is taken for good news")
    if alarm.get("actionsEnabled") is False:
        yield violation(alarm, "actionsEnabled", f"the alarm on {wanted.metric} tells nobody")
    yield from _told(stack, alarm, "alarmActions")


def _told(stack: Stack, resource: Resource, path: str) -> Iterator[Finding]:
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
    yield violation(resource, path, "nobody is told: it goes to no topic of ours")


def _failures_told(stack: Stack, _: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        name = function.text("name")
        if not name.endswith("-rotation"):
            continue
        rules = [rule for rule in stack if rule.type == _RULE and ownership.is_ours(rule) and _about_failures(rule)]
        if not rules:
            yield violation(function, "", "no rule of ours listens to failed and abandoned rotations")
        for rule in rules:
            yield from _works(rule)
            targets = [one for one in stack if one.type == _TARGET and _of_rule(stack, one, rule)]
            if not targets:
                yield violation(rule, "", "the rule about failed rotations has no target")
            for target in targets:
                yield from _told(stack, target, "arn")


def _about_failures(rule: Resource) -> bool:
    try:
        pattern: Any = json.loads(rule.text("eventPattern"))
        detail = pattern["detail"]
        prefixes = [str(one.get("prefix")) for one in detail["additionalEventData"]["SecretId"]]
        by_the_trail = pattern.get("detail-type", _BY_THE_TRAIL) == _BY_THE_TRAIL
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    cell = rule.text("tags", "cell")
    # A prefix is taken as it stands: a star in it is a star in the secret's name.
    tails = [prefix.partition(":secret:")[2] for prefix in prefixes]
    secrets = (f"myflux/{cell}/", f"myflux-admin/{cell}/openai-")
    both = all(any(tail.startswith("myflux") and start.startswith(tail) for tail in tails) for start in secrets)
    return (
        both
        and by_the_trail
        and set(detail.get("eventName", ())) >= _FAILURES
        and pattern.get("source") == ["aws.secretsmanager"]
    )


def _works(rule: Resource) -> Iterator[Finding]:
    if rule.get("isEnabled") is False or rule.get("state") == "DISABLED":
        yield violation(rule, "state", "the rule is switched off")


def _of_rule(stack: Stack, target: Resource, rule: Resource) -> bool:
    value = target.get("rule")
    return value == rule.get("name") if value is not UNKNOWN else rule in ownership.sources(stack, target, "rule")


def _ends(resource: Resource, path: str, name: str) -> bool:
    return str(resource.get(path)).endswith(f":{name}")


def _dark(stack: Stack, resource: Resource, path: str) -> bool:
    """Whether it cannot even be told what `path` comes from."""
    return resource.get(path) is UNKNOWN and not ownership.sources(stack, resource, path)


def _looked_at(stack: Stack, _: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        name = function.text("name")
        if not name.endswith(("-sweep", "-admin-rotator")):
            continue
        targets = [
            one
            for one in stack
            if one.type == _TARGET
            and (function in ownership.comes_from(stack, one, "arn", ownership.FUNCTION) or _ends(one, "arn", name))
        ]
        rules = [rule for rule in stack if rule.type == _RULE and any(_of_rule(stack, one, rule) for one in targets)]
        if not [rule for rule in rules if rule.get("scheduleExpression")]:
            hidden = [(one, path) for one in stack if one.type == _TARGET for path in _LEADS if _dark(stack, one, path)]
            yield unknown(*hidden[0]) if hidden else violation(function, "", "no rule calls it by the clock")
        for rule in rules:
            yield from _works(rule)


_WHY: Final = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring.html"

ALARM_RULES: Final = (
    Rule(
        name="alarms-ring",
        severity="high",
        level="mandatory",
        description="A platform has an alarm on functions' errors, on dead letters and on all that the sweep finds.",
        rationale="A key that somebody else uses, or that does not change, stays unnoticed for as long as it lasts.",
        fix="Keep components/alarms.py and components/sweep_alarms.py: a threshold may be stricter, never laxer.",
        source=_WHY,
        check=_alarms,
    ),
    Rule(
        name="failed-rotations-told",
        severity="high",
        level="mandatory",
        description="A rule tells the alarms' topic of every rotation that failed or was given up.",
        rationale="Making rotations fail is how a stolen key is kept alive.",
        fix="Keep the rule of components/alarms.py with all three events and both kinds of secrets.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html",
        check=_failures_told,
    ),
    Rule(
        name="functions-look-by-the-clock",
        severity="high",
        level="mandatory",
        description="The sweep and the admin key's rotation are called by an enabled rule.",
        rationale="Keys that were left behind are ended by nobody.",
        fix="Keep components/scheduled_call.py.",
        source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html",
        check=_looked_at,
    ),
)
