"""A caller's attempt: the caller, the request and the resource's policy, symbolic in all that the claim covers.

Owns which condition keys AWS fills for which call. A key that is not filled here may have any value. https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import z3

from myflux_keys.names import TAG_TENANT
from ops.isolation.decision import Caller, Lock, Request, allowed
from ops.isolation.deployment import Role, Secret
from ops.isolation.policy import parse
from ops.isolation.terms import (
    OWNER,
    Formula,
    Key,
    Keys,
    Term,
    Text,
    all_of,
    arn,
    constant,
    holds,
    joined,
    known_arn,
    text,
)

ASSUME, TAG_SESSION = "sts:AssumeRole", "sts:TagSession"


STAGE, STAGE_NAMED = z3.String("version stage"), z3.Bool("a stage is named")
"""Of a call on a secret."""

SLUG: Final = z3.Concat(
    z3.Range("a", "z"), z3.Loop(z3.Union(z3.Range("a", "z"), z3.Range("0", "9"), z3.Re("-")), 2, 31)
)
"""The slugs that tenancy accepts, as a regular expression."""


def is_slug(slug: Term) -> Formula:
    return z3.InRe(slug, SLUG)


def put(general: str, slug: Term) -> Term:
    """A generalized text with the slug in its place."""
    pieces = general.split(OWNER)
    terms = [t for piece in pieces for t in (slug, constant(piece))][1:]
    return joined([term for term in terms if term is not None])


def put_arn(general: str, slug: Term) -> Text:
    return arn(*(put(part, slug) for part in general.split(":", 5)))


class Session:
    """The tags of a role's session: a tenant, or none."""

    def __init__(self, name: str) -> None:
        self.tagged = z3.Bool(f"{name} is tagged")
        self.tenant = z3.String(f"{name}'s tag")

    def keys(self, role: Role | None) -> Keys:
        """The session's tag stands before the role's own of the same name."""
        own = dict(role.tags).get(TAG_TENANT) if role else None
        if own is None:
            return holds(f"aws:PrincipalTag/{TAG_TENANT}", self.tenant, self.tagged)
        return holds(f"aws:PrincipalTag/{TAG_TENANT}", z3.If(self.tagged, self.tenant, put(own, constant(""))))


def a_role(role: Role, owner: Term | None = None) -> Caller:
    """A session of `role`, with the role's own policies and boundary."""
    account = role.arn.split(":")[4]
    return Caller(
        arn=put_arn(role.arn, owner) if owner is not None else known_arn(role.arn),
        account=constant(account),
        is_session=z3.BoolVal(True),
        session=text(joined([constant(f"arn:aws:sts::{account}:assumed-role/{role.name}/"), z3.String("session")])),
        identity=[parse(name.replace(OWNER, "<tenant>"), document, owner) for name, document in role.policies],
        boundary=None
        if role.boundary is None
        else parse(f"boundary of {role.name.replace(OWNER, '<tenant>')}", role.boundary),
    )


def anybody() -> Caller:
    """Any user or role of any account, whatever its policies. `is_somebody` says what its ARN looks like."""
    account, resource = z3.String("account"), z3.String("user or role")
    parts = (*map(constant, ("arn", "aws", "iam", "")), account, resource)
    session = [constant("arn:aws:sts::"), account, constant(":assumed-role/"), z3.String("session")]
    return Caller(arn(*parts), account, z3.Bool("is a role"), text(joined(session)), None)


def is_somebody(caller: Caller, others: Sequence[Text | str]) -> Formula:
    """`caller` is a user or a role, and none of `others`."""
    assert caller.arn.parts is not None
    resource = caller.arn.parts[5]
    kind = z3.If(
        caller.is_session,
        z3.PrefixOf("role/", resource),
        z3.Or(z3.PrefixOf("user/", resource), resource == constant("root")),
    )
    account = z3.InRe(caller.account, z3.Loop(z3.Range("0", "9"), 12, 12))
    terms = [other.term if isinstance(other, Text) else constant(other) for other in others]
    return all_of([account, kind, *(caller.arn.term != term for term in terms)])


