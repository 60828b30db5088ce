"""Requests that must fail, one by one: who tries what on which secret, role or key of a cell.

Owns the pairs of caller and resource. Leaves out the claims that use them (`claims`). The lists of actions are written
here and not read from a policy, so that an action that a policy does not deny is still tried.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import z3

from components.iam.resource import reads_denied
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import ADMIN_ROTATION, ALL_FUNCTIONS, FUNCTIONS, PROMOTER, ROTATION, CellFunction
from myflux_keys.names import PLATFORM_TENANT
from ops.isolation import requests
from ops.isolation.decision import Caller, Lock, Request, allowed, deciding
from ops.isolation.deployment import Deployment, Role, Secret, Shape
from ops.isolation.requests import Session, Tags, a_role, anybody, is_slug, is_somebody, on_key, on_secret, put_arn
from ops.isolation.terms import OWNER, TRUE, Formula, Keys, Term, Text, matches
from tenancy import Cell

_SERVICE: Final = "secretsmanager:"
READ: Final = ("GetSecretValue", "BatchGetSecretValue")
WRITE: Final = ("PutSecretValue", "UpdateSecretVersionStage")
GOVERN: Final = (
    "CancelRotateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "PutResourcePolicy",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "RotateSecret",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
)


@dataclass(frozen=True)
class Attempt:
    """`fails` is the formula that must be impossible. `who` names the caller for a person; where it is empty, the name
    comes from the model."""

    fails: Formula
    caller: Caller
    request: Request
    lock: Lock
    who: str = ""
    session: Session | None = None
    owner: Term | None = None


@dataclass(frozen=True)
class About:
    """What the claims are about."""

    deployment: Deployment
    cell: Cell
    owner: Term = field(default_factory=lambda: z3.String("owner"))
    """The tenant that generalized documents speak of: any, unless it is a text."""

    @property
    def names(self) -> CellNames:
        return self.cell.names

    @property
    def admins(self) -> Sequence[Secret]:
        return [self.deployment.admin, *self.deployment.customer_admins]

    def reader(self, shape: Shape) -> Role:
        return shape.role or self.deployment.roles[self.names.runtime_role_arn]

    @property
    def functions(self) -> set[str]:
        return self.roles(*(ALL_FUNCTIONS if self.cell.connect.enabled else FUNCTIONS))

    def roles(self, *functions: CellFunction) -> set[str]:
        """ARNs."""
        return {self.names.function_role_arn(one) for one in functions}


def owner_of(about: About, secret: Secret) -> tuple[Term | None, Formula]:
    if OWNER not in secret.name:
        return None, requests.six_drawn(secret)
    return about.owner, z3.And(is_slug(about.owner), requests.six_drawn(secret))


def on(
    about: About,
    secret: Secret,
    action: str,
    caller: Caller,
    who: str,
    session: Session | None,
    more: Keys,
    bad: Formula = TRUE,
) -> Attempt:
    owner, assumed = owner_of(about, secret)
    request, lock = on_secret(_SERVICE + action, secret, owner, caller, more)
    return Attempt(z3.And(assumed, bad, allowed(caller, request, lock)), caller, request, lock, who, session, owner)


def across(about: About, shape: Shape) -> Iterator[Attempt]:
    owner, _ = owner_of(about, shape.secret)
    session = Session("the session")
    runtime = about.deployment.roles[about.names.runtime_role_arn]
    right = z3.And(session.tagged, session.tenant == owner) if shape.role is None else z3.BoolVal(False)
    for action in READ:
        caller, more = a_role(runtime), session.keys(runtime)
        yield on(about, shape.secret, action, caller, "the runtime", session, more, bad=z3.Not(right))
    for other in about.deployment.shapes:
        if other.role is None:
            continue
        dedicated = z3.String("tenant of the dedicated role")
        apart = z3.And(is_slug(dedicated), dedicated != owner)
        for action in READ:
            caller = a_role(other.role, dedicated)
            who = "another tenant's dedicated role"
            yield on(about, shape.secret, action, caller, who, session, session.keys(other.role), bad=apart)


def others(
    about: About, secret: Secret, actions: Iterable[str], roles: set[str], people: Sequence[str] = ()
) -> Iterator[Attempt]:
    """Every role of the cell but `roles`, and everybody else but `people`."""
    owner, _ = owner_of(about, secret)
    lock = requests.lock_on(secret, owner)
    # z3 makes formulas slowly, and most actions share theirs with another.
    made: dict[tuple[str, tuple[bool, ...]], Attempt] = {}
    callers = list(_others(about, owner, roles, people))
    for action in actions:
        for caller, who, session, role, bad in callers:
            same = (who, deciding(caller, lock, _SERVICE + action))
            if same not in made:
                made[same] = on(about, secret, action, caller, who, session, session.keys(role), bad)
            yield replace(made[same], request=replace(made[same].request, action=_SERVICE + action))


def _others(
    about: About, owner: Term | None, roles: set[str], people: Sequence[str]
) -> Iterator[tuple[Caller, str, Session, Role | None, Formula]]:
    for role in about.deployment.roles.values():
        if role.arn not in roles and role.arn not in people:
            # A tenant's own role is tried on every tenant's secret but that tenant's, of which other claims speak.
            another = TRUE if owner is None or role.tenant == PLATFORM_TENANT else owner != role.tenant
            yield a_role(role), f"role {role.name}", Session("the session"), role, another
    caller = anybody()
    yield caller, "", Session("the caller"), None, _stranger(about, caller, owner, people)


def _stranger(about: About, caller: Caller, owner: Term | None, people: Sequence[str] = ()) -> Formula:
    """Not a role of the cell, not the tenant's own role, and not one of `people`."""
    own = [put_arn(s.role.arn, owner) for s in about.deployment.shapes if s.role and owner is not None]
    return is_somebody(caller, [*people, *own, *about.deployment.roles])


