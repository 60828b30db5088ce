"""Decides one request whose values are all known, by the same formulas as the proofs.

Owns the caller and the condition keys that AWS fills. Leaves out which requests to decide (`access`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import z3

from myflux_keys.identity import ALGORITHM, TOKEN_SECONDS
from myflux_keys.names import TAG_TENANT
from ops.isolation.decision import Caller, Lock, Request, allowed
from ops.isolation.deployment import Secret
from ops.isolation.identities import Identity
from ops.isolation.policy import parse
from ops.isolation.requests import put
from ops.isolation.terms import TRUE, Formula, Key, Keys, Term, constant, holds, known_arn, matches, text

ISSUE: Final = "GetWebIdentityToken"


@dataclass(frozen=True)
class Somebody:
    """A user, or a session of a role, by the ARN of either. `policies` are (name, JSON) pairs; `tag` is the tenant that
    the session is tagged with, or the role itself where the session is not."""

    arn: str
    policies: tuple[tuple[str, str], ...]
    boundary: str | None = None
    tag: str | None = None
    stage: str = ""
    """The label of the version that its requests name; empty for none."""
    begun: datetime | None = None
    """When its session began; None: not known."""

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def is_role(self) -> bool:
        return ":role/" in self.arn

    @property
    def session(self) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.arn.rpartition('/')[2]}/s"


def decided(who: Somebody, action: str, secret: Secret) -> bool | None:
    """Whether `who` may do `action` on `secret`; None where it depends on something that the model does not know.

    Raises CannotJudgeError.
    """
    caller = _caller(who)
    owner_account = constant(secret.arn.split(":")[4])
    request = Request(action, known_arn(secret.arn), owner_account, _filled(who, secret))
    return _answer(allowed(caller, request, Lock(parse(f"policy of {secret.name}", secret.policy))))


def obtains(who: Somebody, identity: Identity, tenant: str) -> bool | None:
    """Whether AWS gives `who` a token, as the runtime asks for one, that OpenAI takes for `tenant`."""
    owner = constant(tenant)
    if who.tag != tenant or not z3.is_true(z3.simplify(matches(identity.subject, constant(who.arn), {}, owner))):
        return False
    return _signed(who, put(identity.audience, owner))


def asks_for_token(who: Somebody, audience: str) -> bool | None:
    """Whether AWS signs a token for `who`, as the runtime asks for one. Raises CannotJudgeError."""
    return _signed(who, constant(audience))


def tagged(who: Somebody, tenant: str, begun: datetime | None = None) -> Somebody:
    """`who` with a session that is tagged with the tenant, and began then."""
    return replace(who, tag=tenant, begun=begun)


def _signed(who: Somebody, audience: Term) -> bool | None:
    keys: dict[str, Key] = {
        **holds("aws:PrincipalArn", who.arn),
        **holds("aws:PrincipalAccount", who.account),
        **(
            holds(f"aws:PrincipalTag/{TAG_TENANT}", who.tag) if who.tag else {f"aws:principaltag/{TAG_TENANT}": Key(())}
        ),
        **_begun(who),
        "sts:identitytokenaudience": Key(((TRUE, text(audience)),), single=False),
        **holds("sts:DurationSeconds", str(TOKEN_SECONDS)),
        **holds("sts:SigningAlgorithm", ALGORITHM),
    }
    request = Request(f"sts:{ISSUE}", text("*"), constant(who.account), keys)
    return _answer(allowed(_caller(who), request, None))


def _begun(who: Somebody) -> Keys:
    return holds("aws:TokenIssueTime", who.begun.astimezone(UTC).isoformat()) if who.begun else {}


def _caller(who: Somebody) -> Caller:
    return Caller(
        known_arn(who.arn),
        constant(who.account),
        z3.BoolVal(who.is_role),
        text(who.session),
        [parse(*policy) for policy in who.policies],
        None if who.boundary is None else parse(f"boundary of {who.arn}", who.boundary),
    )


def _answer(formula: Formula) -> bool | None:
    answer = z3.simplify(formula)
    return True if z3.is_true(answer) else False if z3.is_false(answer) else None


def _filled(who: Somebody, secret: Secret) -> Keys:
    """A key without a value is known to be absent; one that is not here may hold anything."""
    keys: dict[str, Key] = {
        **holds("aws:PrincipalArn", who.arn),
        **holds("aws:PrincipalAccount", who.account),
        **holds("secretsmanager:SecretId", secret.arn),
        **_begun(who),
        "secretsmanager:versionstage": Key(()),
        f"aws:principaltag/{TAG_TENANT}": Key(()),
    }
    if who.stage:
        keys |= holds("secretsmanager:VersionStage", who.stage)
    if who.tag is not None:
        keys |= holds(f"aws:PrincipalTag/{TAG_TENANT}", who.tag)
    for name, value in secret.tags:
        keys |= holds(f"secretsmanager:ResourceTag/{name}", value) | holds(f"aws:ResourceTag/{name}", value)
    return keys
