"""AWS's evaluation logic as a formula: whether a request is allowed by all policies that apply to it.

Owns the meeting of identity policies, boundary and resource policy. Leaves out session policies, which the product
does not use and which only narrow, and organizations' policies, which only narrow too.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import z3

from isolation.conditions import like_arn, satisfied
from isolation.policy import Policy, Statement
from isolation.terms import FALSE, TRUE, Formula, Keys, Term, Text, all_of, any_of, matches


@dataclass(frozen=True)
class Caller:
    """`arn` is a user's, or the role's behind a session; `is_session` says which; `session` is the session's own.

    `identity` None: any policies at all, an administrator's included. `boundary` None: there is none.
    """

    arn: Text
    account: Term
    is_session: Formula
    session: Text
    identity: Sequence[Policy] | None
    boundary: Policy | None = None


@dataclass(frozen=True)
class Request:
    """`action` is ``service:Operation``; `owner_account` is the resource's."""

    action: str
    resource: Text
    owner_account: Term
    keys: Keys


@dataclass(frozen=True)
class Lock:
    """A resource's own policy. `required`: identity policies count only where it lets them (KMS keys, roles' trust)."""

    policy: Policy
    required: bool = False


def allowed(caller: Caller, request: Request, lock: Lock | None) -> Formula:
    boundary = TRUE if caller.boundary is None else _any(caller.boundary, request, allow=True)
    identity = TRUE if caller.identity is None else any_of([_any(p, request, allow=True) for p in caller.identity])
    denies = [_any(p, request, allow=False) for p in (caller.identity or ())]
    if caller.boundary is not None:
        denies.append(_any(caller.boundary, request, allow=False))
    near_self = near_other = near_account = FALSE
    if lock is not None:
        denies.append(any_of([z3.And(_named(s, caller), f) for s, f in _applying(lock.policy, request, allow=False)]))
        allows = _applying(lock.policy, request, allow=True)
        near_self = any_of([z3.And(_itself(s, caller), f) for s, f in allows])
        near_other = any_of([z3.And(z3.Or(_role(s, caller), _anyone(s)), f) for s, f in allows])
        near_account = any_of([z3.And(_account(s, caller), f) for s, f in allows])
    by_identity = z3.And(identity, boundary)
    near = z3.Or(near_self, near_other, near_account)
    delegated = near if lock is not None and lock.required else TRUE
    within = z3.Or(near_self, z3.And(near_other, boundary), z3.And(delegated, by_identity))
    across = z3.And(near, by_identity)
    same = caller.account == request.owner_account
    return z3.And(z3.Not(any_of(denies)), z3.If(same, within, across))


def applying(policy: Policy, request: Request, caller: Caller | None = None) -> list[tuple[Statement, Formula]]:
    """Every statement with when it applies; with a `caller` its Principal element counts too."""
    found = [*_applying(policy, request, allow=True), *_applying(policy, request, allow=False)]
    if caller is None:
        return found
    return [(statement, z3.And(_named(statement, caller), formula)) for statement, formula in found]


def _applying(policy: Policy, request: Request, *, allow: bool) -> list[tuple[Statement, Formula]]:
    return [
        (
            statement,
            all_of(
                [
                    _resource(statement, policy.owner, request),
                    satisfied(statement, request.keys, policy.owner),
                ]
            ),
        )
        for statement in policy.statements
        if statement.allow is allow and covers(statement, request.action)
    ]


def _any(policy: Policy, request: Request, *, allow: bool) -> Formula:
    return any_of([formula for _, formula in _applying(policy, request, allow=allow)])


def covers(statement: Statement, action: str) -> bool:
    """Actions match whatever their case."""
    patterns = [pattern.lower().replace("[", "[[]") for pattern in statement.actions]
    return any(fnmatchcase(action.lower(), pattern) for pattern in patterns) != statement.actions_excluded


def _resource(statement: Statement, owner: Term | None, request: Request) -> Formula:
    if statement.resources is None:
        # A trust policy's statement: its resource is the role that it stands on.
        return TRUE
    hit = any_of([_one(pattern, statement, owner, request) for pattern in statement.resources])
    return z3.Not(hit) if statement.resources_excluded else hit


def _one(pattern: str, statement: Statement, owner: Term | None, request: Request) -> Formula:
    if pattern == "*":
        return TRUE
    if pattern.startswith("arn:"):
        pattern += ":*" * max(0, 5 - pattern.count(":"))
        return like_arn(request.resource, pattern, request.keys, owner, statement.variables)
    return matches(pattern, request.resource.term, request.keys, owner, variables=statement.variables)


def _named(statement: Statement, caller: Caller) -> Formula:
    return z3.Or(_itself(statement, caller), _role(statement, caller), _anyone(statement), _account(statement, caller))


def _aws(statement: Statement) -> list[str]:
    return [name for kind, name in statement.principals or () if kind == "AWS"]


def _anyone(statement: Statement) -> Formula:
    return TRUE if "*" in _aws(statement) else FALSE


def _itself(statement: Statement, caller: Caller) -> Formula:
    user = z3.And(z3.Not(caller.is_session), _is_one_of(caller.arn, statement))
    return z3.Or(user, z3.And(caller.is_session, _is_one_of(caller.session, statement)))


def _role(statement: Statement, caller: Caller) -> Formula:
    return z3.And(caller.is_session, _is_one_of(caller.arn, statement))


def _is_one_of(arn: Text, statement: Statement) -> Formula:
    return any_of([arn.term == name for name in _aws(statement) if name != "*" and not _is_account(name)])


def _account(statement: Statement, caller: Caller) -> Formula:
    accounts = [name.split(":")[4] if ":" in name else name for name in _aws(statement) if _is_account(name)]
    return any_of([caller.account == account for account in accounts])


def _is_account(name: str) -> bool:
    return name.endswith(":root") or (name.isdigit() and len(name) == 12)
