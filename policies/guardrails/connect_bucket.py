"""The bucket of what customers hand in: each object has one writer, and nobody but the promoter reads a ciphertext.

Owns the bucket's settings and its policy. Leaves out what our roles' own policies allow there (`own_roles`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .health_bucket import POLICY, is_deployer, is_of, keeps_out, only_denies, settings
from .iam.patterns import is_wild
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation
from .own_functions import PAGES, PROMOTERS

_LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_SHORTEST_DAYS: Final = 21
"""A link lives for 7 days, and its key may wait for 14 more."""
_ENDED: Final = ("handed-in/", "links/", "outcome/", "revoked/", "seen/")
_OF_A_RULE: Final = frozenset({"id", "status", "filter", "expiration"})
_CALLED: Final = "the bucket of what customers hand in"
_PEOPLE: Final = "people"
_READ: Final = ("s3:GetObject", "s3:GetObjectVersion")
_WRITE: Final = ("s3:PutObject",)
_DELETE: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion")
_MAY: Final[dict[tuple[tuple[str, ...], str], tuple[str, ...]]] = {
    **{
        (_DELETE, folder): (*PROMOTERS, _PEOPLE)
        for folder in ("links", "revoked", "seen", "handed-in", "outcome", "confirmed")
    },
    (_READ, "links"): (*PAGES, *PROMOTERS, _PEOPLE),
    (_READ, "revoked"): (*PAGES, *PROMOTERS, _PEOPLE),
    (_READ, "outcome"): (*PAGES, *PROMOTERS, _PEOPLE),
    (_READ, "seen"): (*PAGES, _PEOPLE),
    (_READ, "confirmed"): (*PROMOTERS, _PEOPLE),
    (_READ, "handed-in"): PROMOTERS,
    (_WRITE, "links"): (_PEOPLE,),
    (_WRITE, "revoked"): (_PEOPLE,),
    (_WRITE, "confirmed"): (_PEOPLE,),
    (_WRITE, "seen"): PAGES,
    (_WRITE, "handed-in"): PAGES,
    (_WRITE, "outcome"): PROMOTERS,
}
"""By actions and folder: the functions that may, and whether deployers may who are people."""


def _closed(stack: Stack, config: Config) -> Iterator[Finding]:
    for bucket in stack:
        named = ownership.CONNECT_BUCKET.fullmatch(bucket.text("bucket")) if bucket.type == ownership.BUCKET else None
        if named is None:
            continue
        yield from settings(stack, bucket, _CALLED)
        for lifecycle in stack:
            if lifecycle.type == _LIFECYCLE and is_of(stack, lifecycle, bucket):
                yield from _lifecycle(lifecycle)
        policies = [one for one in stack if one.type == POLICY and is_of(stack, one, bucket)]
        if not policies:
            yield violation(bucket, "", f"{_CALLED} has no policy")
        for policy in policies:
            yield from _document(policy, bucket.text("bucket"), named["cell"], config)


def ends_objects(stack: Stack, resource: Resource) -> bool:
    """Whether a resource is a lifecycle of this bucket, which is judged here."""
    return resource.type == _LIFECYCLE and any(
        ownership.CONNECT_BUCKET.fullmatch(one.text("bucket")) and is_of(stack, resource, one)
        for one in stack
        if one.type == ownership.BUCKET
    )


def _lifecycle(found: Resource) -> Iterator[Finding]:
    """Without its revocation a link is good again, so that must outlive it."""
    rules = found.get("rules")
    if rules is UNKNOWN or not isinstance(rules, list):
        yield unknown(found, "rules")
        return
    for rule in cast(list[Any], rules):
        if not isinstance(rule, Mapping) or not _is_late(cast(Mapping[str, Any], rule)):
            message = f"it ends other objects of {_CALLED} than those of a link, or earlier than {_SHORTEST_DAYS} days"
            yield violation(found, "rules", message)


def _is_late(rule: Mapping[str, Any]) -> bool:
    filter_, end = rule.get("filter"), rule.get("expiration")
    if not isinstance(filter_, Mapping) or not isinstance(end, Mapping):
        return False
    prefix, days = cast(Mapping[str, Any], filter_), cast(Mapping[str, Any], end)
    late = set(days) == {"days"} and isinstance(days["days"], int | float) and days["days"] >= _SHORTEST_DAYS
    return set(rule) <= _OF_A_RULE and set(prefix) == {"prefix"} and prefix["prefix"] in _ENDED and late


def _document(policy: Resource, bucket: str, cell: str, config: Config) -> Iterator[Finding]:
    statements = yield from only_denies(policy, _CALLED)
    if statements is None:
        return
    for (actions, folder), kinds in _MAY.items():
        objects = f"arn:~:s3:::{bucket}/{folder}/*"

        def may(arn: str, kinds: tuple[str, ...] = kinds) -> bool:
            return _one_of(kinds, arn, cell, config)

        if not any(keeps_out(one, actions, objects, may) for one in statements):
            yield violation(policy, "policy", f"others than {' and '.join(kinds)} may {actions[0]} {folder}/")


def _one_of(kinds: tuple[str, ...], arn: str, cell: str, config: Config) -> bool:
    if is_wild(arn):
        return False
    role = ownership.role_of(arn)
    if role is not None:
        return role.cell == cell and role.kind in kinds
    return _PEOPLE in kinds and is_deployer(arn, config)


CONNECT_BUCKET_RULES: Final = (
    Rule(
        name="intake-closed",
        severity="critical",
        level="mandatory",
        description="The bucket of what customers hand in blocks public access and encrypts its objects. Each object "
        "has one writer, only the promoter reads what was handed in, and only it and deployers delete.",
        rationale="Whoever writes links or confirmations decides whose key a tenant gets; whoever deletes a "
        "revocation brings a link back to life. What was handed in is a customer's key, if encrypted.",
        fix="Keep components/connect.py and `connect_bucket` of components/iam/connect.py.",
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
        check=_closed,
        settings=("deployers",),
    ),
)
