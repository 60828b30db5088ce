"""The functions' logs: kept long enough, in one known place, and not sent to another account.

Owns log groups, and what sends their entries on. Leaves out that a function's role may write its log (`calls`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, cast

from . import ownership
from .account import OWN_UNKNOWN, own_account
from .config import Config
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation

_LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
_SUBSCRIPTION: Final = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
_ACCOUNT_POLICY: Final = "aws:cloudwatch/logAccountPolicy:LogAccountPolicy"
_LINK: Final = "aws:oam/link:Link"
_TOLD: Final = (None, "", "TRACE", "DEBUG", "INFO")
"""Log levels that leave nothing out of what our functions log.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html"""
_OURS: Final = "/aws/lambda/myflux-"
"""How the names of our log groups begin."""
_QUOTED: Final = re.compile(r"""["']([^"']*)["']""")


def _logged(stack: Stack, config: Config) -> Iterator[Finding]:
    groups = {one.text("name"): one for one in stack if one.type == _LOG_GROUP}
    for function in ownership.functions(stack):
        name = f"/aws/lambda/{function.text('name')}"
        elsewhere = function.get("loggingConfig", "logGroup")
        if elsewhere is UNKNOWN:
            yield unknown(function, "loggingConfig.logGroup")
        elif elsewhere not in (None, "", name):
            yield violation(function, "loggingConfig.logGroup", f"the function does not log to {name}")
        yield from _silenced(function)
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


def _silenced(function: Resource) -> Iterator[Finding]:
    for path in ("applicationLogLevel", "systemLogLevel"):
        level = function.get("loggingConfig", path)
        if level is UNKNOWN:
            yield unknown(function, f"loggingConfig.{path}")
        elif level not in _TOLD:
            yield violation(function, f"loggingConfig.{path}", "the function's log leaves out what it says of its work")


def _stay(stack: Stack, _: Config) -> Iterator[Finding]:
    account = own_account(stack)
    for one in stack:
        if one.type == _SUBSCRIPTION:
            yield from _of_a_group(stack, one, account)
        elif one.type == _ACCOUNT_POLICY and one.get("policyType") in ("SUBSCRIPTION_FILTER_POLICY", UNKNOWN):
            yield from _of_all_groups(stack, one, account)
        elif one.type == _LINK:
            yield from _of_a_link(one)


def _of_a_group(stack: Stack, subscription: Resource, account: str) -> Iterator[Finding]:
    group = subscription.get("logGroup")
    if group is UNKNOWN:
        found = ownership.comes_from(stack, subscription, "logGroup", _LOG_GROUP)
        group = found[0].get("name") if len(found) == 1 else UNKNOWN
    if group is UNKNOWN:
        yield unknown(subscription, "logGroup")
    elif _is_ours(stack, str(group)):
        destination = subscription.get("destinationArn")
        if destination is UNKNOWN and ownership.sources(stack, subscription, "destinationArn"):
            # A resource of this stack is in this account.
            return
        yield from _destination(subscription, "destinationArn", destination, account)


def _is_ours(stack: Stack, group: str) -> bool:
    if ownership.named_like_ours(group):
        return True
    return any(one.type == _LOG_GROUP and ownership.is_ours(one) and one.get("name") == group for one in stack)


def _destination(resource: Resource, path: str, arn: Any, account: str) -> Iterator[Finding]:
    if arn is UNKNOWN:
        yield unknown(resource, path)
    elif not account:
        yield unknown(resource, path, f"the destination's account cannot be compared: {OWN_UNKNOWN}")
    elif str(arn).split(":")[4:5] != [account]:
        yield violation(resource, path, "a function's log is sent to another account")


def _of_all_groups(stack: Stack, policy: Resource, account: str) -> Iterator[Finding]:
    groups = {one.text("name") for one in stack if one.type == _LOG_GROUP and ownership.is_ours(one)}
    criteria = policy.get("selectionCriteria")
    if criteria is UNKNOWN:
        yield unknown(policy, "selectionCriteria")
    # AWS knows no other criterion than this one.
    elif groups and "NOT IN" in str(criteria) and groups <= set(_QUOTED.findall(str(criteria))):
        return
    elif policy.get("policyType") is UNKNOWN:
        yield unknown(policy, "policyType")
    else:
        document = policy.get("policyDocument")
        try:
            body: Any = json.loads(document) if isinstance(document, str) else document
        except ValueError:
            body = None
        arn = cast(dict[str, Any], body).get("DestinationArn") if isinstance(body, dict) else body
        yield from _destination(policy, "policyDocument", arn, account)


def _of_a_link(link: Resource) -> Iterator[Finding]:
    """A link shares with a monitoring account, which is another one."""
    types = link.get("resourceTypes")
    listed: list[Any] = cast(list[Any], types) if isinstance(types, list) else [types]
    shown = link.get("linkConfiguration", "logGroupConfiguration", "filter")
    if UNKNOWN in listed:
        yield unknown(link, "resourceTypes")
    elif "AWS::Logs::LogGroup" not in listed:
        return
    elif shown is UNKNOWN:
        yield unknown(link, "linkConfiguration")
    elif not _leaves_ours_out(str(shown or "")):
        yield violation(link, "linkConfiguration", "the functions' logs are shared with a monitoring account")


def _leaves_ours_out(filter_: str) -> bool:
    """Whether a link's filter shares no log group of ours: it lists others, or denies a beginning of our names."""
    named = _QUOTED.findall(filter_)
    if re.search(r"\bNOT\b|!=", filter_) is None:
        return bool(named) and not any(_can_be_ours(one) for one in named)
    if re.search(r"\bOR\b", filter_):
        return False
    denied = re.findall(r"NOT\s+LIKE\s+'([^']*)%'", filter_)
    return any(_OURS.startswith(one) for one in denied)


def _can_be_ours(pattern: str) -> bool:
    beginning = pattern.removesuffix("%")
    return beginning.startswith(_OURS) or (pattern.endswith("%") and _OURS.startswith(beginning))


_LOGS: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/"

LOG_RULES: Final = (
    Rule(
        name="functions-keep-their-logs",
        severity="medium",
        level="mandatory",
        description="Each function has a log group in the stack and logs there all that it says, with a long enough "
        "retention, not unlimited.",
        rationale="Without logs nobody can find out what an attacker did with the function.",
        fix="Set `log_retention_days` in the cell's file, and no `logging_config`.",
        source=_LOGS + "Working-with-log-groups-and-streams.html",
        check=_logged,
        settings=("min_log_retention_days",),
    ),
    Rule(
        name="logs-stay-in-the-account",
        severity="high",
        level="mandatory",
        description="No subscription, account policy or monitoring link sends the functions' logs to another account.",
        rationale="The other account's owner learns who our tenants are and when each key changes, and nobody here can "
        "see or stop who reads it.",
        fix="Send the logs to a destination in the cell's account; bind the AWS provider to it with "
        "`allowed_account_ids`; exclude `/aws/lambda/myflux-` groups from an "
        "account policy's `selection_criteria` and a link's filter.",
        source=_LOGS + "CrossAccountSubscriptions.html",
        check=_stay,
    ),
)
