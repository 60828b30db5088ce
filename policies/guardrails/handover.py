"""The hand-over role: a person with a second factor reads one tenant's current key, and somebody is told.

Owns what is this role's alone: the second factor, the stage, the consumers, and the rule that tells each use. Leaves
out what it shares with the runtime: principals and tags (`trust`), permissions (`own_roles`), the KMS key (`kms`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from . import ownership
from .alarms import RULE_TYPE, TARGET_TYPE, notifies_topic, of_rule
from .config import Config
from .iam.documents import Condition, Statement
from .iam.grants import READ
from .iam.policy_holders import documents
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_roles import whose
from .secret_policies import SecretPolicy, denied_but_for, not_denied, policies

KIND: Final = "handover"
PASTED: Final = ("cinnox",)
"""The consumers for whom a person pastes the key, as in myflux_keys/consumers.py."""
_FACTOR: Final = "aws:multifactorauthpresent"
_NAME: Final = "sts:rolesessionname"
_OWN: Final = "${aws:username}"
_STAGE: Final = "secretsmanager:versionstage"
_CURRENT: Final = "AWSCURRENT"
_CONSUMERS: Final = "secretsmanager:resourcetag/myflux:consumers"
_WORDS: Final = frozenset(f"{before}{one}{after}" for one in PASTED for before in ("", "* ") for after in ("", " *"))
"""Of the tag: whole words, divided by blanks."""
_EVERY_EVENT: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def _by_two_factors(stack: Stack, _: Config) -> Iterator[Finding]:
    for held in documents(stack, "trust"):
        if held.role is None or held.role.kind != KIND:
            continue
        for statement in held.statements:
            if statement.allows and not any(map(_demands_a_factor, statement.on(_FACTOR))):
                message = f"{statement.called} allows a session that was begun without a second factor"
                yield violation(held.resource, held.path, message)


def _demands_a_factor(condition: Condition) -> bool:
    true = tuple(value.lower() for value in condition.values) == ("true",)
    return condition.operator == "bool" and true and not condition.over and not condition.if_exists


def _by_name(stack: Stack, _: Config) -> Iterator[Finding]:
    for held in documents(stack, "trust"):
        if held.role is None or held.role.kind != KIND:
            continue
        named = {arn for one in held.statements if _refuses_other_names(one) for arn in one.principals.get("AWS", ())}
        allowed = [arn for one in held.statements if one.allows for arn in one.principals.get("AWS", ())]
        for user in sorted({arn for arn in allowed if ":user/" in arn} - named if "*" not in named else ()):
            yield violation(held.resource, held.path, f"{user} may have a session in another person's name")


def _refuses_other_names(statement: Statement) -> bool:
    if statement.allows or statement.but_principals or not statement.names("sts:AssumeRole"):
        return False
    exact = [c for c in statement.on(_NAME) if c.operator == "stringnotequals" and not c.over]
    return len(statement.conditions) == len(exact) == 1 and exact[0].values == (_OWN,)


def _current_and_pasted(stack: Stack, _: Config) -> Iterator[Finding]:
    for held in documents(stack, "identity"):
        role = whose(held)
        if role is None or role.kind != KIND:
            continue
        for statement in held.statements:
            if statement.allows and statement.can_name("secretsmanager:*"):
                for wrong in _too_much(statement):
                    yield violation(held.resource, held.path, f"{statement.called} {wrong}")
    for locked in policies(stack):
        exempt = not_denied(locked.held.statements, READ[0]) or frozenset()
        for arn in sorted(exempt):
            role = ownership.role_of(arn)
            if role is not None and role.kind == KIND:
                yield from _of_a_secret(stack, locked, arn)


def _too_much(statement: Statement) -> Iterator[str]:
    if not statement.demands(_STAGE, _CURRENT):
        yield "allows other versions than the current one"
    named = [c for c in statement.on(_CONSUMERS) if c.operator in ("stringequals", "stringlike") and not c.over]
    if not any(set(c.values) <= _WORDS and not c.passes_when_absent for c in named):
        yield "allows secrets of tenants for whom nobody pastes the key"


def _of_a_secret(stack: Stack, locked: SecretPolicy, arn: str) -> Iterator[Finding]:
    held = locked.held
    for action in READ:
        if not any(denied_but_for(one, action, arn, _STAGE, _CURRENT) for one in held.statements):
            yield violation(held.resource, held.path, f"{action} of other versions is not denied to the hand-over role")
    secret = next((one for one in stack if one.type == ownership.A_SECRET and one.get("name") == locked.name), None)
    if secret is None:
        return
    consumers = secret.get("tags", "myflux:consumers")
    if consumers is UNKNOWN or secret.get("tags") is UNKNOWN:
        yield unknown(secret, "tags")
    elif not set(str(consumers).split()) & set(PASTED):
        yield violation(held.resource, held.path, "the hand-over role may read it, and nobody pastes this tenant's key")


def _told(stack: Stack, _: Config) -> Iterator[Finding]:
    for role in ownership.roles(stack):
        known = ownership.role_of(role.text("name"))
        if known is None or known.kind != KIND:
            continue
        listening = [rule for rule in stack if rule.type == RULE_TYPE and ownership.is_ours(rule)]
        heard = [rule for rule in listening if _hears(rule, known)]
        if not heard:
            hidden = [rule for rule in listening if rule.get("eventPattern") is UNKNOWN]
            yield (
                unknown(hidden[0], "eventPattern")
                if hidden
                else violation(role, "", "no rule hears each use of the hand-over role")
            )
        for rule in heard:
            if rule.get("isEnabled") is False or rule.get("state") != _EVERY_EVENT:
                message = f"the rule does not hear reads: its state is not {_EVERY_EVENT}"
                yield unknown(rule, "state") if rule.get("state") is UNKNOWN else violation(rule, "state", message)
            targets = [one for one in stack if one.type == TARGET_TYPE and of_rule(stack, one, rule)]
            if not targets:
                yield violation(rule, "", "the rule for uses of the hand-over role has no target")
            for target in targets:
                yield from notifies_topic(stack, target, "arn")


def _hears(rule: Resource, role: ownership.OurRole) -> bool:
    """Every call of Secrets Manager by the role: nothing else narrows the pattern."""
    try:
        pattern: Any = json.loads(rule.text("eventPattern"))
        arns = pattern["detail"].pop("userIdentity")["sessionContext"]["sessionIssuer"]["arn"]
        by_the_trail = pattern.pop("detail-type", None) in (None, ["AWS API Call via CloudTrail"])
        whole = pattern == {"source": ["aws.secretsmanager"], "detail": {}}
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return whole and by_the_trail and any(ownership.role_of(str(arn)) == role for arn in arns)


_MFA: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"
_FIX: Final = "Keep the documents in components/iam/handover.py and components/iam/resource.py."

HANDOVER_RULES: Final = (
    Rule(
        name="handover-by-a-second-factor",
        severity="critical",
        level="mandatory",
        description="Whoever becomes the hand-over role shows a second factor (MFA).",
        rationale="Whoever steals a person's access key reads the keys that this person hands over.",
        fix='In the role\'s trust policy keep `"Bool": {"aws:MultiFactorAuthPresent": "true"}`, without `IfExists`.',
        source=_MFA,
        check=_by_two_factors,
        scope="resource",
    ),
    Rule(
        name="handover-in-ones-own-name",
        severity="high",
        level="mandatory",
        description="A user's session of the hand-over role bears the user's own name.",
        rationale="AWS's record of a read would name another person.",
        fix="Keep UsersBearTheirOwnName in components/iam/handover.py, for every user of the trust policy.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html",
        check=_by_name,
        scope="resource",
    ),
    Rule(
        name="handover-reads-current-pasted-keys",
        severity="critical",
        level="mandatory",
        description="The hand-over role reads the current key alone, of tenants with a consumer for whom a person "
        "pastes it.",
        rationale="A person could read keys that nobody has to paste, or old ones that still work.",
        fix=_FIX,
        source="https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html",
        check=_current_and_pasted,
    ),
    Rule(
        name="handover-told",
        severity="high",
        level="mandatory",
        description="An EventBridge rule notifies the alarms' topic of every use of the hand-over role.",
        rationale="Nobody notices that a person, or somebody with a person's devices, reads keys.",
        fix="Keep the rule and its target in components/handover.py.",
        source="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html",
        check=_told,
    ),
)
