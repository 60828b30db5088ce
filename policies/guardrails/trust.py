"""Who may assume our roles.

Owns trust policies, and conditions in all our documents that also hold if their key is missing from the request. Leaves
out what a role may do (`own_roles`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .iam.documents import Condition, Statement
from .iam.patterns import covers, is_wild
from .iam.policy_holders import HeldDocument, documents
from .model import Finding, Rule, Stack, violation
from .own_deployer import deploys, rotated_by_ours
from .own_deployer_grants import rotators
from .own_functions import BECOME_RUNTIME
from .own_grants import OF_ONE_TENANT
from .own_roles import whose

_TAG: Final = "aws:requesttag/tenant"
_TAG_KEYS: Final = "aws:tagkeys"
_AUDIENCE: Final = "sts.amazonaws.com"
_GITHUB: Final = "token.actions.githubusercontent.com"
_NAME: Final = r"[A-Za-z0-9_.-]+"
_REPOSITORY: Final = re.compile(rf"repo:{_NAME}/{_NAME}:.+|repo:{_NAME}@[1-9][0-9]*/{_NAME}@[1-9][0-9]*:.+", re.ASCII)
"""The start of GitHub's subjects: with the ids of both owner and repository, or without ids."""
_PROVIDER: Final = "arn:~:iam::~:oidc-provider/*"
_ASSUME: Final = frozenset({"sts:assumerole", "sts:tagsession"})


def _trusted(stack: Stack) -> Iterator[tuple[HeldDocument, ownership.OurRole | None, Statement]]:
    for held in documents(stack, "trust"):
        if held.ours:
            yield from ((held, held.role, statement) for statement in held.statements if statement.allows)


def _names_principals(stack: Stack, config: Config) -> Iterator[Finding]:
    for held, role, statement in _trusted(stack):
        if wrong := _principals(statement, role, config):
            yield violation(held.resource, held.path, f"{statement.called} {wrong}")


def _principals(statement: Statement, role: ownership.OurRole | None, config: Config) -> str:
    if role is None:
        return "is the trust policy of a role that is named like ours, but is none of them"
    if statement.but_principals or statement.but_actions:
        return "uses NotPrincipal or NotAction"
    if role.kind == "deployer":
        return _one_job(statement, config)
    if strange := [action for action in statement.actions if action.lower() not in _ASSUME]:
        return f"allows {strange[0]}; only sts:AssumeRole and sts:TagSession are allowed"
    if role.kind not in OF_ONE_TENANT:
        only_lambda = {"Service": ("lambda.amazonaws.com",)}
        return "" if statement.principals == only_lambda else "trusts others than Lambda with a function's role"
    if set(statement.principals) != {"AWS"}:
        return "trusts other principals than IAM users and roles"
    wide = [arn for arn in statement.principals["AWS"] if is_wild(arn) or ownership.principal(arn) is None]
    if wide:
        return "trusts a whole account or a pattern instead of full ARNs"
    others = [arn for arn in statement.principals["AWS"] if not _becomes_runtime(arn, role)]
    if any(ownership.role_of(arn) for arn in others):
        return "trusts another role of ours"
    named = "handover_principals" if role.kind == "handover" else "runtime_principals"
    trusted: tuple[str, ...] = getattr(config, named)
    if trusted and set(others) - set(trusted):
        return f"trusts a principal that is not in {named}"
    return ""


def _becomes_runtime(arn: str, role: ownership.OurRole) -> bool:
    caller = ownership.role_of(arn)
    return role.kind == "runtime" and caller is not None and caller.cell == role.cell and caller.kind in BECOME_RUNTIME


def _one_job(statement: Statement, config: Config) -> str:
    """What is wrong with a pipeline's trust, which must be one job of one OIDC provider, by exact claims; empty if
    nothing."""
    if [action.lower() for action in statement.actions] != ["sts:assumerolewithwebidentity"]:
        return "allows other actions than sts:AssumeRoleWithWebIdentity for a pipeline's role"
    named = statement.principals.get("Federated", ())
    if set(statement.principals) != {"Federated"} or len(named) != 1 or is_wild(named[0]):
        return "trusts others than one OIDC provider with a pipeline's role"
    if not covers(_PROVIDER, named[0]):
        return "trusts others than one OIDC provider with a pipeline's role"
    issuer = named[0].partition(":oidc-provider/")[2]
    missing = [claim for claim in ("aud", "sub") if not any(map(_is_exact, statement.on(f"{issuer}:{claim}")))]
    if missing:
        return f"does not require one exact value of the token's claim {missing[0]}"
    if not statement.demands(f"{issuer}:aud", _AUDIENCE):
        return f"accepts tokens of another audience than {_AUDIENCE}"
    jobs = [f"{issuer} {c.values[0]}" for c in statement.on(f"{issuer}:sub") if _is_exact(c)]
    if issuer == _GITHUB and not all(_REPOSITORY.fullmatch(job.partition(" ")[2]) for job in jobs):
        return "does not name one GitHub repository: repo:OWNER/NAME, or repo:OWNER@ID/NAME@ID with both ids"
    if config.pipeline_jobs and not set(jobs) <= set(config.pipeline_jobs):
        return "trusts another job than the cell's pipeline"
    return ""


