"""AWS's evaluation logic: from all policies that apply to the verdict and its reason.

Owns the order and combination of identity, boundary, session and resource policies, as pure functions. Leaves out
organizations' policies, since the cell's account has none.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from local.aws.iam.conditions import satisfied
from local.aws.iam.patterns import Keys, compiled, matches_action, matches_arn
from local.aws.iam.policy import Policy, Statement
from local.aws.iam.principals import Caller, Closeness, closeness


@dataclass(frozen=True)
class Request:
    action: str
    """``service:Operation``."""
    resource: str
    """An ARN, or ``*`` for an operation that works on no resource."""
    keys: Keys


@dataclass(frozen=True)
class ResourcePolicy:
    policy: Policy
    owner: str
    """The account of the resource."""
    required: bool = False
    """Whether identity policies count only where this policy lets them: KMS keys and roles' trust."""


@dataclass(frozen=True)
class Policies:
    identity: Policy
    boundary: Policy | None = None
    """None: the caller has none."""
    session: Policy | None = None
    resource: ResourcePolicy | None = None


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    explicit: bool = False
    """Denied by a Deny statement, not for lack of an Allow."""
    layer: str = ""
    """Whose policy denied, one of the four below."""


IDENTITY, BOUNDARY, SESSION, RESOURCE = (
    "identity-based policy",
    "permissions boundary",
    "session policy",
    "resource-based policy",
)


def applies(statement: Statement, request: Request) -> bool:
    """Whether action, resource and conditions match, whatever the principal."""
    return (
        _action_matches(statement, request.action)
        and _resource_matches(statement, request)
        and satisfied(statement.conditions, request.keys, variables=statement.variables)
    )


def _action_matches(statement: Statement, action: str) -> bool:
    if statement.actions is not None:
        return any(matches_action(action, pattern) for pattern in statement.actions)
    if statement.not_actions is not None:
        return not any(matches_action(action, pattern) for pattern in statement.not_actions)
    return False


def _resource_matches(statement: Statement, request: Request) -> bool:
    """A trust policy's statement has neither element: its resource is its role."""
    if statement.resources is not None:
        return any(_resource_matches_one(pattern, request, statement) for pattern in statement.resources)
    if statement.not_resources is not None:
        return not any(_resource_matches_one(pattern, request, statement) for pattern in statement.not_resources)
    return True


def _resource_matches_one(pattern: str, request: Request, statement: Statement) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("arn:"):
        # An ARN with missing parts matches every value of them.
        pattern += ":*" * max(0, 5 - pattern.count(":"))
        return matches_arn(request.resource, pattern, request.keys, variables=statement.variables)
    found = compiled(pattern, request.keys, variables=statement.variables, wildcards=True)
    return found is not None and found.fullmatch(request.resource) is not None


def _any(policy: Iterable[Statement], effect: str, request: Request) -> bool:
    return any(s.effect == effect and applies(s, request) for s in policy)


def nearest_allow(policy: Policy, caller: Caller, request: Request) -> Closeness:
    """How closely the resource's policy allows the caller."""
    return max(
        (closeness(s, caller) for s in policy if s.effect == "Allow" and applies(s, request)), default=Closeness.NONE
    )


def resource_denies(policy: Policy, caller: Caller, request: Request) -> bool:
    return any(s.effect == "Deny" and closeness(s, caller) and applies(s, request) for s in policy)


def decide(caller: Caller, request: Request, policies: Policies) -> Verdict:
    """An explicit Deny anywhere wins. Otherwise the request needs the Allows that AWS requires, or it is denied."""
    limits = {BOUNDARY: policies.boundary, SESSION: policies.session}
    for layer, policy in {IDENTITY: policies.identity, **limits}.items():
        if policy and _any(policy, "Deny", request):
            return Verdict(False, explicit=True, layer=layer)
    resource = policies.resource
    if resource is not None and resource_denies(resource.policy, caller, request):
        return Verdict(False, explicit=True, layer=RESOURCE)

    near = nearest_allow(resource.policy, caller, request) if resource else Closeness.NONE
    same_account = resource is None or resource.owner == caller.account
    missing = _missing(request, policies.identity, limits)
    if not same_account:
        # Both accounts must agree.
        return _allowed(None if near and missing is None else missing or RESOURCE)
    if near is Closeness.SELF:
        return Verdict(True)
    limited = next((layer for layer, p in limits.items() if p is not None and not _any(p, "Allow", request)), None)
    if near in (Closeness.ROLE, Closeness.ANYONE):
        return _allowed(limited)
    if resource is not None and resource.required and near is Closeness.NONE:
        return _allowed(missing or RESOURCE)
    return _allowed(missing)


def _missing(request: Request, identity: Policy, limits: dict[str, Policy | None]) -> str | None:
    """The first layer without an Allow, when identity policies decide."""
    if not _any(identity, "Allow", request):
        return IDENTITY
    return next((layer for layer, p in limits.items() if p is not None and not _any(p, "Allow", request)), None)


def _allowed(missing: str | None) -> Verdict:
    return Verdict(True) if missing is None else Verdict(False, layer=missing)
