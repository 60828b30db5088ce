"""Resource policies that MiniStack's services check themselves: deliveries to topics and queues, OIDC providers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.core.iam_evaluator import EvalContext, EvalResult

from local.aws.iam.decision import Request, nearest_allow, resource_denies
from local.aws.iam.patching import replace
from local.aws.iam.patterns import Keys
from local.aws.iam.policy import Policy, parse
from local.aws.iam.principals import Caller

_EVALUATOR = "ministack.core.iam_evaluator"


def install() -> None:
    replace(
        _EVALUATOR,
        "evaluate_resource_policy",
        "doc, ctx, service, named_only, direct_only",
        lambda _original: _evaluate,
    )
    replace(_EVALUATOR, "evaluate_trust_policy", "trust_doc, caller_arn, ctx", lambda _original: _trusts)


def _evaluate(
    doc: str | dict[str, Any] | None,
    ctx: EvalContext,
    service: str | None = None,
    named_only: bool = False,
    direct_only: bool = False,
) -> EvalResult:
    if named_only or direct_only:
        raise ValueError("only MiniStack's own evaluator calls this so, and it has been replaced")
    caller = Caller(kind="Service", arn=service, account=service) if service else _caller(ctx)
    return _judged(parse(doc), caller, ctx)


def _judged(policy: Policy, caller: Caller, ctx: EvalContext) -> EvalResult:
    request = Request(ctx.action, ctx.resource_arn, _keys(ctx, caller))
    if resource_denies(policy, caller, request):
        return EvalResult("Deny", ctx.principal_arn, "", "Explicit deny")
    if nearest_allow(policy, caller, request):
        return EvalResult("Allow", ctx.principal_arn, "", "Explicit allow")
    return EvalResult("ImplicitDeny", ctx.principal_arn, "", "No matching Allow statement")


def _trusts(trust_doc: str | dict[str, Any], caller_arn: str, ctx: EvalContext | None = None) -> bool:
    """AssumeRole has been decided before STS sees it; what is left is a web identity's provider."""
    if ctx is None:
        raise ValueError("a trust policy is evaluated for a request, never without one")
    if ctx.action != "sts:AssumeRoleWithWebIdentity":
        return True
    caller = Caller(kind="WebIdentity", arn=caller_arn, account=ctx.principal_account)
    document = trust_doc if isinstance(trust_doc, str) else json.dumps(trust_doc)
    return _judged(parse(document), caller, ctx).decision == "Allow"


def _caller(ctx: EvalContext) -> Caller:
    arn = ctx.principal_arn
    role_arn = None
    if ":assumed-role/" in arn:
        role_arn = f"arn:aws:iam::{ctx.principal_account}:role/{arn.split('/')[1]}"
    kind = "AssumedRole" if role_arn else "Root" if arn.endswith(":root") else "User"
    return Caller(kind=kind, arn=arn, account=ctx.principal_account, role_arn=role_arn)


def _keys(ctx: EvalContext, caller: Caller) -> Keys:
    given: Mapping[str, Any] = {**ctx.principal_keys, **ctx.service_context}
    keys: dict[str, str | tuple[str, ...]] = {
        "aws:principalarn": caller.role_arn or caller.arn,
        "aws:principalaccount": ctx.principal_account,
        "aws:requestedregion": ctx.region,
        "aws:securetransport": str(ctx.secure_transport).lower(),
        "aws:sourceip": ctx.source_ip,
        "aws:principalisawsservice": str(caller.kind == "Service").lower(),
        **{f"aws:requesttag/{name}".lower(): value for name, value in ctx.request_tags.items()},
    }
    for name, value in given.items():
        if value not in (None, "", []):
            keys[name.lower()] = tuple(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return keys
