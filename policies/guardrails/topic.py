"""The alarms' topic and the dead-letter queue: who may publish to them, and who is subscribed.

Owns their policies and subscriptions. Leaves out what is sent (`alarms`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .iam.policy_holders import documents
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation

_TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"
_SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
_PUBLISHERS: Final = frozenset({"cloudwatch.amazonaws.com", "events.amazonaws.com"})


def _topic_closed(stack: Stack, config: Config) -> Iterator[Finding]:
    for held in documents(stack, "topic", "queue"):
        about = [
            held.resource,
            *(one for path in ("arn", "queueUrl") for one in ownership.sources(stack, held.resource, path)),
        ]
        called = str(held.resource.get("arn")) + str(held.resource.get("queueUrl"))
        if not any(ownership.is_ours(one) for one in about) and ":myflux-" not in called and "/myflux-" not in called:
            continue
        if held.trouble is not None and not ownership.comes_from(stack, held.resource, held.path, ownership.TOPIC):
            yield unknown(held.resource, held.path)
        for statement in held.statements:
            named = set(statement.principals.get("Service", ()))
            services = set(statement.principals) == {"Service"} and not statement.but_principals
            services = services and (held.use != "topic" or named <= _PUBLISHERS)
            accounts = [
                c
                for c in statement.on("aws:SourceAccount")
                if c.operator == "stringequals" and not c.passes_when_absent
            ]
            account = str(held.resource.get("arn")).split(":")[4:5] or [""]
            bound = any(
                c.values and all(value.isdigit() and account[0] in ("", value) for value in c.values) for c in accounts
            )
            publishes = [one.lower() for one in statement.actions] == ["sns:publish"] and not statement.but_actions
            if held.use == "topic" and statement.allows and not publishes:
                message = f"{statement.sid or 'a statement'} allows more than to publish"
                yield violation(held.resource, held.path, message)
            if statement.allows and not (services and bound):
                message = f"{statement.sid or 'a statement'} lets others than services of this account in"
                yield violation(held.resource, held.path, message)
    topics = [one for one in stack if one.type == ownership.TOPIC and ownership.is_ours(one)]
    for topic in topics:
        policies = [
            one
            for one in stack
            if one.type == _TOPIC_POLICY
            and (
                topic in ownership.comes_from(stack, one, "arn", ownership.TOPIC)
                or str(one.get("arn")).endswith(f":{topic.text('name')}")
            )
        ]
        if not policies and not topic.get("policy"):
            yield violation(topic, "", "the topic has no policy, so no rule may publish to it")
        elif silent := _PUBLISHERS - _publishers(stack, {topic.urn, *(one.urn for one in policies)}):
            yield violation(topic, "", f"{', '.join(sorted(silent))} may not publish to the topic")
        told = [
            one
            for one in stack
            if one.type == _SUBSCRIPTION
            and (
                topic in ownership.comes_from(stack, one, "topic", ownership.TOPIC)
                or _ends(one, "topic", topic.text("name"))
            )
        ]
        if not told and topic.text("tags", "cell") in config.production_cells:
            yield violation(topic, "", "nobody is subscribed to a production cell's alarms")
        yield from _heard(topic, told, config)


def _heard(topic: Resource, told: list[Resource], config: Config) -> Iterator[Finding]:
    if not config.alarm_emails:
        return
    for one in told:
        for path in ("protocol", "endpoint"):
            if one.get(path) is UNKNOWN:
                yield unknown(one, path)
                return
        if one.get("protocol") != "email" or one.get("endpoint") not in config.alarm_emails:
            yield violation(one, "endpoint", "somebody hears the alarms whom the cell's file does not name")
    if set(config.alarm_emails) - {one.text("endpoint") for one in told}:
        yield violation(topic, "", "somebody whom the cell's file names is not subscribed to its alarms")


def _ends(resource: Resource, path: str, name: str) -> bool:
    return str(resource.get(path)).endswith(f":{name}")


def _publishers(stack: Stack, holders: set[str]) -> set[str]:
    """Services that the policies let publish; all of them while a policy is not known yet."""
    found: set[str] = set()
    for held in documents(stack, "topic"):
        if held.resource.urn not in holders:
            continue
        if held.trouble is not None:
            return set(_PUBLISHERS)
        for statement in held.statements:
            here = str(held.resource.get("arn"))
            if statement.allows and (not here.startswith("arn:") or here in statement.resources):
                found |= set(statement.principals.get("Service", ()))
    return found


TOPIC_RULES: Final = (
    Rule(
        name="alarms-topic-closed",
        severity="medium",
        level="mandatory",
        description="Only services of the same account may publish to our topics and queues. The cell's `alarm_emails` "
        "are subscribed to the topic, and in production at least one address is.",
        rationale="Whoever may publish can hide a real alarm among false ones; a subscriber learns when there is none.",
        fix="Keep `alarm_topic` in components/iam/resource.py, and set `alarm_emails` in the cell's file.",
        source="https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html",
        check=_topic_closed,
        settings=("production_cells", "alarm_emails"),
    ),
)