def reading(about: About, shape: Shape) -> Iterator[Attempt]:
    names = about.names
    readers = about.roles(*(one for one in FUNCTIONS if one.tenants != "none"))
    if shape.role is None:
        readers.add(names.runtime_role_arn)
    if about.cell.handover is not None:
        # What it reads has a claim of its own.
        readers.add(names.handover_role_arn)
    return others(about, shape.secret, READ, readers)


def storing(about: About) -> Iterator[Attempt]:
    writers = about.roles(ADMIN_ROTATION)
    for secret in about.admins:
        yield from others(about, secret, WRITE, writers, about.cell.deployers)


def writing(about: About, shape: Shape) -> Iterator[Attempt]:
    managed = any(secret.managed for secret in about.deployment.tenants if secret.tenant in shape.tenants)
    promoters = (PROMOTER,) if about.cell.connect.enabled else ()
    roles = about.roles(ROTATION) if managed else about.roles(*promoters)
    people = () if managed else about.cell.deployers
    return others(about, shape.secret, WRITE, roles, people)


def runtimes(about: About) -> Iterator[tuple[Role, Term | None]]:
    yield about.deployment.roles[about.names.runtime_role_arn], None
    for shape in about.deployment.shapes:
        if shape.role is not None:
            yield shape.role, about.owner


def becoming(about: About, role: Role, owner: Term | None) -> Iterator[Attempt]:
    tags = Tags()
    caller = anybody()
    becomes, request, lock = requests.assumption(role, owner, caller, tags)
    assumed = becomes if owner is None else z3.And(is_slug(owner), becomes)
    watchers = about.roles(*(one for one in FUNCTIONS if one.watches)) if about.cell.federation.enabled else ()
    named = [*about.cell.runtime_principals, *(sorted(watchers) if owner is None else ())]
    stranger = is_somebody(caller, named)
    yield Attempt(z3.And(assumed, stranger), caller, request, lock, owner=owner)
    badly = z3.And(assumed, is_somebody(caller, ()), z3.Not(fits(tags, owner)))
    yield Attempt(badly, caller, request, lock, owner=owner)


def fits(tags: Tags, owner: Term | None = None) -> Formula:
    """One tag, which is a tenant's: the owner's, if there is one."""
    one = z3.And(tags.has_tenant, z3.Not(tags.has_other))
    if owner is not None:
        return z3.And(one, tags.tenant == owner)
    return z3.And(one, z3.Not(z3.Or(tags.tenant == "", z3.PrefixOf("_", tags.tenant))))


