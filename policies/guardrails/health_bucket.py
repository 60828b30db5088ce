"""The bucket of tenants' declarations is closed, and only roles of ours that read it and deployers use its objects.

Owns the bucket's settings and its policy. Leaves out what our roles' own policies allow there (`own_roles`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

from . import ownership
from .config import Config
from .iam.documents import NotADocument, NotKnownYet, Statement, read
from .iam.patterns import covers, in_its_partition, is_wild
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_functions import WATCHERS

POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
PUBLIC: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_CALLED: Final = "the bucket of declarations"
_BLOCKED: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_USES: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
_KEPT_FROM_OTHERS: Final = frozenset({"stringnotequals", "arnnotequals"})


def _closed(stack: Stack, config: Config) -> Iterator[Finding]:
    for bucket in stack:
        named = ownership.HEALTH_BUCKET.fullmatch(bucket.text("bucket")) if bucket.type == ownership.BUCKET else None
        if named is None:
            continue
        yield from settings(stack, bucket, _CALLED)
        policies = [one for one in stack if one.type == POLICY and is_of(stack, one, bucket)]
        if not policies:
            yield violation(bucket, "", f"{_CALLED} has no policy")
        for policy in policies:
            yield from _document(policy, bucket.text("bucket"), named["cell"], config)


def is_of(stack: Stack, setting: Resource, bucket: Resource) -> bool:
    value = setting.get("bucket")
    return (
        value == bucket.get("bucket") if value is not UNKNOWN else bucket in ownership.sources(stack, setting, "bucket")
    )


def settings(stack: Stack, bucket: Resource, called: str) -> Iterator[Finding]:
    """Public access and encryption. `called` names the bucket in a finding."""
    for type_, what in ((PUBLIC, "does not block public access"), (ENCRYPTION, "has no encryption")):
        found = [one for one in stack if one.type == type_ and is_of(stack, one, bucket)]
        if not found:
            yield violation(bucket, "", f"{called} {what}")
        for one in found if type_ == PUBLIC else ():
            for name in _BLOCKED:
                if one.get(name) is UNKNOWN:
                    yield unknown(one, name)
                elif one.get(name) is not True:
                    yield violation(one, name, f"{called} {what}")


def only_denies(policy: Resource, called: str) -> Generator[Finding, None, Sequence[Statement] | None]:
    """Findings for each statement that allows anything. The statements, or None where the document cannot be read."""
    try:
        statements = read(policy.get("policy"))
    except NotKnownYet:
        yield unknown(policy, "policy")
        return None
    except NotADocument as trouble:
        yield violation(policy, "policy", f"the policy document can't be read: {trouble}")
        return None
    for statement in statements:
        if statement.allows:
            yield violation(policy, "policy", f"{statement.called} allows access to {called}")
    return statements


def _document(policy: Resource, bucket: str, cell: str, config: Config) -> Iterator[Finding]:
    statements = yield from only_denies(policy, _CALLED)
    if statements is None:
        return
    objects = f"arn:~:s3:::{bucket}/*"
    if not any(keeps_out(one, _USES, objects, lambda arn: _may_use(arn, cell, config)) for one in statements):
        yield violation(
            policy,
            "policy",
            "others than the health function, the sweep, the runtime and deployers may use declarations",
        )


def keeps_out(statement: Statement, uses: Sequence[str], objects: str, may: Callable[[str], bool]) -> bool:
    """Whether it denies everybody these actions on these objects, but ARNs that may."""
    everybody = statement.principals == {"AWS": ("*",)} or "*" in statement.principals.get("*", ())
    if statement.allows or not everybody or statement.but_principals or statement.but_resources:
        return False
    if not all(statement.names(action) for action in uses):
        return False
    if not any(covers(in_its_partition(one), objects) for one in statement.resources):
        return False
    if len(statement.conditions) != 1:
        return False
    (condition,) = statement.conditions
    return (
        condition.key == "aws:principalarn"
        and condition.operator in _KEPT_FROM_OTHERS
        and not condition.over
        and bool(condition.values)
        and all(may(arn) for arn in condition.values)
    )


def _may_use(arn: str, cell: str, config: Config) -> bool:
    if is_wild(arn):
        return False
    role = ownership.role_of(arn)
    if role is not None:
        return role.cell == cell and role.kind in (*WATCHERS, "deployer", "runtime")
    return is_deployer(arn, config)


def is_deployer(arn: str, config: Config) -> bool:
    """Of an ARN that is no role of ours. Where no deployers are configured, any user or role of an account is one."""
    return arn in config.deployers if config.deployers else ownership.principal(arn) is not None


HEALTH_BUCKET_RULES: Final = (
    Rule(
        name="declarations-closed",
        severity="high",
        level="mandatory",
        description="The bucket of declarations blocks public access, encrypts its objects, and only the health "
        "function, the sweep, the runtime and deployers may use them.",
        rationale="Declarations hold customers' names and budgets. A person who writes what the health function "
        "remembers decides which trouble is told, and whoever writes a hand-over how long an old key lives.",
        fix="Keep components/health_store.py and `health_bucket` of components/iam/health.py.",
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
        check=_closed,
        settings=("deployers",),
    ),
)
