"""A secret's resource policy denies everybody except the principals that it names.

Owns resource policies of secrets. Leaves out identity policies (`identity`), which those principals need as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from . import ownership
from .config import Config
from .iam.documents import NotKnownYet, Statement
from .iam.grants import GOVERN, READ, WRITE
from .iam.patterns import is_wild
from .iam.policy_holders import HeldDocument, documents, unread
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_functions import ADMIN_READERS, ADMIN_WRITERS, PROMOTERS, READERS, WRITERS
from .own_grants import OF_ONE_TENANT

_ARN: Final = "aws:principalarn"
_TAG: Final = "aws:principaltag/tenant"
_BUT: Final = ("stringnotequals", "arnnotequals", "stringnotlike", "arnnotlike")


@dataclass(frozen=True)
class SecretPolicy:
    """A resource policy, with the name and the owner of its secret, which may be in another stack."""

    held: HeldDocument
    name: str
    place: ownership.Place


def policies(stack: Stack) -> Iterator[SecretPolicy]:
    for held in documents(stack, "secret"):
        found = held.resource if held.resource.type == ownership.A_SECRET else None
        secret = found or ownership.secret_behind(stack, held.resource, "secretArn")
        name = secret.text("name") if isinstance(secret, Resource) else secret or ""
        place = ownership.place_of(name)
        if place is not None and not isinstance(held.trouble, NotKnownYet):
            yield SecretPolicy(held, name, place)


def _present(stack: Stack, _: Config) -> Iterator[Finding]:
    locked: set[str] = set()
    for policy in (one for one in stack if one.type == ownership.RESOURCE_POLICY):
        secret = ownership.secret_behind(stack, policy, "secretArn")
        if secret is None:
            yield unknown(policy, "secretArn")
        elif isinstance(secret, Resource):
            locked.add(secret.urn)
        name = secret.text("name") if isinstance(secret, Resource) else secret or ""
        if not ownership.named_like_ours(name):
            continue
        block = policy.get("blockPublicPolicy")
        if block is UNKNOWN:
            yield unknown(policy, "blockPublicPolicy")
        elif block is not True:
            yield violation(
                policy, "blockPublicPolicy", "blockPublicPolicy is not true, so AWS would accept a public policy"
            )
        if policy.get("policy") is UNKNOWN:
            yield unknown(policy, "policy")
        elif not policy.get("policy"):
            yield violation(policy, "policy", "the policy is empty")
    for secret in ownership.secrets(stack):
        if secret.urn not in locked:
            yield violation(secret, "", "the secret has no resource policy")


def _denied_to_others(stack: Stack, config: Config) -> Iterator[Finding]:
    for locked in policies(stack):
        held = locked.held
        if held.trouble is not None:
            yield unread(held)
            continue
        for statement in (one for one in held.statements if one.allows):
            message = f"{statement.called} is an Allow, which permissions boundaries do not limit"
            yield violation(held.resource, held.path, message)
        accounts: set[str] = set()
        for actions, what in ((READ, "read"), (WRITE, "written"), (GOVERN, "governed")):
            for action in actions:
                exempt = not_denied(held.statements, action)
                if exempt is None:
                    yield violation(held.resource, held.path, f"{action} is not denied to other principals")
                    continue
                accounts |= {found[0] for arn in exempt if (found := ownership.principal(arn))}
                if strangers := [arn for arn in exempt if not _may(what, arn, locked.place, config)]:
                    message = f"the secret may be {what} by {_shown(strangers)} ({action})"
                    yield violation(held.resource, held.path, message)
        if len(accounts) > 1:
            yield violation(held.resource, held.path, "principals of more than one account are not denied")


def _shown(arns: Sequence[str]) -> str:
    return ", ".join(sorted(arns)[:3])


def not_denied(statements: Sequence[Statement], action: str) -> frozenset[str] | None:
    """The ARNs to which `action` is not denied; None if it is denied to nobody."""
    left: frozenset[str] | None = None
    for statement in statements:
        if named := _all_but(statement, action):
            left = named if left is None else left & named
    return left


def _all_but(statement: Statement, action: str) -> frozenset[str]:
    """The ARNs that a denial of everybody exempts; empty for any other statement."""
    if statement.allows or not statement.names(action) or not _everybody(statement) or not _everything(statement):
        return frozenset()
    if len(statement.conditions) != 1:
        # With a second condition, whoever does not meet it is not denied.
        return frozenset()
    (condition,) = statement.conditions
    if condition.key != _ARN or condition.operator not in _BUT or condition.over:
        return frozenset()
    return frozenset(condition.values)


def _everybody(statement: Statement) -> bool:
    return not statement.but_principals and any("*" in named for named in statement.principals.values())


def _everything(statement: Statement) -> bool:
    return not statement.but_resources and "*" in statement.resources


def _may(what: str, arn: str, place: ownership.Place, config: Config) -> bool:
    if is_wild(arn) or ownership.principal(arn) is None:
        return False
    role = ownership.role_of(arn)
    if role is None:
        # Other principals than our roles never read; deployers govern and store.
        return what != "read" and (not config.deployers or arn in config.deployers)
    if role.cell != place.cell:
        return False
    if what == "governed" or role.kind == "deployer":
        return what == "governed" and role.kind == "deployer"
    if place.admin:
        return role.kind in (ADMIN_READERS if what == "read" else ADMIN_WRITERS)
    if role.kind == "dedicated":
        return what == "read" and role.tenant == place.tenant
    return role.kind in ({"runtime", "handover"} | READERS if what == "read" else {*WRITERS, *PROMOTERS})


def _as_its_tenant(stack: Stack, _: Config) -> Iterator[Finding]:
    for locked in policies(stack):
        if locked.place.admin:
            continue
        exempt = not_denied(locked.held.statements, READ[0]) or frozenset()
        for arn in sorted(exempt):
            role = ownership.role_of(arn)
            if role is None or role.kind not in OF_ONE_TENANT:
                continue
            tenant = locked.place.tenant
            for action in READ:
                if not any(denied_but_for(one, action, arn, _TAG, tenant) for one in locked.held.statements):
                    message = f"{action} is not denied to a {role.kind} session for another tenant"
                    yield violation(locked.held.resource, locked.held.path, message)


def denied_but_for(statement: Statement, action: str, arn: str, key: str, value: str) -> bool:
    """Whether the statement denies `action` to the reader `arn` unless the request's `key` is `value`."""
    if statement.allows or not statement.names(action) or not _everybody(statement) or not _everything(statement):
        return False
    by_key = [c for c in statement.on(key) if c.operator == "stringnotequals" and not c.over]
    others = [c for c in statement.conditions if c not in by_key]
    # Besides the key, the only allowed condition is the reader's ARN.
    reader = all(c.key == _ARN and c.operator in ("stringequals", "arnequals") and arn in c.values for c in others)
    return bool(by_key) and all(c.values == (value,) for c in by_key) and reader


