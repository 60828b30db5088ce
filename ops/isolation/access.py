"""Calculates the access matrix of a cell: its principals, and what the model allows each of them.

The matrix holds the decisions of Secrets Manager. Reading also needs the right to decrypt with the secret's KMS key, so
nobody can read more than this.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from myflux_keys.names import PLATFORM_TENANT, TAG_TENANT
from myflux_keys.version_labels import CURRENT
from ops.isolation.bootstrapped import by_bootstrap
from ops.isolation.concrete import ISSUE, Somebody, decided, obtains
from ops.isolation.decision import covers
from ops.isolation.deployment import Deployment, Resource, Role, Secret, read
from ops.isolation.grants import GROUPS, Grant, Matrix, Principal
from ops.isolation.policy import parse
from ops.isolation.terms import OWNER, CannotJudgeError
from tenancy import Cell

ADMIN_KEY: Final = "admin key"
ALIKE: Final = 2
"""The matrix shows so many tenants with the same documents: enough to see that each reads only its own secret."""

_ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_EVERY_RIGHT: Final = (("every right", json.dumps(_ANYTHING)),)
"""The policy that the model assumes for a person, who really has at most these rights."""


def matrix(resources: Iterable[Resource], cell: Cell) -> Matrix:
    """For the cell whose platform's and tenants' stacks register `resources`.

    Where documents are missing, or the model cannot express them exactly, the matrix holds only the reason.
    """
    try:
        return _matrix(read(resources, by_bootstrap(cell)), cell)
    except CannotJudgeError as error:
        return Matrix(cell.cell, (), (), frozenset(), unread=str(error))


def _matrix(deployment: Deployment, cell: Cell) -> Matrix:
    without_key = {tenant: one for one in deployment.identities for tenant in sorted(one.tenants)[:ALIKE]}
    alike = {tenant: len(one.tenants) for tenant, one in without_key.items()}
    alike |= {tenant: len(shape.tenants) for shape in deployment.shapes for tenant in shape.tenants[:ALIKE]}
    rows = list(_rows(deployment, cell, sorted(alike)))
    secrets = columns(deployment, alike)
    tokens = {f"{tenant}'s token": tenant for tenant in sorted(without_key)}
    return Matrix(
        cell=cell.cell,
        principals=tuple(principal for principal, _ in rows),
        secrets=tuple(secrets),
        grants=frozenset(
            grant
            for principal, who in rows
            for label, secret in secrets.items()
            for grant in _grants(principal.label, who, label, secret)
        )
        | frozenset(
            Grant(principal.label, label, ISSUE, certain=may is True)
            for principal, who in rows
            for label, tenant in tokens.items()
            if (may := obtains(who, without_key[tenant], tenant)) is not False
        ),
        tokens=tuple(tokens),
        alike=tuple((tenant, count) for tenant, count in sorted(alike.items()) if count > ALIKE),
    )


def columns(deployment: Deployment, tenants: Container[str]) -> dict[str, Secret]:
    """By label: those of `tenants`, the cell's admin key, and one of each kind of admin key that customers give."""
    secrets = {secret.tenant: secret for secret in deployment.tenants if secret.tenant in tenants}
    secrets[ADMIN_KEY] = deployment.admin
    for number, secret in enumerate(deployment.customer_admins, start=1):
        secrets["a customer's admin key" + (f" {number}" if number > 1 else "")] = _of_a_customer(secret)
    return secrets


def _of_a_customer(secret: Secret) -> Secret:
    """A generalized secret, as the secret of a tenant named `customer`."""

    def put(text: str) -> str:
        return text.replace(OWNER, "customer")

    tags = tuple((name, put(value)) for name, value in secret.tags)
    return replace(secret, name=put(secret.name), arn=put(secret.arn), policy=put(secret.policy), tags=tags)


def somebody(deployment: Deployment, principal: Principal) -> Somebody:
    """The row's caller, with its policies: a role's own, or every right."""
    role = deployment.roles.get(principal.arn)
    if role is None:
        return Somebody(principal.arn, _EVERY_RIGHT, tag=principal.tag)
    tag = principal.tag or dict(role.tags).get(TAG_TENANT)
    stage = CURRENT if principal.kind == "handover" else ""
    return Somebody(role.arn, role.policies, role.boundary, tag, stage)


def _rows(deployment: Deployment, cell: Cell, tenants: Sequence[str]) -> Iterator[tuple[Principal, Somebody]]:
    for principal in _principals(deployment, cell, tenants):
        yield principal, somebody(deployment, principal)


def _principals(deployment: Deployment, cell: Cell, tenants: Sequence[str]) -> Iterator[Principal]:
    names = cell.names
    runtime = names.runtime_role_arn
    for tenant in tenants:
        yield Principal(f"runtime as {tenant}", "runtime", runtime, tenant)
    yield Principal("runtime, untagged", "runtime", runtime)
    roles = sorted(deployment.roles.values(), key=lambda role: role.name)
    for role in roles:
        if role.tenant in tenants:
            yield Principal(f"{role.tenant}'s own role", "runtime", role.arn, role.tenant)
    people = names.handover_role_arn
    if people in deployment.roles:
        for tenant in tenants:
            yield Principal(f"hand-over as {tenant}", "handover", people, tenant)
    for role in roles:
        if role.arn not in (runtime, people) and role.tenant == PLATFORM_TENANT:
            yield Principal(_function(role, cell), "function", role.arn)
    for arn in cell.deployers:
        alone = len(cell.deployers) == 1
        yield Principal("deployer" if alone else f"deployer {arn.rpartition('/')[2]}", "person", arn)
    yield Principal("administrator", "person", f"arn:{names.partition}:iam::{cell.account_id}:role/administrator")
    another = "999999999999" if cell.account_id != "999999999999" else "888888888888"
    yield Principal("admin of another account", "person", f"arn:{names.partition}:iam::{another}:role/administrator")


def _function(role: Role, cell: Cell) -> str:
    return role.name.removeprefix(f"myflux-{cell.cell}-")


@lru_cache(maxsize=4096)
def _grants(principal: str, who: Somebody, label: str, secret: Secret) -> tuple[Grant, ...]:
    """Cached, since a review asks for two matrices, of which most rows are the same."""
    statements = [
        statement
        for name, document in (
            *who.policies,
            (f"boundary of {who.arn}", who.boundary or "{}"),
            (f"policy of {secret.name}", secret.policy),
        )
        for statement in parse(name, document).statements
    ]
    # Only the statements that cover an action decide it: actions with the same statements share an answer.
    known: dict[tuple[bool, ...], bool | None] = {}
    grants: list[Grant] = []
    for action in (action for group in GROUPS.values() for action in group):
        asked = f"secretsmanager:{action}"
        covering = tuple(covers(statement, asked) for statement in statements)
        if covering not in known:
            known[covering] = decided(who, asked, secret)
        if known[covering] is not False:
            grants.append(Grant(principal, label, action, certain=known[covering] is True))
    return tuple(grants)