def _is_exact(condition: Condition) -> bool:
    exact = condition.operator == "stringequals" and not condition.over and not condition.passes_when_absent
    # In StringEquals a star is no wildcard, so a star there is a mistake. A variable depends on the request.
    return exact and len(condition.values) == 1 and not is_wild(condition.values[0]) and "${" not in condition.values[0]


def _demands_tenant(stack: Stack, _: Config) -> Iterator[Finding]:
    for held, role, statement in _trusted(stack):
        if role is None or role.kind not in OF_ONE_TENANT:
            continue
        if not any(_present(condition) for condition in statement.on(_TAG)):
            yield violation(held.resource, held.path, "a session without the tag `tenant` is allowed")
        elif not _one_tenant(statement, role):
            yield violation(
                held.resource, held.path, "a session may have a tenant tag that is not a tenant of this role"
            )
        keys = [c for c in statement.on(_TAG_KEYS) if c.over == "forallvalues" and c.operator == "stringequals"]
        if not any(c.values == ("tenant",) for c in keys):
            yield violation(held.resource, held.path, "a session may have other tags than `tenant`")


def _present(condition: Condition) -> bool:
    """Whether the condition fails for a request without the tag."""
    return condition.demands_presence


def _one_tenant(statement: Statement, role: ownership.OurRole) -> bool:
    if role.tenant:
        return statement.demands(_TAG, role.tenant)
    conditions = statement.on(_TAG)
    # Tenants' slugs start with a letter; a value that starts with an underscore is the platform's.
    refused = [c for c in conditions if c.operator == "stringnotlike" and not c.over and "_*" in c.values]
    filled = [c for c in conditions if c.operator == "stringlike" and c.values == ("?*",) and _present(c)]
    return bool(refused and filled)


def _no_open_conditions(stack: Stack, config: Config) -> Iterator[Finding]:
    for held in documents(stack, "identity", "trust", "key", "topic", "queue"):
        role = whose(held)
        if not held.ours and role is None:
            continue
        pipelines = role is not None and role.kind == "deployer"
        mine = rotators(deploys(held.resource.get("name"), role.cell, config), role.cell) if role and pipelines else ()
        for statement in held.statements:
            for condition in statement.conditions:
                if pipelines and rotated_by_ours(statement, condition, mine):
                    continue
                if statement.allows and condition.passes_when_absent and not _demanded(statement, condition.key):
                    message = (
                        f"{statement.called} also applies to a request without {condition.key}: "
                        f"{condition.over or condition.operator}{' …IfExists' if condition.if_exists else ''}"
                    )
                    yield violation(held.resource, held.path, message)


def _demanded(statement: Statement, key: str) -> bool:
    """Whether another condition fails if `key` is missing. A required tag implies that aws:TagKeys is present."""
    keys = [c.key for c in statement.conditions if c.demands_presence]
    return key in keys or (key == _TAG_KEYS and any(one.startswith("aws:requesttag/") for one in keys))


_TRUST: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html"

TRUST_RULES: Final = (
    Rule(
        name="trust-names-its-principals",
        severity="critical",
        level="mandatory",
        description="Our roles trust only named principals: IAM users and roles for the runtime, a tenant's own role "
        "and the hand-over role, Lambda for a function, one job for a pipeline. Of our own roles only the health "
        "function's may become the runtime.",
        rationale="Any principal that the wildcard or the account includes can assume the role and read what it may "
        "read.",
        fix="In the cell's file, list `runtime_principals`, and `principals` of `handover`, by full ARN.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
        check=_names_principals,
        scope="resource",
        settings=("runtime_principals", "handover_principals", "pipeline_jobs"),
    ),
    Rule(
        name="trust-demands-the-tenant",
        severity="critical",
        level="mandatory",
        description="A session of the runtime, a tenant's own or the hand-over role has the tag of exactly one "
        "tenant, and no other tags.",
        rationale="Policies that compare tags do not stop a session without the tag, or with tags of its own choice.",
        fix="Require `aws:RequestTag/tenant` with a condition that fails without it, and allow no other tag.",
        source=_TRUST,
        check=_demands_tenant,
        scope="resource",
    ),
    Rule(
        name="no-condition-that-passes-on-nothing",
        severity="high",
        level="mandatory",
        description="No condition of our Allow statements holds if its key is missing from the request, except a "
        "pipeline's for the function that rotates.",
        rationale="An attacker only has to leave the key out of the request.",
        fix="Use the operator without `IfExists` or `ForAllValues`, or add `Null: {key: false}`.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
        check=_no_open_conditions,
        scope="resource",
        settings=("tenants_pipelines",),
    ),
)
