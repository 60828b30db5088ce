"""The alarms' topic and the dead-letter queue: who may publish to them, and who is subscribed.

Owns their policies and subscriptions. Leaves out what is sent (`alarms`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from . import ownership
from .account import OWN_UNKNOWN, own_account
from .config import Config
from .iam.documents import Statement
from .iam.policy_holders import HeldDocument, Use, documents, unread
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .targets import target

_TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
_SUBSCRIBER: Final = ("protocol", "endpoint")
_NAMES: Final = ("arn", "queueUrl")
"""Properties that say which topic or queue a policy is of."""
_PUBLISHERS: Final = frozenset({"cloudwatch.amazonaws.com", "events.amazonaws.com"})


@dataclass(frozen=True)
class _May:
    """What an Allow statement may contain. None: anything, since a queue's senders and actions differ."""

    services: frozenset[str] | None
    actions: tuple[str, ...] | None


_STATEMENT_MAY: Final[dict[Use, _May]] = {
    "topic": _May(services=_PUBLISHERS, actions=("sns:publish",)),
    "queue": _May(services=None, actions=None),
}
"""By the document's use. In each only services may be allowed, and only for the resource's account."""


def _topic_closed(stack: Stack, config: Config) -> Iterator[Finding]:
    for held in documents(stack, *_STATEMENT_MAY):
        if _guards_ours(stack, held):
            yield from _document_closed(stack, held)
    for topic in stack:
        if topic.type == ownership.TOPIC and ownership.is_ours(topic):
            yield from _topic_open_to_publishers(stack, topic)
            yield from _subscribed(stack, topic, config)
    for one in stack:
        if one.type == SUBSCRIPTION and is_to_ours(stack, one):
            yield from _subscriber(stack, one, config)


def _guards_ours(stack: Stack, held: HeldDocument) -> bool:
    """Whether the document is of a topic or queue of ours: by its resource, by what its resource names, or by name."""
    about = [held.resource, *(one for path in _NAMES for one in ownership.sources(stack, held.resource, path))]
    named = [ownership.last_name(held.resource.text(path)) for path in _NAMES]
    return any(map(ownership.is_ours, about)) or any(map(ownership.named_like_ours, named))


def _document_closed(stack: Stack, held: HeldDocument) -> Iterator[Finding]:
    if held.trouble is not None and not ownership.comes_from(stack, held.resource, held.path, ownership.TOPIC):
        yield unread(held)
    may = _STATEMENT_MAY[held.use]
    account = _account_of(str(held.resource.get("arn")))
    for statement in held.statements:
        name = statement.called
        if not statement.allows:
            continue
        if not _only_does(statement, may.actions):
            yield violation(held.resource, held.path, f"{name} allows more than to publish")
        if not (_only_services(statement, may.services) and _bound_to(statement, account)):
            yield violation(held.resource, held.path, f"{name} allows others than services of this account")


def _only_does(statement: Statement, actions: tuple[str, ...] | None) -> bool:
    if actions is None:
        return True
    return tuple(one.lower() for one in statement.actions) == actions and not statement.but_actions


def _only_services(statement: Statement, services: frozenset[str] | None) -> bool:
    if set(statement.principals) != {"Service"} or statement.but_principals:
        return False
    return services is None or set(statement.principals["Service"]) <= services


def _bound_to(statement: Statement, account: str) -> bool:
    """Whether it holds only for `account`; if that is unknown (""), only for accounts given by their ids."""
    return any(
        condition.operator in operators
        and not condition.passes_when_absent
        and bool(condition.values)
        and all(_is_account(of(value), account) for value in condition.values)
        for key, operators, of in _SOURCES
        for condition in statement.on(key)
    )


def _is_account(value: str, account: str) -> bool:
    return _ACCOUNT.fullmatch(value) is not None and account in ("", value)


def _account_of(arn: str) -> str:
    return (arn.split(":")[4:5] or [""])[0]


_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_SOURCES: Final[tuple[tuple[str, tuple[str, ...], Callable[[str], str]], ...]] = (
    ("aws:SourceAccount", ("stringequals",), str),
    ("aws:SourceArn", ("arnlike", "arnequals", "stringequals"), _account_of),
)
"""The keys that say for whom a service calls, the operators without a wildcard in the account, and the account.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcearn"""


def _topic_open_to_publishers(stack: Stack, topic: Resource) -> Iterator[Finding]:
    policies = [one for one in stack if one.type == _TOPIC_POLICY and _is_about(stack, one, "arn", topic)]
    if not policies and not topic.get("policy"):
        yield violation(topic, "", "the topic has no policy, so no rule may publish to it")
    elif silent := _PUBLISHERS - _publishers(stack, {topic.urn, *(one.urn for one in policies)}):
        yield violation(topic, "", f"{', '.join(sorted(silent))} may not publish to the topic")


def _subscribed(stack: Stack, topic: Resource, config: Config) -> Iterator[Finding]:
    subscriptions = [one for one in stack if one.type == SUBSCRIPTION and _is_about(stack, one, "topic", topic)]
    if not subscriptions and topic.text("tags", "cell") in config.production_cells:
        yield violation(topic, "", "nobody is subscribed to a production cell's alarms")
    hidden = any(one.get(path) is UNKNOWN for one in subscriptions for path in _SUBSCRIBER)
    if not hidden and set(config.alarm_emails) - {one.text("endpoint") for one in subscriptions}:
        yield violation(topic, "", "an address in the cell's file is not subscribed to its alarms")


def is_to_ours(stack: Stack, subscription: Resource) -> bool:
    """The topic may be in another stack, as a tenant's stack names the platform's."""
    if target(stack, subscription, ("topic",), ownership.TOPIC) == "ours":
        return True
    ours = (one for one in stack if one.type == ownership.TOPIC and ownership.is_ours(one))
    return any(_is_about(stack, subscription, "topic", one) for one in ours)


def _subscriber(stack: Stack, subscription: Resource, config: Config) -> Iterator[Finding]:
    endpoint = subscription.text("endpoint")
    own = own_account(stack)
    if endpoint.startswith("arn:") and _account_of(endpoint) != own:
        message = "are sent to another account" if own else f"may be sent to another account: {OWN_UNKNOWN}"
        yield violation(subscription, "endpoint", f"alarms {message}")
    if not config.alarm_emails:
        return
    for path in _SUBSCRIBER:
        if subscription.get(path) is UNKNOWN:
            yield unknown(subscription, path)
            return
    if subscription.get("protocol") != "email" or endpoint not in config.alarm_emails:
        yield violation(subscription, "endpoint", "the cell's file does not list this subscriber of the alarms")


def _is_about(stack: Stack, resource: Resource, path: str, topic: Resource) -> bool:
    """Whether the property `path` is the topic, or an ARN that ends in its name."""
    named = str(resource.get(path)).endswith(f":{topic.text('name')}")
    return named or topic in ownership.comes_from(stack, resource, path, ownership.TOPIC)


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
        description="Only services of the same account may publish to our topics and queues. No queue or function of "
        "another account is subscribed. The cell's `alarm_emails` "
        "are subscribed to the topic, and in production at least one address is.",
        rationale="Whoever may publish can hide a real alarm among false ones; a subscriber learns when there is none.",
        fix="Keep `alarm_topic` in components/iam/resource.py, and set `alarm_emails` in the cell's file.",
        source="https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html",
        check=_topic_closed,
        settings=("production_cells", "alarm_emails"),
    ),
)
