"""The condition keys that a request itself fills: its tags, its parameters, its resource's tags.

Owns the keys of the services that the project uses, by AWS's service authorization reference. Leaves out Secrets
Manager's (`secret_keys`), KMS's (`kms_keys`) and the principal's (`callers`). A key whose parameter the request doesn't
carry is absent.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
from typing import Any, Final

from ministack.services import iam as iam_service
from ministack.services import tagging

from local.aws.iam.key_values import Values, filled
from local.aws.iam.kms_keys import key_property_keys, kms_keys
from local.aws.iam.request import ServiceRequest
from local.aws.iam.second_factors import factor_keys
from local.aws.iam.secret_keys import secret_keys, stored

_ROLE_SESSION: Final = {"RoleSessionName": "sts:RoleSessionName", "SourceIdentity": "sts:SourceIdentity"}
_PARAMETER_KEYS: Final[dict[str, dict[str, str]]] = {
    "cloudwatch:PutMetricData": {"Namespace": "cloudwatch:namespace"},
    "iam:CreateServiceLinkedRole": {"AWSServiceName": "iam:AWSServiceName"},
    "lambda:AddPermission": {"FunctionUrlAuthType": "lambda:FunctionUrlAuthType", "Principal": "lambda:Principal"},
    "lambda:CreateEventSourceMapping": {"FunctionName": "lambda:FunctionArn"},
    "lambda:CreateFunction": {"CodeSigningConfigArn": "lambda:CodeSigningConfigArn", "Layers": "lambda:Layer"},
    "lambda:CreateFunctionUrlConfig": {"AuthType": "lambda:FunctionUrlAuthType"},
    "lambda:PutFunctionCodeSigningConfig": {"CodeSigningConfigArn": "lambda:CodeSigningConfigArn"},
    "lambda:UpdateEventSourceMapping": {"FunctionName": "lambda:FunctionArn"},
    "lambda:UpdateFunctionConfiguration": {"Layers": "lambda:Layer"},
    "lambda:UpdateFunctionUrlConfig": {"AuthType": "lambda:FunctionUrlAuthType"},
    "sns:Subscribe": {"Endpoint": "sns:Endpoint", "Protocol": "sns:Protocol"},
    "sts:AssumeRole": {**_ROLE_SESSION, "ExternalId": "sts:ExternalId"},
    "sts:AssumeRoleWithWebIdentity": _ROLE_SESSION,
    "sts:SetSourceIdentity": {"SourceIdentity": "sts:SourceIdentity"},
    "sts:TagSession": {**_ROLE_SESSION, "ExternalId": "sts:ExternalId"},
}
"""By action: its parameter, then the key."""

_POLICY_ARN: Final = frozenset(
    f"iam:{verb}{entity}Policy" for verb in ("Attach", "Detach") for entity in ("Group", "Role", "User")
)
_BOUNDARY: Final = frozenset(
    {
        *(f"iam:{verb}{entity}Policy" for verb in ("Attach", "Delete", "Detach", "Put") for entity in ("Role", "User")),
        *(f"iam:{verb}{entity}PermissionsBoundary" for verb in ("Delete", "Put") for entity in ("Role", "User")),
        *("iam:CreateRole", "iam:CreateUser"),
    }
)
"""The actions that iam:PermissionsBoundary is listed for. Of another, such as UpdateAssumeRolePolicy, a condition on it
never holds: https://github.com/alphagov/gsp/pull/990."""


def request_keys(request: ServiceRequest | None, action: str, resource: str, account: str) -> Values:
    """`request` is None where a service of AWS makes the call for its caller."""
    service, operation = action.split(":", 1)
    keys = resource_tag_keys(service, resource)
    parameters = request.parameters if request else {}
    if service == "kms":
        keys["kms:calleraccount"] = account
        keys |= kms_keys(operation, request and request.parameters)
        keys |= key_property_keys(operation, parameters, resource)
    if request is None:
        return keys
    if service == "secretsmanager":
        keys |= secret_keys(operation, parameters, resource)
    keys |= filled({key: parameters.get(name) for name, key in _PARAMETER_KEYS.get(action, {}).items()})
    if action in _POLICY_ARN:
        keys |= filled({"iam:PolicyARN": parameters.get("PolicyArn")})
    if action in _BOUNDARY:
        keys |= filled({"iam:PermissionsBoundary": _boundary(operation, parameters)})
    elif service == "sts":
        transitive = [v for k, v in sorted(parameters.items()) if k.startswith("TransitiveTagKeys.member.")]
        keys |= filled({"sts:TransitiveTagKeys": transitive}) | factor_keys(request)
    keys |= filled(_of_events(operation, parameters) if service == "events" else {})
    keys |= filled(_of_alarms(operation, parameters) if service == "cloudwatch" else {})
    return keys


def _of_events(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html"""
    if operation == "PutTargets":
        return {"events:TargetArn": [target.get("Arn") for target in parameters.get("Targets") or ()]}
    if operation == "PutRule":
        pattern = json.loads(parameters.get("EventPattern") or "{}")
        return {"events:source": pattern.get("source"), "events:detail-type": pattern.get("detail-type")}
    return {}


def _of_alarms(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"cloudwatch:AlarmActions": parameters.get("AlarmActions")} if operation == "PutMetricAlarm" else {}


def resource_tag_keys(service: str, resource: str) -> Values:
    """``aws:ResourceTag/…`` and the service's own spelling of it.

    Two tags that differ in case alone make one key of two values, which no single-valued operator matches: whoever adds
    ``Tenant`` next to ``tenant`` gains nothing.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, value in _tags(service, resource):
        found[name.lower()] = (*found.get(name.lower(), ()), value)
    keys: Values = {}
    for name, values in found.items():
        value = values[0] if len(values) == 1 else values
        for prefix in ("aws", service) if service in ("iam", "secretsmanager") else ("aws",):
            keys[f"{prefix}:resourcetag/{name}"] = value
    return keys


def _tags(service: str, resource: str) -> list[tuple[str, str]]:
    if service == "secretsmanager":
        return [(tag["Key"], tag["Value"]) for tag in (stored(resource) or {}).get("Tags") or []]
    return list((tagging.resource_tags(resource) or {}).items()) if resource.startswith("arn:") else []


def _boundary(operation: str, parameters: dict[str, Any]) -> str | None:
    """The one asked for, or else the one that the role or user already has."""
    if operation in ("CreateRole", "CreateUser") or "PermissionsBoundary" in parameters:
        return parameters.get("PermissionsBoundary")
    role = iam_service._roles.get(parameters.get("RoleName", ""))
    user = iam_service._users.get(parameters.get("UserName", ""))
    return (role or user or {}).get("PermissionsBoundary")
