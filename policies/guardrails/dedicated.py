"""A dedicated tenant's secret is encrypted and read with what is that tenant's alone.

Owns the comparison of such a secret's KMS key and readers with the tenant. Leaves out what the key's policy allows
(`kms`) and what the role may do (`own_roles`). Dedicated is a tenant whose stack has a role of its own, or whose file
says so, which the pack is told in `promises`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .iam.documents import Statement
from .iam.policy_holders import documents
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .targets import key_id

_ARN: Final = "aws:principalarn"


def _own(stack: Stack, config: Config) -> Iterator[Finding]:
    told = {tenant for tenant, promise in config.by_tenant.items() if promise.get("isolation") == "dedicated"}
    with_a_role = {
        (role.cell, role.tenant)
        for one in stack
        if one.type == ownership.ROLE and (role := ownership.role_of(one.text("name"))) and role.kind == "dedicated"
    }
    for secret in ownership.secrets(stack):
        place = ownership.place_of(secret.text("name"))
        if place is None or place.admin or not (place.tenant in told or (place.cell, place.tenant) in with_a_role):
            continue
        yield from _own_key(stack, secret, place)
        yield from _own_readers(stack, secret, place)


def _own_key(stack: Stack, secret: Resource, place: ownership.Place) -> Iterator[Finding]:
    mine = [one for one in stack if one.type == ownership.KEY and _is_of(one, place)]
    value = secret.get("kmsKeyId")
    ids = {_id(one) for one in mine} - {""}
    uses = any(one in mine for one in ownership.sources(stack, secret, "kmsKeyId"))
    if isinstance(value, str) and ids:
        uses = key_id(value) in ids
    if not mine:
        yield violation(secret, "kmsKeyId", "the tenant is dedicated, and its stack has no KMS key of its own")
    elif not uses and value is UNKNOWN:
        yield unknown(secret, "kmsKeyId")
    elif not uses:
        yield violation(secret, "kmsKeyId", "the tenant is dedicated, and its secret uses another KMS key than its own")


def _is_of(key: Resource, place: ownership.Place) -> bool:
    return key.get("tags", "tenant") == place.tenant and key.get("tags", "cell") == place.cell


def _id(key: Resource) -> str:
    found = key.outputs.get("arn") or key.outputs.get("keyId")
    return key_id(found) if isinstance(found, str) else ""


def _own_readers(stack: Stack, secret: Resource, place: ownership.Place) -> Iterator[Finding]:
    for held in documents(stack, "secret", "key"):
        if held.use == "key":
            about = held.resource.type == ownership.KEY and _is_of(held.resource, place)
        else:
            about = held.resource is secret or ownership.secret_behind(stack, held.resource, "secretArn") is secret
        for role in _roles(held.statements) if about else ():
            if role.kind == "runtime":
                message = "the tenant is dedicated, and the runtime role, which all tenants share, is not shut out"
                yield violation(held.resource, held.path, message)
                break


def _roles(statements: tuple[Statement, ...]) -> Iterator[ownership.OurRole]:
    for statement in statements:
        for condition in statement.on(_ARN):
            yield from (role for value in condition.values if (role := ownership.role_of(value)))


DEDICATED_RULES: Final = (
    Rule(
        name="dedicated-tenant-has-its-own",
        severity="high",
        level="mandatory",
        description="A dedicated tenant's secret is encrypted with the tenant's own KMS key, and the runtime role that "
        "all tenants share may neither read it nor use the key.",
        rationale="The customer was promised a key and a role of its own: with the cell's, whoever takes over the "
        "runtime reads this secret like all others.",
        fix="Keep components/dedicated_access.py in the tenant's stack, and its key as the secret's `kms_key_id`.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
        check=_own,
        settings=("promises",),
    ),
)