_BLOCK: Final = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html"
_POLICY: Final = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html"

SECRET_POLICY_RULES: Final = (
    Rule(
        name="secret-has-its-policy",
        severity="critical",
        level="mandatory",
        description="Each of our secrets has a resource policy, and blocks public policies.",
        rationale="Without it, any identity policy of the account with `secretsmanager:*` allows reading the key.",
        fix="Create secrets with components/empty_secret.py, which attaches the policy and blocks public ones.",
        source=_BLOCK,
        check=_present,
    ),
    Rule(
        name="secret-shuts-out-all-but-named",
        severity="critical",
        level="mandatory",
        description="A secret's policy denies reading, writing and governing to everybody except the principals that "
        "need it.",
        rationale="Any other principal with a wide identity policy can read, replace or retag the key.",
        fix="Keep the documents in components/iam/resource.py: Deny, with `StringNotEquals` on "
        "`aws:PrincipalArn` and no other condition.",
        source=_POLICY,
        check=_denied_to_others,
        settings=("deployers",),
    ),
    Rule(
        name="secret-denies-other-tenants",
        severity="critical",
        level="mandatory",
        description="A tenant's secret denies the runtime's and a person's sessions for another tenant, or for none.",
        rationale="If the role's own policy has a mistake, one tenant's session can read another tenant's key.",
        fix="Keep RuntimeReadsAsThisTenantOnly in components/iam/resource.py.",
        source=_POLICY,
        check=_as_its_tenant,
    ),
)
