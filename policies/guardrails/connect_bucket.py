"""The bucket of what customers hand in: each object has one writer, and nobody but the promoter reads a ciphertext.

Owns the bucket's settings and its policy. Leaves out what our roles' own policies allow there (`own_roles`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .health_bucket import POLICY, is_of, keeps_out, settings
from .iam.documents import NotADocument, NotKnownYet, read
from .iam.patterns import is_wild
from .model import Finding, Resource, Rule, Stack, unknown, violation
from .own_functions import PAGES, PROMOTERS

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
        policies = [one for one in stack if one.type == POLICY and is_of(stack, one, bucket)]
        if not policies:
            yield violation(bucket, "", f"{_CALLED} has no policy")
        for policy in policies:
            yield from _document(policy, bucket.text("bucket"), named["cell"], config)


def _document(policy: Resource, bucket: str, cell: str, config: Config) -> Iterator[Finding]:
    try:
        statements = read(policy.get("policy"))
    except NotKnownYet:
        yield unknown(policy, "policy")
        return
    except NotADocument as trouble:
        yield violation(policy, "policy", f"the policy document can't be read: {trouble}")
        return
    for statement in statements:
        if statement.allows:
            yield violation(policy, "policy", f"{statement.called} allows access to {_CALLED}")
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
    people = arn in config.deployers if config.deployers else ownership.principal(arn) is not None
    return _PEOPLE in kinds and people


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