def becoming_function(role: Role | None) -> Iterator[Attempt]:
    if role is not None:
        caller = anybody()
        becomes, request, lock = requests.assumption(role, None, caller, Tags())
        yield Attempt(z3.And(becomes, is_somebody(caller, ())), caller, request, lock)


def keys(about: About) -> Iterator[tuple[Secret, Term | None]]:
    admin = about.deployment.admin
    yield admin, None
    for shape in about.deployment.shapes:
        if shape.secret.kms_arn != admin.kms_arn and shape.secret.kms_policy:
            yield shape.secret, about.owner


def decrypting(about: About, secret: Secret, owner: Term | None) -> Iterator[Attempt]:
    """Decryption with the key of `secret`: the cell's, or a dedicated tenant's."""
    names = about.names
    service = f"secretsmanager.{names.region}.amazonaws.com"
    secrets = names.secrets_arn_patterns if owner is None else (names.tenant(OWNER).secret_arn_pattern,)
    slug = TRUE if owner is None else is_slug(owner)
    for caller, who, somebody in _callers(about, owner):
        request, lock, left = on_key("kms:Decrypt", secret.kms_arn, secret.kms_policy, owner, caller)
        ours = z3.Or(*[matches(pattern, left.context, {}, owner) for pattern in secrets])
        fine = [left.goes_through, left.through == service, left.has_context, ours]
        if not who:
            fine.append(z3.Or(*[caller.arn.term == deployer for deployer in about.cell.governors]))
        decrypts = allowed(caller, request, lock)
        # One by one: of all of them at once the solver can't find the one that is missing.
        for one in fine:
            yield Attempt(z3.And(slug, somebody, decrypts, z3.Not(one)), caller, request, lock, who, owner=owner)


def _callers(about: About, owner: Term | None) -> Iterator[tuple[Caller, str, Formula]]:
    """The roles of the cell, and everybody else."""
    for role in about.deployment.roles.values():
        yield a_role(role), f"role {role.name}", TRUE
    caller = anybody()
    yield caller, "", _stranger(about, caller, owner)


def disabled(about: About, shape: Shape) -> Iterator[Attempt]:
    reader = about.reader(shape)
    document = json.loads(shape.secret.policy)
    document["Statement"].append(reads_denied(reader.arn))
    shut = replace(shape.secret, policy=json.dumps(document))
    session = Session("the session")
    caller = a_role(reader, about.owner if shape.role else None)
    for action in READ:
        yield on(about, shut, action, caller, "the tenant's runtime", session, session.keys(reader))


def own_reads(about: About, shape: Shape) -> Iterator[Attempt]:
    """Refused reads of an enabled tenant by its own runtime: there must be none, whatever the slug."""
    if '"TenantDisabled"' in shape.secret.policy:
        return
    reader, session = about.reader(shape), Session("the session")
    caller = a_role(reader, about.owner if shape.role else None)
    yield from own_read(about, shape, caller, session, reader, "the tenant's own runtime, which is refused")


def own_read(
    about: About, shape: Shape, caller: Caller, session: Session, reader: Role, who: str, asked: Formula = TRUE
) -> Iterator[Attempt]:
    """A read by a session for the tenant that fails, if it is as `asked` says."""
    owner, assumed = owner_of(about, shape.secret)
    request, lock = on_secret("secretsmanager:GetSecretValue", shape.secret, owner, caller, session.keys(reader))
    context: Text = request.resource
    decrypt, key_lock, left = on_key(
        "kms:Decrypt", shape.secret.kms_arn, shape.secret.kms_policy, owner, caller, context
    )
    region = about.names.region
    decrypt = replace(decrypt, keys={**decrypt.keys, **session.keys(reader)})
    really = z3.And(left.goes_through, left.has_context, left.through == f"secretsmanager.{region}.amazonaws.com")
    reads = z3.And(allowed(caller, request, lock), allowed(caller, decrypt, key_lock))
    tagged = z3.And(session.tagged, session.tenant == owner)
    fails = z3.And(assumed, asked, tagged, really, z3.Not(reads))
    yield Attempt(fails, caller, request, lock, who, session, owner)
