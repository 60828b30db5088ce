"""AWS's evaluation logic as a formula: whether a request is allowed by all policies that apply to it.

Owns the meeting of identity policies, boundary and resource policy. Leaves out session policies, which the product
does not use and which only narrow, and organizations' policies, which only narrow too.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

import z3

from ops.isolation.conditions import like_arn, satisfied
from ops.isolation.policy import Policy, Statement
from ops.isolation.terms import FALSE, TRUE, CannotJudgeError, Formula, Keys, Term, Text, all_of, any_of, matches, not_


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
    granted = _granted(caller, request, lock)
    # What nothing grants needs no look at what denies it.
    return FALSE if granted is FALSE else all_of([granted, not_(_denied(caller, request, lock))])


def _granted(caller: Caller, request: Request, lock: Lock | None) -> Formula:
    boundary = TRUE if caller.boundary is None else _any(caller.boundary, request, allow=True)
    identity = TRUE if caller.identity is None else any_of([_any(p, request, allow=True) for p in caller.identity])
    by_identity = all_of([identity, boundary])
    allows = [] if lock is None else _applying(lock.policy, request, allow=True)
    near_self = any_of([all_of([_itself(s, caller), f]) for s, f in allows])
    near_other = any_of([all_of([any_of([_role(s, caller), _anyone(s)]), f]) for s, f in allows])
    near_account = any_of([all_of([_account(s, caller), f]) for s, f in allows])
    near = any_of([near_self, near_other, near_account])
    delegated = near if lock is not None and lock.required else TRUE
    within = any_of([near_self, all_of([near_other, boundary]), all_of([delegated, by_identity])])
    across = all_of([near, by_identity])
    if within is FALSE and across is FALSE:
        return FALSE
    return z3.If(caller.account == request.owner_account, within, across)


def _denied(caller: Caller, request: Request, lock: Lock | None) -> Formula:
    policies = [*(caller.identity or ()), *([caller.boundary] if caller.boundary is not None else [])]
    denies = [_any(policy, request, allow=False) for policy in policies]
    if lock is not None:
        denied = _applying(lock.policy, request, allow=False)
        denies += [all_of([_named(statement, caller), formula]) for statement, formula in denied]
    return any_of(denies)


def applying(policy: Policy, request: Request, caller: Caller | None = None) -> list[tuple[Statement, Formula]]:
    """Every statement with when it applies; with a `caller` its Principal element counts too."""
    found = [*_applying(policy, request, allow=True), *_applying(policy, request, allow=False)]
    if caller is None:
        return found
    return [(statement, z3.And(_named(statement, caller), formula)) for statement, formula in found]


def _applying(policy: Policy, request: Request, *, allow: bool) -> list[tuple[Statement, Formula]]:
    return [
        (statement, _applies(statement, policy.owner, request))
        for statement in policy.statements
        if statement.allow is allow and covers(statement, request.action)
    ]


def _applies(statement: Statement, owner: Term | None, request: Request) -> Formula:
    try:
        return all_of([_resource(statement, owner, request), satisfied(statement, request.keys, owner)])
    except CannotJudgeError as error:
        raise error.of(statement.label) from None


def _any(policy: Policy, request: Request, *, allow: bool) -> Formula:
    return any_of([formula for _, formula in _applying(policy, request, allow=allow)])


def deciding(caller: Caller, lock: Lock, action: str) -> tuple[bool, ...]:
    """Which of the statements cover `action`. Actions that have the same ones are allowed by the same formula."""
    policies = [*(caller.identity or ()), *([caller.boundary] if caller.boundary is not None else []), lock.policy]
    return tuple(covers(statement, action) for policy in policies for statement in policy.statements)


def covers(statement: Statement, action: str) -> bool:
    """Actions match whatever their case."""
    return _is_one_of_actions(action, statement.actions) != statement.actions_excluded


@lru_cache(maxsize=65536)
def _is_one_of_actions(action: str, patterns: tuple[str, ...]) -> bool:
    """A proof asks the same statements about the same actions for each caller."""
    return any(fnmatchcase(action.lower(), pattern.lower().replace("[", "[[]")) for pattern in patterns)


def _resource(statement: Statement, owner: Term | None, request: Request) -> Formula:
    if statement.resources is None:
        # A trust policy's statement: its resource is the role that it stands on.
        return TRUE
    hit = any_of([_one(pattern, statement, owner, request) for pattern in statement.resources])
    return not_(hit) if statement.resources_excluded else hit


def _one(pattern: str, statement: Statement, owner: Term | None, request: Request) -> Formula:
    if pattern == "*":
        return TRUE
    if pattern.startswith("arn:"):
        pattern += ":*" * max(0, 5 - pattern.count(":"))
        return like_arn(request.resource, pattern, request.keys, owner, statement.variables)
    return matches(pattern, request.resource.term, request.keys, owner, variables=statement.variables)


def _named(statement: Statement, caller: Caller) -> Formula:
    return any_of(
        [_anyone(statement), _itself(statement, caller), _role(statement, caller), _account(statement, caller)]
    )


def _aws(statement: Statement) -> list[str]:
    return [name for kind, name in statement.principals or () if kind == "AWS"]


def _anyone(statement: Statement) -> Formula:
    return TRUE if "*" in _aws(statement) else FALSE


def _itself(statement: Statement, caller: Caller) -> Formula:
    user = all_of([z3.Not(caller.is_session), _is_one_of(caller.arn, statement)])
    return any_of([user, all_of([caller.is_session, _is_one_of(caller.session, statement)])])


def _role(statement: Statement, caller: Caller) -> Formula:
    return all_of([caller.is_session, _is_one_of(caller.arn, statement)])


def _is_one_of(arn: Text, statement: Statement) -> Formula:
    return any_of([arn.term == name for name in _aws(statement) if name != "*" and not _is_account(name)])


def _account(statement: Statement, caller: Caller) -> Formula:
    accounts = [name.split(":")[4] if ":" in name else name for name in _aws(statement) if _is_account(name)]
    return any_of([caller.account == account for account in accounts])


def _is_account(name: str) -> bool:
    return name.endswith(":root") or (name.isdigit() and len(name) == 12)
