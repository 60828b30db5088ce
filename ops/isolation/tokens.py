"""AWS's tokens in the proof: who gets one that OpenAI takes for a tenant, and who writes the identity that leads there.

Owns the attempts on tokens and identities. Leaves out the claims that use them (`claims`) and who becomes the runtime
(`attempts`). AWS does not say whether a session's tags stand beside the role's own in a token or in their place: here
either may be, whichever harms. A matcher of another attribute than ``sub`` and the session tag does not exist.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import z3

from myflux_keys.identity import ALGORITHM, TOKEN_SECONDS
from myflux_keys.names import TAG_TENANT
from ops.isolation.attempts import About, Attempt
from ops.isolation.decision import Caller, Lock, Request, allowed
from ops.isolation.deployment import Role
from ops.isolation.identities import Identity
from ops.isolation.policy import Policy, parse
from ops.isolation.requests import Session, a_role, anybody, is_slug, is_somebody, put
from ops.isolation.terms import (
    OWNER,
    TRUE,
    Formula,
    Key,
    Keys,
    Term,
    Text,
    any_of,
    arn,
    constant,
    holds,
    joined,
    matches,
    text,
)

ASK: Final = "sts:GetWebIdentityToken"
WRITE: Final = ("PutObject", "DeleteObject")
_NO_LOCK: Final = Lock(Policy(()))
"""A token is no resource with a policy of its own."""


@dataclass(frozen=True)
class Token:
    """What is asked for. AWS takes several audiences; of more than two nothing more can be said."""

    audience: Term = field(default_factory=lambda: z3.String("audience"))
    other: Term = field(default_factory=lambda: z3.String("second audience"))
    has_other: Formula = field(default_factory=lambda: z3.Bool("a second audience is asked for"))
    seconds: Any = field(default_factory=lambda: z3.Int("seconds"))
    algorithm: Term = field(default_factory=lambda: z3.String("algorithm"))

    @property
    def possible(self) -> Formula:
        named = z3.Or(self.algorithm == ALGORITHM, self.algorithm == "RS256")
        return z3.And(self.seconds >= 60, self.seconds <= 3600, named)

    def is_for(self, audience: Term) -> Formula:
        return z3.Or(self.audience == audience, z3.And(self.has_other, self.other == audience))

    def is_only_for(self, audience: Term) -> Formula:
        return z3.And(self.audience == audience, z3.Implies(self.has_other, self.other == audience))

    def keys(self) -> Keys:
        audiences = ((TRUE, text(self.audience)), (self.has_other, text(self.other)))
        return {
            "sts:identitytokenaudience": Key(audiences, single=False),
            **holds("sts:DurationSeconds", z3.IntToStr(self.seconds)),
            **holds("sts:SigningAlgorithm", self.algorithm),
        }


def for_another(about: About, identity: Identity) -> Iterator[Attempt]:
    """Tokens that OpenAI takes for a tenant, got by a session of the runtime role that is not tagged with it."""
    runtime = _runtime(about)
    session, token = Session("the session"), Token()
    right = z3.And(session.tagged, session.tenant == about.owner)
    yield _attempt(about, identity, runtime, session, token, z3.Not(right), "the runtime")


def by_others(about: About, identity: Identity) -> Iterator[Attempt]:
    """Such tokens, got by any other role of the cell, or by anybody else."""
    for role in about.deployment.roles.values():
        if role.arn != about.names.runtime_role_arn:
            yield _attempt(about, identity, role, Session("the session"), Token(), TRUE, f"role {role.name}")
    caller, session, token = anybody(), Session("the caller"), Token()
    named = z3.And(session.tagged, session.tenant == about.owner)
    request = _request(caller, token, session.keys(None))
    takes = [
        is_slug(about.owner),
        token.possible,
        token.is_for(put(identity.audience, about.owner)),
        named,
        _like(identity.subject, caller.arn.term, about.owner),
        is_somebody(caller, list(about.deployment.roles)),
        allowed(caller, request, _NO_LOCK),
    ]
    yield Attempt(z3.And(*takes), caller, request, _NO_LOCK, "", session, about.owner)


def for_strangers(about: About) -> Iterator[Attempt]:
    """Tokens of any role of the cell that somebody else takes too, or that live longer than they must."""
    ours = constant(about.names.identity_audience)
    for role in about.deployment.roles.values():
        session, token = Session("the session"), Token()
        caller = a_role(role, about.owner if OWNER in role.arn else None)
        request = _request(caller, token, session.keys(role))
        gets = z3.And(token.possible, allowed(caller, request, _NO_LOCK))
        for wrong in (
            z3.Not(token.is_only_for(ours)),
            token.seconds > TOKEN_SECONDS,
            token.algorithm != ALGORITHM,
        ):
            yield Attempt(z3.And(gets, wrong), caller, request, _NO_LOCK, f"role {role.name}", session)


def writing_identities(about: About) -> Iterator[Attempt]:
    """An identity says to which address a token goes, so who writes it is who could send tokens elsewhere."""
    for action in WRITE:
        for role in about.deployment.roles.values():
            if role.arn in about.cell.governors:
                continue
            session = Session("the session")
            yield _on_identity(about, action, a_role(role), session, session.keys(role), TRUE, f"role {role.name}")
        caller, session = anybody(), Session("the caller")
        stranger = is_somebody(caller, [*about.cell.governors, *about.deployment.roles])
        yield _on_identity(about, action, caller, session, session.keys(None), stranger, "")


def refused(about: About, identity: Identity) -> Iterator[Attempt]:
    """What the tenant's own runtime needs and does not get: there must be nothing, whatever the slug."""
    runtime, session, token = _runtime(about), Session("the session"), Token()
    tagged = z3.And(is_slug(about.owner), session.tagged, session.tenant == about.owner)
    caller, who = a_role(runtime), "the tenant's own runtime, which is refused"
    request = _request(caller, token, session.keys(runtime))
    asked = z3.And(
        token.audience == put(identity.audience, about.owner),
        z3.Not(token.has_other),
        token.seconds == TOKEN_SECONDS,
        token.algorithm == ALGORITHM,
    )
    taken = _like(identity.subject, caller.arn.term, about.owner)
    gets = z3.And(taken, allowed(caller, request, _NO_LOCK))
    yield Attempt(z3.And(tagged, asked, z3.Not(gets)), caller, request, _NO_LOCK, who, session, about.owner)
    request, lock = _object_request(about, "GetObject", caller, session.keys(runtime))
    reads = allowed(caller, request, lock)
    yield Attempt(z3.And(tagged, z3.Not(reads)), caller, request, lock, who, session, about.owner)


