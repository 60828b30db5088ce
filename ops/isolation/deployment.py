"""Roles, secrets and keys with their policies, read from what a cell's stacks register.

Owns finding the documents of each resource, and generalizing a tenant's documents: a placeholder replaces its slug, so
a proof about it holds for every slug. Leaves out what the documents mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from myflux_keys.names import PLATFORM_TENANT, TAG_CONSUMERS, TAG_PERMISSION, TAG_TENANT
from ops.isolation.identities import Identity, bucket_policies, identities
from ops.isolation.resources import Resource as Resource
from ops.isolation.resources import general as general
from ops.isolation.terms import OWNER, CannotJudgeError

_NAMES: Final = ("name", "role", "secretArn", "arn", "description")
"""The property that names a resource in a report: the first that it has."""
_ELSEWHERE: Final = "make the policy in the platform's stack, or write it into the role"


@dataclass(frozen=True)
class Role:
    """`policies` are (name, JSON) pairs. `tags` are principal tags of every session without one of the same name."""

    name: str
    arn: str
    trust: str
    boundary: str | None
    policies: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...]
    tenant: str


@dataclass(frozen=True)
class Secret:
    """`kms_policy` is the policy of the key that encrypts it; empty where that is the cell's, of another stack."""

    name: str
    arn: str
    tags: tuple[tuple[str, str], ...]
    policy: str
    kms_arn: str
    kms_policy: str
    tenant: str
    managed: bool
    """Whether MyFlux mints its keys, by the tags that the rotation reads."""
    copied_to: tuple[str, ...] = ()
    """Other Regions that hold a copy of it, with its tags and its policy."""

    @property
    def copies(self) -> list[Secret]:
        """Under keys of other Regions, of whose policies nothing is known."""
        arn = self.arn.split(":")
        return [
            replace(self, arn=":".join([*arn[:3], region, *arn[4:]]), kms_arn="", kms_policy="", copied_to=())
            for region in self.copied_to
        ]


@dataclass(frozen=True)
class Deployment:
    roles: Mapping[str, Role]
    """By ARN."""
    admin: Secret
    customer_admins: Sequence[Secret]
    """Admin keys' places that customers' organizations have, generalized: one of each kind."""
    tenants: Sequence[Secret]
    shapes: Sequence[Shape]
    identities: Sequence[Identity] = ()
    bucket_policies: Mapping[str, str] = field(default_factory=dict[str, str])
    """By the bucket's name."""


@dataclass(frozen=True)
class Shape:
    """Tenants whose documents differ in nothing but the slug. `secret` and `role` hold OWNER in the slug's place;
    `role` is the tenant's own where it has one."""

    tenants: tuple[str, ...]
    secret: Secret
    role: Role | None

    @property
    def everywhere(self) -> list[Shape]:
        """Itself, and once more for every Region that its secret is copied to."""
        return [self, *(replace(self, secret=copy) for copy in self.secret.copies)]


def read(resources: Iterable[Resource], elsewhere: Mapping[str, str] | None = None) -> Deployment:
    """`elsewhere` has the documents of managed policies of other stacks, by ARN.

    Raises CannotJudgeError where something needed is missing or unknown."""
    found = list(resources)
    own = {_known(r.outputs, "arn"): _known(r.inputs, "policy") for r in found if r.type == "aws:iam/policy:Policy"}
    managed = {**(elsewhere or {}), **own}
    roles = {role.arn: role for role in _roles(found, managed)}
    secrets = list(_secrets(found))
    admin = [secret for secret in secrets if secret.tenant == PLATFORM_TENANT]
    if len(admin) != 1 or not roles:
        raise CannotJudgeError(
            f"the stacks hold {len(admin)} admin secrets and {len(roles)} roles, where one cell has one and several",
            "prove the platform's stack of one cell together with its tenants'",
        )
    given = [secret for secret in secrets if secret.tenant != PLATFORM_TENANT]
    customers = {
        (general.policy, general.tags, general.name): general
        for general in (_general_secret(secret, secret.tenant) for secret in given if _holds_an_admin_key(secret))
    }
    tenants = sorted((s for s in given if not _holds_an_admin_key(s)), key=lambda secret: secret.tenant)
    return Deployment(
        roles,
        admin[0],
        list(customers.values()),
        tenants,
        _shapes(tenants, roles),
        identities(found),
        bucket_policies(found),
    )


def _holds_an_admin_key(secret: Secret) -> bool:
    """Admin keys have a folder of their own, so that no pattern for tenants' secrets reaches them."""
    return secret.name.startswith("myflux-admin/")


def _shapes(tenants: Sequence[Secret], roles: Mapping[str, Role]) -> list[Shape]:
    shapes: dict[tuple[Any, ...], Shape] = {}
    own = {role.tenant: role for role in roles.values() if role.tenant != PLATFORM_TENANT}
    for secret in tenants:
        slug = secret.tenant
        general = _general_secret(secret, slug)
        role = _general_role(own[slug], slug) if slug in own else None
        alike = (general.policy, general.tags, general.kms_policy, general.managed, general.copied_to, role)
        known = shapes.get(alike)
        shapes[alike] = replace(known, tenants=(*known.tenants, slug)) if known else Shape((slug,), general, role)
    return list(shapes.values())


