"""The condition keys of Secrets Manager, each only for the actions that the service authorization reference lists it
for.

Left empty, so never met: aws:ResourceTag of CreateSecret, since no page says which tags a secret has that does not
exist yet.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
"""

from __future__ import annotations

from typing import Any, Final

from ministack.services import kms as kms_service
from ministack.services import secretsmanager as secrets_service

from local.aws.iam.key_values import Values, filled

_PARAMETERS: Final[dict[str, dict[str, str]]] = {
    "CreateSecret": {
        "AddReplicaRegions": "AddReplicaRegions",
        "Description": "Description",
        "ForceOverwriteReplicaSecret": "ForceOverwriteReplicaSecret",
        "KmsKeyId": "KmsKeyId",
        "Name": "Name",
        "Type": "Type",
    },
    "DeleteSecret": {
        "ForceDeleteWithoutRecovery": "ForceDeleteWithoutRecovery",
        "RecoveryWindowInDays": "RecoveryWindowInDays",
    },
    "GetSecretValue": {"VersionId": "VersionId", "VersionStage": "VersionStage"},
    "PutResourcePolicy": {"BlockPublicPolicy": "BlockPublicPolicy"},
    "ReplicateSecretToRegions": {
        "AddReplicaRegions": "AddReplicaRegions",
        "ForceOverwriteReplicaSecret": "ForceOverwriteReplicaSecret",
    },
    "RotateSecret": {
        "ExternalSecretRotationRoleArn": "ExternalSecretRotationRoleArn",
        "RotateImmediately": "RotateImmediately",
        "RotationLambdaARN": "RotationLambdaARN",
    },
    "UpdateSecret": {"Description": "Description", "KmsKeyId": "KmsKeyId", "Type": "Type"},
    "UpdateSecretVersionStage": {"VersionStage": "VersionStage"},
}
"""By operation: its parameter, then the key without its service."""

_SECRET: Final = {
    "RotationLambdaARN": "resource/AllowRotationLambdaArn",
    "Type": "resource/Type",
    "_PrimaryRegion": "SecretPrimaryRegion",
}
"""What a secret holds, as MiniStack keeps it, then the key: for every operation on a secret that exists."""


def secret_keys(operation: str, parameters: dict[str, Any], resource: str) -> Values:
    found: dict[str, Any] = {
        f"secretsmanager:{key}": parameters.get(name) for name, key in _PARAMETERS.get(operation, {}).items()
    }
    if operation in ("CreateSecret", "UpdateSecret"):
        key = kms_service._resolve_key(parameters.get("KmsKeyId"))
        found["secretsmanager:KmsKeyArn"] = key["Arn"] if key else None
    if operation == "RotateSecret":
        found["secretsmanager:ModifyRotationRules"] = "RotationRules" in parameters
    if operation != "CreateSecret" and "SecretId" in parameters:
        # The parameter may be a name; the key holds the ARN.
        found["secretsmanager:SecretId"] = resource
        secret = stored(resource) or {}
        found |= {f"secretsmanager:{key}": secret.get(name) for name, key in _SECRET.items()}
        if secret.get("ReplicationStatus"):
            found["secretsmanager:SecretPrimaryRegion"] = resource.split(":")[3]
    return filled(found)


def stored(resource: str) -> dict[str, Any] | None:
    """By name: MiniStack's own search by ARN walks through every secret there is."""
    return secrets_service._secrets.get(resource.partition(":secret:")[2][:-7])
