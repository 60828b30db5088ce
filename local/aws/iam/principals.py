"""The caller, and whether a policy's Principal or NotPrincipal element names it.

Owns the kinds of principal and how closely an element names one. Leaves out what the closeness decides (`decision`).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from local.aws.iam.policy import Statement

_ROOT = re.compile(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):root")


class Closeness(IntEnum):
    """How closely a resource's policy names the caller; a closer one has every effect of a less close one, and more."""

    NONE = 0
    ACCOUNT = 1
    """The caller's account: it delegates, so that the account's identity policies count."""
    ANYONE = 2
    """``*``."""
    ROLE = 3
    """The role behind a session. A boundary or session policy that doesn't allow still limits it."""
    SELF = 4
    """The user, the session or the service itself. Limits that merely don't allow no longer count."""


@dataclass(frozen=True)
class Caller:
    """`arn` is what AWS calls the caller; `role_arn` the role of a session, path included; `unique_id` the user's or
    the role's, which stands in stored policies (`principal_ids`)."""

    kind: str
    """User, AssumedRole, FederatedUser, Root, Service, WebIdentity."""
    arn: str
    account: str
    role_arn: str | None = None
    unique_id: str | None = None

    @property
    def identities(self) -> tuple[str, ...]:
        """Every name under which an element can list the caller, the account first."""
        if self.kind in ("Service", "WebIdentity"):
            return (self.arn,)
        root = f"arn:aws:iam::{self.account}:root"
        return tuple(dict.fromkeys([root, *([self.role_arn] if self.role_arn else []), self.arn]))


def closeness(statement: Statement, caller: Caller) -> Closeness:
    """How closely the statement names the caller. A statement without either element, as in a trust policy's
    absence of one, names nobody."""
    if statement.not_principals is not None:
        return Closeness.NONE if _exempt(statement, caller) else Closeness.ANYONE
    return max(
        (_one(kind, n, caller) for kind, names in statement.principals or () for n in names), default=Closeness.NONE
    )


def _exempt(statement: Statement, caller: Caller) -> bool:
    """Whether NotPrincipal exempts the caller.

    In a Deny the account, the role and the session must all be listed: one left out is denied, and the caller with it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    listed = [_one_identity(kind, n, caller) for kind, names in statement.not_principals or () for n in names]
    if "*" in listed:
        return True
    if statement.effect == "Deny":
        return all(identity in listed for identity in caller.identities)
    return any(identity in listed for identity in caller.identities)


def _one(kind: str, name: str, caller: Caller) -> Closeness:
    identity = _one_identity(kind, name, caller)
    if identity is None:
        return Closeness.NONE
    if identity == "*":
        return Closeness.ANYONE
    if identity == caller.arn:
        return Closeness.SELF
    return Closeness.ROLE if identity == caller.role_arn else Closeness.ACCOUNT


def _one_identity(kind: str, name: str, caller: Caller) -> str | None:
    """The caller's identity that the entry names, ``"*"`` for everybody, or None.

    Only the whole ``*`` is a wildcard here: a principal's ARN holds none.
    """
    if kind == "AWS" and name == "*":
        return "*"
    if {"Service": "Service", "WebIdentity": "Federated"}.get(caller.kind, "AWS") != kind:
        return None
    if name == caller.unique_id:
        return caller.role_arn or caller.arn
    root = _ROOT.fullmatch(name)
    account = root["account"] if root else name if re.fullmatch(r"\d{12}", name) else None
    if account is not None:
        name = f"arn:aws:iam::{account}:root"
    return name if name in caller.identities else None