def _general_secret(secret: Secret, slug: str) -> Secret:
    # The random ids of OpenAI and AWS, and the rotation's settings, do not affect access. Who uses the key does.
    tags = tuple(
        (key, general(value, slug))
        for key, value in secret.tags
        if key == TAG_CONSUMERS or not key.startswith("myflux:")
    )
    return replace(
        secret,
        name=general(secret.name, slug),
        arn=general(secret.arn, slug),
        tags=tags,
        policy=general(secret.policy, slug),
        kms_arn=secret.kms_arn,
        kms_policy=general(secret.kms_policy, slug),
        tenant=OWNER,
    )


def _general_role(role: Role, slug: str) -> Role:
    return replace(
        role,
        name=general(role.name, slug),
        arn=general(role.arn, slug),
        trust=general(role.trust, slug),
        policies=tuple((name, general(text, slug)) for name, text in role.policies),
        tags=tuple((key, general(value, slug)) for key, value in role.tags),
        tenant=OWNER,
    )


def _roles(resources: Sequence[Resource], managed: Mapping[str, str]) -> Iterable[Role]:
    for resource in resources:
        if resource.type != "aws:iam/role:Role":
            continue
        name, tags = _known(resource.inputs, "name"), dict(resource.inputs.get("tags") or {})
        policies = [
            (f"{name}/{_known(r.inputs, 'name')}", _known(r.inputs, "policy"))
            for r in resources
            if r.type == "aws:iam/rolePolicy:RolePolicy" and r.inputs.get("role") == name
        ]
        inline: Sequence[Mapping[str, Any]] = resource.inputs.get("inlinePolicies") or ()
        policies += [(f"{name}/{one.get('name')}", _known(one, "policy")) for one in inline]
        for attached in _attached(resources, name, resource):
            if attached not in managed:
                raise CannotJudgeError(
                    f"{attached} is attached, and no stack of the cell holds that policy", _ELSEWHERE, name
                )
            policies.append((attached.rpartition("/")[2], managed[attached]))
        boundary = resource.inputs.get("permissionsBoundary")
        if boundary is not None and boundary not in managed:
            raise CannotJudgeError(
                f"{boundary} bounds it, and no stack of the cell holds that policy", _ELSEWHERE, name
            )
        yield Role(
            name=name,
            arn=_known(resource.outputs, "arn"),
            trust=_known(resource.inputs, "assumeRolePolicy"),
            boundary=None if boundary is None else managed[boundary],
            policies=tuple(sorted(policies)),
            tags=tuple(sorted(tags.items())),
            tenant=str(tags.get(TAG_TENANT, "")),
        )


def _attached(resources: Sequence[Resource], name: str, role: Resource) -> Iterable[str]:
    yield from role.inputs.get("managedPolicyArns") or ()
    for resource in resources:
        alone = resource.type == "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
        several = resource.type == "aws:iam/policyAttachment:PolicyAttachment"
        if (alone and resource.inputs.get("role") == name) or (several and name in resource.inputs.get("roles", ())):
            yield _known(resource.inputs, "policyArn")


def _secrets(resources: Sequence[Resource]) -> Iterable[Secret]:
    keys = {_known(r.outputs, "arn"): _known(r.inputs, "policy") for r in resources if r.type == "aws:kms/key:Key"}
    policies = {
        r.inputs.get("secretArn"): _known(r.inputs, "policy")
        for r in resources
        if r.type == "aws:secretsmanager/secretPolicy:SecretPolicy"
    }
    for resource in resources:
        if resource.type != "aws:secretsmanager/secret:Secret":
            continue
        arn, tags = _known(resource.outputs, "arn"), dict(resource.inputs.get("tags") or {})
        kms = str(resource.inputs.get("kmsKeyId") or "")
        yield Secret(
            name=_known(resource.inputs, "name"),
            arn=arn,
            tags=tuple(sorted((key, str(value)) for key, value in tags.items())),
            policy=policies.get(arn) or json.dumps({"Version": "2012-10-17", "Statement": []}),
            kms_arn=kms,
            kms_policy=keys.get(kms, ""),
            tenant=str(tags.get(TAG_TENANT, "")),
            managed=TAG_PERMISSION in tags,
            copied_to=tuple(sorted(_known(copy, "region") for copy in resource.inputs.get("replicas") or ())),
        )


def _known(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise CannotJudgeError(
            f"`{name}` is not known before deployment",
            "prove from a rehearsal or from a stack's state",
            next((str(values[one]) for one in _NAMES if isinstance(values.get(one), str)), "a resource without a name"),
        )
    return value
