"""Who may become a role of ours.

Owns trust policies, and conditions anywhere in our documents that hold of a request which lacks what they ask for.
Leaves out what a role may do (`own_roles`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .iam.documents import Condition, Statement
from .iam.patterns import covers, is_wild
from .iam.policy_holders import Held, documents
from .model import Finding, Rule, Stack, violation
from .own_deployer import deploys, rotated_by_ours
from .own_deployer_grants import rotators
from .own_roles import whose

_TAG: Final = "aws:requesttag/tenant"
_TAG_KEYS: Final = "aws:tagkeys"
_AUDIENCE: Final = "sts.amazonaws.com"
_GITHUB: Final = "token.actions.githubusercontent.com"
_NAME: Final = r"[A-Za-z0-9_.-]+"
_REPOSITORY: Final = re.compile(rf"repo:{_NAME}/{_NAME}:.+|repo:{_NAME}@[1-9][0-9]*/{_NAME}@[1-9][0-9]*:.+", re.ASCII)
"""How GitHub's subjects start: with the ids of owner and repository, or with neither."""
_PROVIDER: Final = "arn:~:iam::~:oidc-provider/*"
_ASSUME: Final = frozenset({"sts:assumerole", "sts:tagsession"})


def _trusted(stack: Stack) -> Iterator[tuple[Held, ownership.OurRole | None, Statement]]:
    for held in documents(stack, "trust"):
        if held.ours:
            yield from ((held, held.role, statement) for statement in held.statements if statement.allows)


def _names_principals(stack: Stack, config: Config) -> Iterator[Finding]:
    for held, role, statement in _trusted(stack):
        if wrong := _principals(statement, role, config):
            yield violation(held.resource, held.path, f"{statement.sid or 'a statement'} {wrong}")


def _principals(statement: Statement, role: ownership.OurRole | None, config: Config) -> str:
    if role is None:
        return "lets somebody become a role that is named like ours and is none of them"
    if statement.but_principals or statement.but_actions:
        return "trusts everybody but those it names"
    if role.kind == "deployer":
        return _one_job(statement, config)
    if strange := [action for action in statement.actions if action.lower() not in _ASSUME]:
        return f"allows {strange[0]} where only AssumeRole and TagSession are meant"
    if role.kind not in ("runtime", "dedicated"):
        lambda_alone = {"Service": ("lambda.amazonaws.com",)}
        return "" if statement.principals == lambda_alone else "trusts others than Lambda with a function's role"
    if set(statement.principals) != {"AWS"}:
        return "trusts others than users and roles that are named"
    wide = [arn for arn in statement.principals["AWS"] if is_wild(arn) or ownership.principal(arn) is None]
    if wide:
        return "trusts a whole account or a pattern instead of a user or role"
    if any(ownership.role_of(arn) for arn in statement.principals["AWS"]):
        return "trusts another role of ours"
    if config.runtime_principals and set(statement.principals["AWS"]) - set(config.runtime_principals):
        return "trusts somebody who is none of the runtime's principals"
    return ""


def _one_job(statement: Statement, config: Config) -> str:
    """A pipeline's: one job of one provider, by what its token says, whole."""
    if [action.lower() for action in statement.actions] != ["sts:assumerolewithwebidentity"]:
        return "lets a pipeline's role be assumed by others than a job with its token"
    named = statement.principals.get("Federated", ())
    if set(statement.principals) != {"Federated"} or len(named) != 1 or is_wild(named[0]):
        return "trusts others than one OIDC provider with a pipeline's role"
    if not covers(_PROVIDER, named[0]):
        return "trusts others than one OIDC provider with a pipeline's role"
    issuer = named[0].partition(":oidc-provider/")[2]
    missing = [claim for claim in ("aud", "sub") if not any(map(_whole, statement.on(f"{issuer}:{claim}")))]
    if missing:
        return f"lets in any job whose token has another {missing[0]}: it must be equal to one"
    if not statement.demands(f"{issuer}:aud", _AUDIENCE):
        return "lets in tokens that were made for somebody else than AWS, who could use them here"
    jobs = [f"{issuer} {c.values[0]}" for c in statement.on(f"{issuer}:sub") if _whole(c)]
    if issuer == _GITHUB and not all(_REPOSITORY.fullmatch(job.partition(" ")[2]) for job in jobs):
        return "names no one repository of GitHub's: repo:OWNER/NAME, or repo:OWNER@ID/NAME@ID with both ids"
    if config.pipeline_jobs and not set(jobs) <= set(config.pipeline_jobs):
        return "lets in another job than the cell's pipeline"
    return ""