def _runtime(about: About) -> Role:
    return about.deployment.roles[about.names.runtime_role_arn]


def _attempt(
    about: About, identity: Identity, role: Role, session: Session, token: Token, bad: Formula, who: str
) -> Attempt:
    """A token that a session of `role` gets and OpenAI takes for the owner, in a way that is `bad`."""
    caller = a_role(role, about.owner if OWNER in role.arn else None)
    request = _request(caller, token, session.keys(role))
    fails = z3.And(
        is_slug(about.owner),
        token.possible,
        bad,
        token.is_for(put(identity.audience, about.owner)),
        _names(role, session, about.owner),
        _like(identity.subject, caller.arn.term, about.owner),
        allowed(caller, request, _NO_LOCK),
    )
    return Attempt(fails, caller, request, _NO_LOCK, who, session, about.owner)


def _names(role: Role, session: Session, owner: Term) -> Formula:
    """Whether the token may state the owner as the session's tenant, by the session's tag or by the role's own, whose
    name AWS compares in any case of its letters."""
    own = [put(value, owner) for name, value in role.tags if name.lower() == TAG_TENANT]
    return z3.Or(z3.And(session.tagged, session.tenant == owner), any_of([value == owner for value in own]))


def _like(pattern: str, value: Term, owner: Term) -> Formula:
    return matches(pattern, value, {}, owner, variables=False)


def _request(caller: Caller, token: Token, session: Keys) -> Request:
    keys = {
        **holds("aws:PrincipalArn", caller.arn),
        **holds("aws:PrincipalAccount", caller.account),
        **session,
        **token.keys(),
    }
    return Request(ASK, text("*"), caller.account, keys)


def _on_identity(
    about: About, action: str, caller: Caller, session: Session, more: Keys, bad: Formula, who: str
) -> Attempt:
    request, lock = _object_request(about, action, caller, more)
    fails = z3.And(is_slug(about.owner), bad, allowed(caller, request, lock))
    return Attempt(fails, caller, request, lock, who, session, about.owner)


def _object_request(about: About, action: str, caller: Caller, more: Keys) -> tuple[Request, Lock]:
    """By TLS: the bucket refuses anything else, in a cell that has it."""
    names = about.names
    key = names.tenant(OWNER).identity
    place: Sequence[str] = ("arn", names.partition, "s3", "", "")
    resource: Text = arn(*place, joined([constant(f"{names.health_bucket}/"), put(key, about.owner)]))
    keys = {
        **holds("aws:PrincipalArn", caller.arn),
        **holds("aws:PrincipalAccount", caller.account),
        **holds("aws:SecureTransport", "true"),
        **more,
    }
    document = about.deployment.bucket_policies.get(names.health_bucket, '{"Statement": []}')
    policy = parse(f"policy of bucket {names.health_bucket}", document)
    return Request(f"s3:{action}", resource, constant(names.account_id), keys), Lock(policy)
