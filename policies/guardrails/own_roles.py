"""Our own roles may do what they need, and nothing else.

Owns the comparison of their documents with the table in `own_grants`, and their boundary. Leaves out their attached
policies (`own_attachments`) and who may assume them (`trust`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from . import ownership
from .config import Config
from .iam.documents import Statement
from .iam.patterns import covers, is_wild
from .iam.policy_holders import MANAGED_POLICY, HeldDocument, documents
from .intake_keys import VERIFY_MAC, on_intakes_key
from .model import UNKNOWN, Finding, Rule, Stack, unknown, violation
from .own_deployer import denies_values, deploys, states, unmet
from .own_deployer_grants import CONNECT, EVERYTHING, EVERYTHING_STATE, LOOKS, TENANTS, TENANTS_STATE, deployer_grants
from .own_grants import CRYPTOGRAPHY, OF_ONE_TENANT, PUT_METRIC_DATA, Grant, grants_of, secrets_of
from .via_service import through_secrets_manager

_TENANT: Final = "${aws:PrincipalTag/tenant}"
_TAGS: Final = ("secretsmanager:ResourceTag/tenant", "aws:ResourceTag/tenant")
"""Secrets Manager has a secret's tag under both keys.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html"""
_METRICS: Final = "MyFluxKeys"
_HOUR: Final = 3600
_STATES: Final = (TENANTS_STATE, EVERYTHING_STATE)
_MANAGED: Final = {
    "read": "runtime",
    "boundary": "boundary",
    "deployer-looks": LOOKS,
    "deployer-connect": CONNECT,
    **{f"deployer-{kind}": kind for kind in _STATES},
}
_PIPELINES: Final = (TENANTS, EVERYTHING, LOOKS, CONNECT, *_STATES)


def whose(held: HeldDocument) -> ownership.OurRole | None:
    """The role that a document is for: its holder, or, for the cell's managed policies, by their name."""
    if held.role is not None:
        return held.role
    named = ownership.CELLS_POLICY.fullmatch(held.owner) if isinstance(held.owner, str) else None
    if named is None or held.resource.type != MANAGED_POLICY:
        return None
    return ownership.OurRole(named["cell"], _MANAGED[named["kind"]])


def _narrow(stack: Stack, config: Config) -> Iterator[Finding]:
    for held in documents(stack, "identity"):
        role = whose(held)
        if role is None:
            if held.ours and held.statements:
                yield violation(
                    held.resource, held.path, "it has a name or a tag of ours, but is for none of our roles"
                )
            continue
        if role.kind == "deployer" and not denies_values(held.statements) and held.trouble is None:
            message = "does not deny secret values and other roles, though the role can change policies that allow them"
            yield violation(held.resource, held.path, message)
        kind = states(role.kind, role.cell, config) if role.kind in _STATES else role.kind
        if role.kind == "deployer":
            kind = deploys(held.resource.get("name"), role.cell, config)
        found = _wrong(held.statements, replace(role, kind=kind))
        # With an unknown name, the wider table may be the right one.
        hidden = kind == TENANTS and held.resource.get("name") is UNKNOWN
        if found and hidden and not _wrong(held.statements, replace(role, kind=EVERYTHING)):
            yield unknown(held.resource, "name")
            continue
        yield from (violation(held.resource, held.path, wrong) for wrong in found)


def _wrong(statements: Sequence[Statement], role: ownership.OurRole) -> list[str]:
    """What the statements allow beyond the table that `role.kind` names."""
    pipelines = role.kind in _PIPELINES
    allowed = deployer_grants(role.kind, role.cell) if pipelines else grants_of(role.kind, role.cell, role.tenant)
    found = [(one, _too_much(one, allowed, role)) for one in statements if one.allows]
    return [f"{one.called} {wrong}" for one, wrong in found if wrong]


def _too_much(statement: Statement, allowed: tuple[Grant, ...], role: ownership.OurRole) -> str:
    if statement.but_actions or statement.but_resources:
        return "uses NotAction or NotResource"
    for action in statement.actions:
        if is_wild(action):
            return f"allows actions with a wildcard, {action}"
        places = [grant.on for grant in allowed if action.lower() in grant.in_lower_case]
        if not places:
            return f"allows {action}, which {_called(role.kind)} does not need"
        for resource in statement.resources:
            if role.kind in _PIPELINES and _of_another_service(action, resource):
                continue
            if not any(covers(place, resource.replace(_TENANT, "*")) for place in places):
                return f"allows {action} on more resources than {_called(role.kind)} needs"
    if role.kind in _PIPELINES:
        return unmet(role.kind, role.cell, statement)
    if statement.names(PUT_METRIC_DATA) and not statement.demands("cloudwatch:namespace", _METRICS):
        return f"allows metrics of other namespaces than {_METRICS}"
    if statement.names(VERIFY_MAC) and not on_intakes_key(statement, role):
        return "allows kms:VerifyMac with other keys than those of connect"
    if any(statement.names(action) for action in CRYPTOGRAPHY) and not on_intakes_key(statement, role):
        return through_secrets_manager(statement, secrets_of(role.kind, role.cell, role.tenant or "*"))
    return ""


