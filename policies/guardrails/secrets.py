"""What a secret of ours is made of.

Owns the properties of the Secret itself: its key, its name and tags, its copies, its way back. Leaves out its policy
(`secret_policies`) and its rotation (`rotation`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .model import UNKNOWN, Finding, Rule, Stack, unknown, violation

_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-)?[0-9a-f-]{32,36}", re.ASCII)
"""A key by its own name. An alias, or a key without its account, is whatever AWS finds by it."""


def _own_key(stack: Stack, _: Config) -> Iterator[Finding]:
    for secret in ownership.secrets(stack):
        key = secret.get("kmsKeyId")
        if key is UNKNOWN:
            if len(ownership.comes_from(stack, secret, "kmsKeyId", ownership.KEY)) != 1:
                yield unknown(secret, "kmsKeyId")
        elif not _KEY.fullmatch(str(key)):
            yield violation(secret, "kmsKeyId", "the secret is not encrypted with a key that is named by its ARN")
        replicas = secret.get("replicas")
        if replicas is UNKNOWN:
            yield unknown(secret, "replicas")
        for place, copy in enumerate(cast(list[Any], replicas) if isinstance(replicas, list) else []):
            own: Any = cast(dict[str, Any], copy).get("kmsKeyId") if isinstance(copy, dict) else copy
            if own is UNKNOWN:
                yield unknown(secret, f"replicas[{place}].kmsKeyId")
            elif not _KEY.fullmatch(str(own)):
                message = "a copy in another Region is not encrypted with a key that is named by its ARN"
                yield violation(secret, f"replicas[{place}].kmsKeyId", message)
            elif str(own).split(":")[3] != (region := cast(dict[str, Any], copy).get("region")):
                if region is UNKNOWN:
                    yield unknown(secret, f"replicas[{place}].region")
                else:
                    message = "a copy in another Region is encrypted with a key of some other Region still"
                    yield violation(secret, f"replicas[{place}].kmsKeyId", message)


def _way_back(stack: Stack, config: Config) -> Iterator[Finding]:
    for secret in ownership.secrets(stack):
        days = secret.get("recoveryWindowInDays")
        if days is UNKNOWN:
            yield unknown(secret, "recoveryWindowInDays")
        elif days is not None and (secret.number("recoveryWindowInDays") or 0) < config.min_recovery_days:
            message = f"a deleted secret is gone in {days} days, of {config.min_recovery_days} that are asked for"
            yield violation(secret, "recoveryWindowInDays", message)


def _name_and_tags(stack: Stack, _: Config) -> Iterator[Finding]:
    for secret in ownership.secrets(stack):
        name, tags = secret.get("name"), secret.get("tags")
        if name is UNKNOWN or tags is UNKNOWN:
            yield unknown(secret, "name" if name is UNKNOWN else "tags")
            continue
        place = ownership.place_of(name) if isinstance(name, str) else None
        if place is None:
            yield violation(secret, "name", "the name is not one that MyFlux Keys gives: myflux/<cell>/<tenant>/openai")
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


def _roles_tags(stack: Stack, _: Config) -> Iterator[Finding]:
    for role in ownership.roles(stack):
        known = ownership.role_of(role.text("name"))
        for tag in ("tenant", "cell"):
            found = role.get("tags", tag)
            wanted = None if known is None else known.cell if tag == "cell" else (known.tenant or ownership.PLATFORM)
            if found is UNKNOWN or role.get("name") is UNKNOWN:
                yield unknown(role, f"tags.{tag}")
            elif found is not None and found != wanted:
                yield violation(role, f"tags.{tag}", f"the role's own tag {tag} is not {wanted or 'to be had'}")


_ABAC: Final = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access-abac.html"

SECRET_RULES: Final = (
    Rule(
        name="secret-has-its-own-kms-key",
        severity="high",
        level="mandatory",
        description="A secret of ours and each of its copies is encrypted with a KMS key of ours.",
        rationale="The account's shared key decrypts for everybody who may read secrets: no second lock is left when "
        "an IAM policy is too wide.",
        fix="Set `kms_key_id` to the cell's key; name a key of its Region for each of `replicas` in the cell's file.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
        check=_own_key,
    ),
    Rule(
        name="secret-can-be-restored",
        severity="medium",
        level="mandatory",
        description="A deleted secret of ours can be restored for some time.",
        rationale="One deletion, by mistake or in spite, cuts a tenant off for good.",
        fix="Set `recovery_window_days` in the cell's file; AWS takes 7 to 30, and 0 deletes at once.",
        source="https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html",
        check=_way_back,
        scope="resource",
        settings=("min_recovery_days",),
    ),
    Rule(
        name="secret-name-and-tags-agree",
        severity="critical",
        level="mandatory",
        description="A secret of ours has its tags tenant, cell and managed-by, and they say what its name says.",
        rationale="Access is decided by these tags: a secret tagged as another tenant's is read by that tenant.",
        fix="Let components/ derive both from the tenant; never tag a secret by hand.",
        source=_ABAC,
        check=_name_and_tags,
        scope="resource",
    ),
    Rule(
        name="role-tags-agree",
        severity="high",
        level="mandatory",
        description="A role of ours is tagged as the platform's or as its one tenant's.",
        rationale="A role's own tags count as its session's: a role tagged as a tenant reads that tenant's key.",
        fix="Let components/ derive the tags; never tag a role by hand.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principaltag",
        check=_roles_tags,
        scope="resource",
    ),
)
