"""Which resources a request works on, where MiniStack names none, too few, or another than AWS does.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from typing import Any, Final

from ministack.services import iam as iam_service
from ministack.services import kms as kms_service

from local.aws.iam.request import ServiceRequest


def resources(request: ServiceRequest, action: str, found: str, region: str, account: str) -> list[str]:
    """ARNs that must all be allowed; `found` is MiniStack's. ``["*"]`` for an operation that works on no resource."""
    service, operation = action.split(":", 1)
    parameters = request.parameters
    if service == "iam":
        return [_iam(operation, parameters, found, account)]
    if service == "kms":
        return _kms(operation, parameters, found, region, account)
    if service == "events":
        return [_events(parameters, found, region, account)]
    if service == "lambda" and operation == "CreateFunction":
        return [f"arn:aws:lambda:{region}:{account}:function:{parameters.get('FunctionName', '')}"]
    if service == "cloudwatch":
        return _alarms_or_dashboards(parameters, found, region, account)
    if service == "sns":
        return [parameters.get("ResourceArn") or found] if operation not in _ON_SUBSCRIPTIONS else ["*"]
    if action in _OF_NO_RESOURCE:
        return ["*"]
    if service == "logs":
        return [_log_group(operation, parameters, found)]
    return [found]


_ON_SUBSCRIPTIONS: Final = frozenset({"GetSubscriptionAttributes", "SetSubscriptionAttributes", "Unsubscribe"})
"""SNS lists no resource type for them, so that a statement must allow all resources:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html"""

_OF_NO_RESOURCE: Final = frozenset({"sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"})
"""STS lists no resource type for them; MiniStack would take a stray `RoleArn` of the request for one:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html"""

_BARE_LOG_GROUPS: Final = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})


def _log_group(operation: str, parameters: dict[str, Any], found: str) -> str:
    """A log group's ARN ends with ``:*``, except for these three actions; a log stream's names the stream.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
    """
    if ":log-group:" not in found or operation in _BARE_LOG_GROUPS:
        return found
    group = found.removesuffix(":*")
    stream = parameters.get("logStreamName")
    return f"{group}:log-stream:{stream}" if stream else f"{group}:*"


def _iam(operation: str, parameters: dict[str, Any], found: str, account: str) -> str:
    """IAM's ARNs hold the path, which a request on something that exists doesn't repeat."""
    for kind, field, store in (("role", "RoleName", iam_service._roles), ("user", "UserName", iam_service._users)):
        if name := parameters.get(field):
            stored = store.get(name)
            return stored["Arn"] if stored else f"arn:aws:iam::{account}:{kind}{parameters.get('Path') or '/'}{name}"
    if operation == "CreatePolicy":
        return f"arn:aws:iam::{account}:policy{parameters.get('Path') or '/'}{parameters.get('PolicyName', '')}"
    if operation == "CreateOpenIDConnectProvider":
        return f"arn:aws:iam::{account}:oidc-provider/{parameters.get('Url', '').removeprefix('https://').rstrip('/')}"
    if arn := parameters.get("OpenIDConnectProviderArn"):
        return arn
    return found


def _kms(operation: str, parameters: dict[str, Any], found: str, region: str, account: str) -> list[str]:
    """An alias means its key; an operation on the alias itself needs both.

    https://docs.aws.amazon.com/kms/latest/developerguide/alias-access.html
    """
    if operation in ("CreateAlias", "UpdateAlias", "DeleteAlias"):
        alias = f"arn:aws:kms:{region}:{account}:{parameters.get('AliasName', '')}"
        keys = [parameters.get("TargetKeyId"), parameters.get("AliasName") if operation != "CreateAlias" else None]
        return [alias, *(_key(key) for key in keys if key and _key(key))]
    if parameters.get("KeyId"):
        return [_key(parameters["KeyId"]) or found]
    return [found]


def _key(reference: str) -> str:
    record = kms_service._resolve_key(reference)
    return record["Arn"] if record else ""


def _alarms_or_dashboards(parameters: dict[str, Any], found: str, region: str, account: str) -> list[str]:
    if parameters.get("ResourceARN"):
        return [parameters["ResourceARN"]]
    shown = [parameters["DashboardName"]] if "DashboardName" in parameters else parameters.get("DashboardNames")
    if shown:
        # Dashboards belong to no Region.
        return [f"arn:aws:cloudwatch::{account}:dashboard/{name}" for name in shown]
    names = [parameters[name] for name in ("AlarmName",) if name in parameters] or parameters.get("AlarmNames") or []
    return [f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}" for name in names] or [found]


def _events(parameters: dict[str, Any], found: str, region: str, account: str) -> str:
    """Rules of the default bus are named without it."""
    rule = parameters.get("Rule")
    bus = parameters.get("EventBusName") or "default"
    if rule:
        found = f"arn:aws:events:{region}:{account}:rule/{bus.rpartition('/')[2]}/{rule}"
    elif parameters.get("ResourceARN"):
        found = parameters["ResourceARN"]
    return re.sub(r":rule/default/", ":rule/", found)