def _whole(condition: Condition) -> bool:
    exact = condition.operator == "stringequals" and not condition.over and not condition.passes_when_absent
    # StringEquals takes a star for itself: whoever wrote one meant a pattern. A variable is whatever the token says.
    return exact and len(condition.values) == 1 and not is_wild(condition.values[0]) and "${" not in condition.values[0]


def _demands_tenant(stack: Stack, _: Config) -> Iterator[Finding]:
    for held, role, statement in _trusted(stack):
        if role is None or role.kind not in ("runtime", "dedicated"):
            continue
        if not any(_present(condition) for condition in statement.on(_TAG)):
            yield violation(held.resource, held.path, "a session without the tag `tenant` is let in")
        elif not _one_tenant(statement, role):
            yield violation(held.resource, held.path, "a session may be tagged as another than one tenant of this role")
        keys = [c for c in statement.on(_TAG_KEYS) if c.over == "forallvalues" and c.operator == "stringequals"]
        if not any(c.values == ("tenant",) for c in keys):
            yield violation(held.resource, held.path, "a session may carry tags besides `tenant`")


def _present(condition: Condition) -> bool:
    """Whether the condition fails for a request without the tag."""
    return condition.demands_presence


def _one_tenant(statement: Statement, role: ownership.OurRole) -> bool:
    if role.tenant:
        return statement.demands(_TAG, role.tenant)
    conditions = statement.on(_TAG)
    # Tenants' slugs start with a letter: what starts with an underscore is the platform.
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
                        f"{statement.sid or 'a statement'} holds for a request without {condition.key}: "
                        f"{condition.over or condition.operator}{' …IfExists' if condition.if_exists else ''}"
                    )
                    yield violation(held.resource, held.path, message)


def _demanded(statement: Statement, key: str) -> bool:
    """Whether another condition fails where `key` is absent. A tag that is demanded makes a list of tags' names."""
    keys = [c.key for c in statement.conditions if c.demands_presence]
    return key in keys or (key == _TAG_KEYS and any(one.startswith("aws:requesttag/") for one in keys))


_TRUST: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html"

TRUST_RULES: Final = (
    Rule(
        name="trust-names-its-principals",
        severity="critical",
        level="mandatory",
        description="Who may become a role of ours is named: users and roles for the runtime, Lambda for a function, "
        "one job for a pipeline's.",
        rationale="Anybody whom the wildcard or the account takes in becomes the role, and reads what it reads.",
        fix="List `runtime_principals` in the cell's file by full ARN.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
        check=_names_principals,
        scope="resource",
        settings=("runtime_principals", "pipeline_jobs"),
    ),
    Rule(
        name="trust-demands-the-tenant",
        severity="critical",
        level="mandatory",
        description="A session of the runtime is tagged with one tenant, and with nothing else.",
        rationale="A session without the tag, or tagged as it likes, slips past rules that compare tags.",
        fix="Demand `aws:RequestTag/tenant` by a condition that fails without it, and allow no other tag.",
        source=_TRUST,
        check=_demands_tenant,
        scope="resource",
    ),
    Rule(
        name="no-condition-that-passes-on-nothing",
        severity="high",
        level="mandatory",
        description="No condition of an Allow of ours holds for a request that lacks what it asks for.",
        rationale="Leaving the key out of a request, which its sender can, is enough to be let in.",
        fix="Use the operator without `IfExists` or `ForAllValues`, or add `Null: {key: false}`.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html",
        check=_no_open_conditions,
        scope="resource",
        settings=("tenants_pipelines",),
    ),
)
