"""The engine leaves no property as it is that a rule judges.

Owns the option `ignoreChanges`. Leaves out the properties themselves. With the option, a rule judges what the program
asks for, or what it once asked for, while AWS keeps what somebody else set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .iam.policy_holders import KEY_POLICY, PLACES
from .model import Finding, Resource, Rule, Stack, violation
from .outside_types import ALARM, EVENT_RULE, LOG_GROUP, OVERWRITES
from .own_attachments import ATTACHING
from .provider import AWS_PROVIDER
from .targets import target

_FIRST: Final = re.compile(r'\[?"?([A-Za-z0-9_]+|\*)')
_NAMED: Final = (
    *((type_, path, of) for type_, (path, of, _) in OVERWRITES.items()),
    (KEY_POLICY, "keyId", ownership.KEY),
    ("aws:kms/alias:Alias", "targetKeyId", ownership.KEY),
    ("aws:sns/topicSubscription:TopicSubscription", "topic", ownership.TOPIC),
    ("aws:lambda/permission:Permission", "function", ownership.FUNCTION),
    ("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "functionName", ownership.FUNCTION),
    (ownership.INVOCATION, "functionName", ownership.FUNCTION),
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "role", ownership.ROLE),
    ("aws:cloudwatch/eventTarget:EventTarget", "arn", ownership.FUNCTION),
)
"""Types that a rule judges for what they name, the property that names it, and the type of what it names."""
_OURS: Final = frozenset(
    {
        ownership.A_SECRET,
        ownership.FUNCTION,
        ownership.ROLE,
        ownership.KEY,
        ownership.TOPIC,
        ownership.QUEUE,
        ALARM,
        EVENT_RULE,
        LOG_GROUP,
    }
)
"""Types that a rule judges whole if they are ours."""


def _ignored(stack: Stack, _: Config) -> Iterator[Finding]:
    for resource in (one for one in stack if one.ignore_changes):
        whole = _judged_whole(stack, resource)
        for path in resource.ignore_changes:
            found = _FIRST.match(path)
            first = found[1] if found else path
            if whole or any(first in ("*", name) and resource.get(name) is not None for name in _judged(resource)):
                yield violation(resource, "" if first == "*" else first, f"ignoreChanges names {path}, which is judged")


def _judged_whole(stack: Stack, resource: Resource) -> bool:
    if resource.type in _OURS and ownership.is_ours(resource):
        return True
    return any(resource.type == type_ and target(stack, resource, (path,), of) != "other" for type_, path, of in _NAMED)


def _judged(resource: Resource) -> Iterator[str]:
    """What is judged of anybody's: an identity's policies, and the account that the provider is bound to."""
    if resource.type == AWS_PROVIDER:
        yield from ("allowedAccountIds", "region", "defaultTags", "ignoreTags")
    for path, use, _ in PLACES.get(resource.type, ()):
        if use == "identity":
            yield path
    if resource.type == ownership.ROLE:
        yield "inlinePolicies"
    if resource.type in ATTACHING:
        path, holders = ATTACHING[resource.type]
        yield from (path, *holders)


IGNORED_RULES: Final = (
    Rule(
        name="judged-properties-not-ignored",
        severity="high",
        level="mandatory",
        description="`ignoreChanges` names no property of our resources, and no policy or attachment of any identity.",
        rationale="AWS keeps what somebody set by hand or an earlier program asked for, and no deployment changes it "
        "back; the rules see only what this program asks for.",
        fix="Remove `ignoreChanges`. Only `myflux-keys adopt` sets it, for the one update that imports a secret.",
        source="https://www.pulumi.com/docs/iac/concepts/resources/options/ignorechanges/",
        check=_ignored,
    ),
)
