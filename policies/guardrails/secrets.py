"""The properties of our secrets.

Owns the Secret's KMS key, name, tags, replicas and recovery window, and the roles' tags. Leaves out its policy
(`secret_policies`) and its rotation (`rotation`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation

_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-)?[0-9a-f-]{32,36}", re.ASCII)
"""A key's full ARN. An alias, or an id without an account, may refer to any key."""
_UNJUDGED: Final = (
    "aws:kms/externalKey:ExternalKey",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:kms/replicaExternalKey:ReplicaExternalKey",
)
"""Somebody holds an external key's material; a replica is decrypted with in another Region too."""


def _own_key(stack: Stack, _: Config) -> Iterator[Finding]:
    for secret in ownership.secrets(stack):
        key = secret.get("kmsKeyId")
        if any(one.type in _UNJUDGED for one in ownership.sources(stack, secret, "kmsKeyId")):
            yield violation(secret, "kmsKeyId", "the secret's KMS key is of a type whose policy no rule judges")
        if key is UNKNOWN:
            if len(ownership.comes_from(stack, secret, "kmsKeyId", ownership.KEY)) != 1:
                yield unknown(secret, "kmsKeyId")
        elif not _KEY.fullmatch(str(key)):
            yield violation(secret, "kmsKeyId", "the secret's KMS key is not given by its ARN")
        replicas = secret.get("replicas")
        if replicas is UNKNOWN:
            yield unknown(secret, "replicas")
        for place, copy in enumerate(cast(list[Any], replicas) if isinstance(replicas, list) else []):
            own: Any = cast(dict[str, Any], copy).get("kmsKeyId") if isinstance(copy, dict) else copy
            if own is UNKNOWN:
                yield unknown(secret, f"replicas[{place}].kmsKeyId")
            elif not _KEY.fullmatch(str(own)):
                message = "the replica's KMS key is not given by its ARN"
                yield violation(secret, f"replicas[{place}].kmsKeyId", message)
            elif str(own).split(":")[3] != (region := cast(dict[str, Any], copy).get("region")):
                if region is UNKNOWN:
                    yield unknown(secret, f"replicas[{place}].region")
                else:
                    message = "the replica's KMS key is of another Region than the replica"
                    yield violation(secret, f"replicas[{place}].kmsKeyId", message)


def _recoverable(stack: Stack, config: Config) -> Iterator[Finding]:
    for secret in ownership.secrets(stack):
        days = secret.get("recoveryWindowInDays")
        if days is UNKNOWN:
            yield unknown(secret, "recoveryWindowInDays")
        elif days is not None and (secret.number("recoveryWindowInDays") or 0) < config.min_recovery_days:
            message = f"a deleted secret can be restored for {days} days; the least is {config.min_recovery_days}"
            yield violation(secret, "recoveryWindowInDays", message)


def _name_and_tags(stack: Stack, _: Config) -> Iterator[Finding]:
    for secret in ownership.secrets(stack):
        name, tags = secret.get("name"), secret.get("tags")
        if name is UNKNOWN or tags is UNKNOWN:
            yield unknown(secret, "name" if name is UNKNOWN else "tags")
            continue
        place = ownership.place_of(name) if isinstance(name, str) else None
        if place is None:
            yield violation(secret, "name", "the name is not of the form myflux/<cell>/<tenant>/openai")
            continue
        expected = {"tenant": place.tenant, "cell": place.cell, "managed-by": ownership.MANAGED_BY}
        for tag, value in expected.items():
            found = secret.get("tags", tag)
            if found is UNKNOWN:
                yield unknown(secret, f"tags.{tag}")
            elif found != value:
                yield violation(
                    secret,
                    f"tags.{tag}",
                    f"the tag {tag} is {'absent' if found is None else 'another'}: the secret's name says {value}",
                )


def _spelled(role: Resource, tag: str) -> list[str]:
    """The tag as the role has it: IAM compares the names of tags without regard to case."""
    tags = role.get("tags")
    names = list(cast(dict[str, Any], tags)) if isinstance(tags, dict) else []
    return [name for name in names if name.lower() == tag] or [tag]


def _roles_tags(stack: Stack, _: Config) -> Iterator[Finding]:
    for role in ownership.roles(stack):
        known = ownership.role_of(role.text("name"))
        for tag in (*_spelled(role, "tenant"), "cell"):
            found = role.get("tags", tag)
            wanted = None if known is None else known.cell if tag == "cell" else (known.tenant or ownership.PLATFORM)
            if found is UNKNOWN or role.get("name") is UNKNOWN:
                yield unknown(role, f"tags.{tag}")
            elif found is not None and found != wanted:
                yield violation(
                    role, f"tags.{tag}", f"the role's tag {tag} must {f'be {wanted}' if wanted else 'not be set'}"
                )


_ABAC: Final = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access-abac.html"

SECRET_RULES: Final = (
    Rule(
        name="secret-has-its-own-kms-key",
        severity="high",
        level="mandatory",
        description="Our secrets and their replicas are encrypted with customer managed KMS keys, given by ARN.",
        rationale="The account's default key decrypts for everybody who may read secrets. If an IAM policy is too "
        "wide, nothing else protects the secret.",
        fix="Set `kms_key_id` to the cell's key; in the cell's file, give each of `replicas` a key of its Region.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
        check=_own_key,
    ),
    Rule(
        name="secret-can-be-restored",
        severity="medium",
        level="mandatory",
        description="A deleted secret can be restored for some time.",
        rationale="One deletion, by mistake or on purpose, removes a tenant's key for ever.",
        fix="Set `recovery_window_days` in the cell's file; AWS takes 7 to 30, and 0 deletes at once.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html",
        check=_recoverable,
        scope="resource",
        settings=("min_recovery_days",),
    ),
    Rule(
        name="secret-name-and-tags-agree",
        severity="critical",
        level="mandatory",
        description="A secret has the tags tenant, cell and managed-by, and they match its name.",
        rationale="These tags decide access: a secret with another tenant's tag can be read by that tenant.",
        fix="Let components/ derive both from the tenant; never tag a secret by hand.",
        source=_ABAC,
        check=_name_and_tags,
        scope="resource",
    ),
    Rule(
        name="role-tags-agree",
        severity="high",
        level="mandatory",
        description="A role's tags are those of the platform, or of its one tenant.",
        rationale="A role's tags are also its sessions' tags: a role with a tenant's tag can read that tenant's key.",
        fix="Let components/ derive the tags; never tag a role by hand.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principaltag",
        check=_roles_tags,
        scope="resource",
    ),
)