def on_secret(action: str, secret: Secret, owner: Term | None, caller: Caller, more: Keys) -> tuple[Request, Lock]:
    """A call on `secret`, named in any way, for any version."""
    slug = owner if owner is not None else constant("")
    parts = [put(part, slug) for part in secret.arn.rpartition("-")[0].split(":", 5)]
    drawn = z3.String(f"six characters of {secret.name}")
    named = arn(*parts[:5], joined([parts[5], constant("-"), drawn]))
    tags: dict[str, Key] = {}
    for name, value in secret.tags:
        for prefix in ("secretsmanager:ResourceTag/", "aws:ResourceTag/"):
            tags |= holds(prefix + name, put(value, slug))
    keys = {
        **holds("aws:PrincipalArn", caller.arn),
        **holds("aws:PrincipalAccount", caller.account),
        **holds("secretsmanager:SecretId", z3.String("secret as named")),
        **holds("secretsmanager:VersionStage", STAGE, STAGE_NAMED),
        **tags,
        **more,
    }
    return Request(action, named, constant(secret.arn.split(":")[4]), keys), lock_on(secret, owner)


def lock_on(secret: Secret, owner: Term | None) -> Lock:
    return Lock(parse(f"policy of {secret.name.replace(OWNER, '<tenant>')}", secret.policy, owner))


def six_drawn(secret: Secret) -> Formula:
    """Secrets Manager appends six characters of its own to a secret's name."""
    alphabet = z3.Union(z3.Range("a", "z"), z3.Range("A", "Z"), z3.Range("0", "9"))
    return z3.InRe(z3.String(f"six characters of {secret.name}"), z3.Loop(alphabet, 6, 6))


@dataclass(frozen=True)
class Decryption:
    """What is left open in a kms:Decrypt."""

    through: Term
    goes_through: Formula
    context: Term
    has_context: Formula


def on_key(
    action: str, key: str, document: str, owner: Term | None, caller: Caller, context: Text | None = None
) -> tuple[Request, Lock, Decryption]:
    """A call on a KMS key; with any encryption context unless one is given."""
    named = context or text(z3.String("secret in the context"))
    opened = Decryption(z3.String("service"), z3.Bool("a service calls"), named.term, z3.Bool("there is a context"))
    keys = {
        **holds("aws:PrincipalArn", caller.arn),
        **holds("aws:PrincipalAccount", caller.account),
        **holds("kms:ViaService", opened.through, opened.goes_through),
        **holds("kms:EncryptionContext:SecretARN", named, opened.has_context),
        **holds("kms:EncryptionContext:SecretVersionId", z3.String("version in the context"), opened.has_context),
    }
    account = key.split(":")[4]
    request = Request(action, known_arn(key), constant(account), keys)
    return request, Lock(parse(f"policy of KMS key {key}", document, owner), required=True), opened


class Tags:
    """The tags of a request for a session."""

    def __init__(self) -> None:
        self.tenant, self.has_tenant = z3.String("tag asked for"), z3.Bool("a tenant is asked for")
        self.other, self.has_other = z3.String("another tag's name"), z3.Bool("another tag is asked for")

    @property
    def are_two(self) -> Formula:
        return self.other != TAG_TENANT

    def keys(self) -> Keys:
        return {
            **holds(f"aws:RequestTag/{TAG_TENANT}", self.tenant, self.has_tenant),
            "aws:tagkeys": Key(((self.has_tenant, text(TAG_TENANT)), (self.has_other, text(self.other))), single=False),
        }


class SecondFactor:
    """Whether a caller shows one (MFA). The key is absent of a call by an access key alone."""

    def __init__(self) -> None:
        self.shown, self.told = z3.Bool("a second factor is shown"), z3.Bool("the second factor is told")

    def keys(self) -> Keys:
        value = z3.If(self.shown, constant("true"), constant("false"))
        return holds("aws:MultiFactorAuthPresent", value, z3.Or(self.shown, self.told))


def assumption(
    role: Role, owner: Term | None, caller: Caller, tags: Tags, factor: SecondFactor | None = None
) -> tuple[Formula, Request, Lock]:
    """Becoming `role` with `tags`: a session with tags takes both actions. Without `factor` the key may hold
    anything."""
    becomes = put_arn(role.arn, owner) if owner is not None else known_arn(role.arn)
    lock = Lock(parse(f"trust of {role.name.replace(OWNER, '<tenant>')}", role.trust, owner), required=True)
    keys = {**holds("aws:PrincipalArn", caller.arn), **holds("aws:PrincipalAccount", caller.account), **tags.keys()}
    keys |= factor.keys() if factor else {}
    request = Request(ASSUME, becomes, constant(role.arn.split(":")[4]), keys)
    tagging = Request(TAG_SESSION, becomes, request.owner_account, keys)
    both = z3.Implies(z3.Or(tags.has_tenant, tags.has_other), allowed(caller, tagging, lock))
    return z3.And(tags.are_two, allowed(caller, request, lock), both), request, lock
