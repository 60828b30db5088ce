"""The condition keys that a request itself fills: its tags, its parameters, its resource's tags.

Owns the keys of the services that the project uses, by AWS's service authorization reference. Leaves out the
principal's (`callers`). A key whose parameter the request doesn't carry is absent.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html and its neighbours
"""

from __future__ import annotations

from typing import Any, Final

from ministack.services import iam as iam_service
from ministack.services import secretsmanager as secrets_service
from ministack.services import tagging

from local.aws.iam.request import ServiceRequest

Values = dict[str, str | tuple[str, ...]]

_PARAMETER_KEYS: Final[dict[str, dict[str, str]]] = {
    "secretsmanager": {
        "AddReplicaRegions": "AddReplicaRegions",
        "BlockPublicPolicy": "BlockPublicPolicy",
        "Description": "Description",
        "ForceDeleteWithoutRecovery": "ForceDeleteWithoutRecovery",
        "ForceOverwriteReplicaSecret": "ForceOverwriteReplicaSecret",
        "KmsKeyId": "KmsKeyId",
        "Name": "Name",
        "RecoveryWindowInDays": "RecoveryWindowInDays",
        "RotateImmediately": "RotateImmediately",
        "RotationLambdaARN": "RotationLambdaARN",
        "VersionId": "VersionId",
        "VersionStage": "VersionStage",
        "VersionStages": "VersionStage",
    },
    "kms": {
        "BypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck",
        "GranteePrincipal": "GranteePrincipal",
        "KeySpec": "KeySpec",
        "KeyUsage": "KeyUsage",
        "MultiRegion": "MultiRegion",
        "Origin": "KeyOrigin",
        "PendingWindowInDays": "ScheduleKeyDeletionPendingWindowInDays",
    },
    "cloudwatch": {"Namespace": "namespace"},
    "iam": {"PermissionsBoundary": "PermissionsBoundary", "PolicyArn": "PolicyARN"},
    "sts": {"ExternalId": "ExternalId", "RoleSessionName": "RoleSessionName", "SourceIdentity": "SourceIdentity"},
    "sns": {"Endpoint": "Endpoint", "Protocol": "Protocol"},
    "lambda": {"FunctionUrlAuthType": "FunctionUrlAuthType", "Principal": "Principal"},
}
"""By service, then by parameter: the condition key without its service."""


def request_keys(request: ServiceRequest | None, action: str, resource: str, account: str) -> Values:
    service, operation = action.split(":", 1)
    keys = resource_tag_keys(service, resource)
    if service == "kms":
        keys["kms:calleraccount"] = account
    if request is None:
        return keys
    parameters = request.parameters
    for parameter, key in _PARAMETER_KEYS.get(service, {}).items():
        if (value := text(parameters.get(parameter))) is not None:
            keys[f"{service}:{key}".lower()] = value
    if service == "secretsmanager" and "SecretId" in parameters:
        # The parameter may be a name; the key holds the ARN.
        keys["secretsmanager:secretid"] = resource
    elif service == "kms":
        keys |= encryption_context_keys(parameters.get("EncryptionContext") or {})
        if str(parameters.get("KeyId", "")).startswith("alias/"):
            keys["kms:requestalias"] = parameters["KeyId"]
    elif service == "iam":
        keys |= _boundary(operation, parameters)
    elif service == "sts":
        transitive = tuple(v for k, v in sorted(parameters.items()) if k.startswith("TransitiveTagKeys.member."))
        if transitive:
            keys["sts:transitivetagkeys"] = transitive
    elif service == "lambda" and "FunctionArn" not in parameters and operation.endswith("EventSourceMapping"):
        keys["lambda:functionarn"] = str(parameters.get("FunctionName", ""))
    return keys


def encryption_context_keys(context: dict[str, str]) -> Values:
    """https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context"""
    keys: Values = {f"kms:encryptioncontext:{name}".lower(): value for name, value in context.items()}
    return keys | ({"kms:encryptioncontextkeys": tuple(context)} if context else {})


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
        # By name: MiniStack's own search by ARN walks through every secret there is.
        secret = secrets_service._secrets.get(resource.partition(":secret:")[2][:-7])
        return [(tag["Key"], tag["Value"]) for tag in (secret or {}).get("Tags") or []]
    return list((tagging.resource_tags(resource) or {}).items()) if resource.startswith("arn:") else []


def _boundary(operation: str, parameters: dict[str, Any]) -> Values:
    """iam:PermissionsBoundary is the one asked for, or else the one that the role or user already has."""
    if operation == "CreateRole" or "PermissionsBoundary" in parameters:
        return {}
    role = iam_service._roles.get(parameters.get("RoleName", ""))
    user = iam_service._users.get(parameters.get("UserName", ""))
    held = (role or user or {}).get("PermissionsBoundary")
    return {"iam:permissionsboundary": held} if held else {}


def text(value: Any) -> str | tuple[str, ...] | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return tuple(str(item.get("Region", item) if isinstance(item, dict) else item) for item in value)
    return None if value is None or isinstance(value, dict) else str(value)