def _of_another_service(action: str, resource: str) -> bool:
    """Whether the action cannot be on the resource. A pipeline's policies list several services in one statement, to
    fit AWS's limits; the services of its tables have actions on their own resources only."""
    fields = resource.split(":")
    # A star in the partition also matches what follows it.
    if len(fields) < 6 or set("*?$") & set("".join(fields[:3])):
        return False
    return fields[0] == "arn" and fields[2].lower() != action.partition(":")[0].lower()


def _called(kind: str) -> str:
    if kind in (TENANTS, EVERYTHING, *_STATES):
        return f"a pipeline that deploys {kind.removesuffix('-state')}"
    if kind in _PIPELINES:
        return "what a pipeline reads back"
    return f"the {kind} role"


def _by_tag(stack: Stack, _: Config) -> Iterator[Finding]:
    for held in documents(stack, "identity"):
        role = whose(held)
        if role is None or role.kind not in OF_ONE_TENANT:
            continue
        tenant = role.tenant or _TENANT
        for statement in held.statements:
            if not statement.allows or not statement.can_name("secretsmanager:*"):
                continue
            where = f"/{tenant}/"
            if not all(where in resource for resource in statement.resources):
                yield violation(
                    held.resource, held.path, f"{statement.called} allows secrets whose name is not the tenant's"
                )
            if not any(statement.demands(tag, tenant) for tag in _TAGS):
                yield violation(
                    held.resource,
                    held.path,
                    f"{statement.called} does not compare the secret's tag with the session's tenant",
                )


def _bounded(stack: Stack, _: Config) -> Iterator[Finding]:
    for role in ownership.roles(stack):
        known = ownership.role_of(role.text("name"))
        if role.get("maxSessionDuration") is UNKNOWN:
            yield unknown(role, "maxSessionDuration")
        elif (role.number("maxSessionDuration") or 0) > _HOUR:
            yield violation(role, "maxSessionDuration", "sessions of the role may last longer than an hour")
        if known and known.kind == "deployer":
            # The cell's boundary allows nothing that a deployment needs. `own-roles-narrow` limits this role.
            continue
        value = role.get("permissionsBoundary")
        if value is UNKNOWN:
            found = ownership.comes_from(stack, role, "permissionsBoundary", MANAGED_POLICY)
            if len(found) != 1 or found[0].get("name") is UNKNOWN:
                yield unknown(role, "permissionsBoundary")
                continue
            value = "policy/" + found[0].text("name")
        cell = known.cell if known else "[a-z][a-z0-9-]*"
        if not isinstance(value, str) or not re.fullmatch(
            rf"(arn:[^:]*:iam::\d{{12}}:)?policy/myflux-{cell}-boundary", value
        ):
            yield violation(role, "permissionsBoundary", "the role does not have the cell's permissions boundary")


OWN_ROLE_RULES: Final = (
    Rule(
        name="own-roles-narrow",
        severity="critical",
        level="mandatory",
        description="Our roles may do only what they need, on their own cell's resources, without wildcards in "
        "actions.",
        rationale="Through a flaw in a function or a stolen session, an attacker can do what the role may do: read "
        "another cell's secrets, assume another role, or use a KMS key outside Secrets Manager.",
        fix="In components/, grant the action on the narrowest resource. If a role really needs more, add it to "
        "policies/guardrails/own_grants.py (own_deployer_grants.py for a pipeline), where a reviewer sees it.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
        check=_narrow,
        scope="resource",
        settings=("tenants_pipelines",),
    ),
    Rule(
        name="runtime-reads-by-tag",
        severity="critical",
        level="mandatory",
        description="The runtime, and people who hand keys over, may read a secret only if its name and its tag have "
        "the session's tenant.",
        rationale="A session for one tenant can read the keys of all tenants.",
        fix="Use `${aws:PrincipalTag/tenant}` in the resource, and compare the secret's tag with it.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/introduction_attribute-based-access-control.html",
        check=_by_tag,
        scope="resource",
    ),
    Rule(
        name="own-roles-bounded",
        severity="high",
        level="mandatory",
        description="Our roles have sessions of at most an hour, and, except a pipeline's, the cell's permissions "
        "boundary.",
        rationale="Whoever may add a policy to a role without a boundary can make it an administrator.",
        fix="Set `permissions_boundary` to the cell's boundary policy.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
        check=_bounded,
    ),
)
