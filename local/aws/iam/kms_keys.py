"""The condition keys of KMS: what a request asks for, and what the key that it uses is.

Leaves out kms:ViaService, which the service that acts for the caller fills (`authorize`), and the keys of operations
that the embedded AWS does not have. kms:RecipientAttestation comes from enclaves and is never filled.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
"""

from __future__ import annotations

from typing import Any, Final

from ministack.services import kms as kms_service

from local.aws.iam.key_values import Values, filled

_CONTEXT: Final = ("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
_PAIRS: Final = ("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")
_GRANTS: Final = ("CreateGrant", "ListGrants", "RevokeGrant")

_BY_ALIAS: Final = frozenset(
    {*_CONTEXT, *_PAIRS, "DescribeKey", "GenerateMac", "GetPublicKey", "Sign", "Verify", "VerifyMac"}
)
_PARAMETERS: Final[dict[str, dict[str, str]]] = {
    "CreateGrant": {
        "GranteePrincipal": "GranteePrincipal",
        "Operations": "GrantOperations",
        "RetiringPrincipal": "RetiringPrincipal",
    },
    "CreateKey": {"BypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck"},
    "EnableKeyRotation": {"RotationPeriodInDays": "RotationPeriodInDays"},
    "GenerateMac": {"MacAlgorithm": "MacAlgorithm"},
    "GetParametersForImport": {"WrappingAlgorithm": "WrappingAlgorithm", "WrappingKeySpec": "WrappingKeySpec"},
    "ImportKeyMaterial": {"ExpirationModel": "ExpirationModel", "ValidTo": "ValidTo"},
    "PutKeyPolicy": {"BypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck"},
    "ReplicateKey": {"ReplicaRegion": "ReplicaRegion"},
    "ScheduleKeyDeletion": {"PendingWindowInDays": "ScheduleKeyDeletionPendingWindowInDays"},
    "Sign": {"MessageType": "MessageType", "SigningAlgorithm": "SigningAlgorithm"},
    "Verify": {"MessageType": "MessageType", "SigningAlgorithm": "SigningAlgorithm"},
    "VerifyMac": {"MacAlgorithm": "MacAlgorithm"},
    **{pair: {"KeyPairSpec": "DataKeyPairSpec"} for pair in _PAIRS},
}
"""By operation: its parameter, then the key without its service."""

_DEFAULTS: Final = {"EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "MessageType": "RAW"}
_CREATED: Final = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS"}
"""Properties of a key, with the values of one that CreateKey makes when it is not told otherwise."""


def kms_keys(operation: str, asked: dict[str, Any] | None) -> Values:
    """What is asked for. `asked` is None where a service of AWS makes the call for its caller."""
    parameters = asked or {}
    found: dict[str, Any] = {
        f"kms:{key}": parameters.get(name, _DEFAULTS.get(name)) for name, key in _PARAMETERS.get(operation, {}).items()
    }
    if operation in (*_CONTEXT, *_PAIRS):
        found["kms:EncryptionAlgorithm"] = parameters.get("EncryptionAlgorithm", _DEFAULTS["EncryptionAlgorithm"])
        found |= encryption_context_keys(parameters.get("EncryptionContext") or {})
    if operation in _BY_ALIAS and "alias/" in str(parameters.get("KeyId", "")):
        # The parameter may be the alias's ARN; the key holds its name.
        found["kms:RequestAlias"] = "alias/" + parameters["KeyId"].partition("alias/")[2]
    if operation in ("CreateGrant", "RetireGrant"):
        found |= _constraints(parameters)
    if operation in _GRANTS:
        found["kms:GrantIsForAWSResource"] = asked is None
    return filled(found)


def key_property_keys(operation: str, parameters: dict[str, Any], resource: str) -> Values:
    """What the key is that the operation uses, or would create: also where a service uses the key for its caller."""
    if operation == "CreateKey":
        multi_region = bool(parameters.get("MultiRegion"))
        key: dict[str, Any] = {name: parameters.get(name, usual) for name, usual in _CREATED.items()}
        key |= {"MultiRegion": multi_region}
    else:
        key = kms_service._resolve_key(resource) or {} if ":key/" in resource else {}
        if not key:
            return {}
        multi_region = bool(key.get("MultiRegion"))
    arn = key.get("Arn")
    names = [name.partition("alias/")[2] for name, target in kms_service._aliases.items() if target == key.get("KeyId")]
    return filled(
        {
            "kms:CustomerMasterKeySpec": key.get("KeySpec"),
            "kms:CustomerMasterKeyUsage": key.get("KeyUsage"),
            "kms:KeyOrigin": key.get("Origin"),
            "kms:KeySpec": key.get("KeySpec"),
            "kms:KeyUsage": key.get("KeyUsage"),
            "kms:MultiRegion": multi_region,
            "kms:MultiRegionKeyType": key.get("_mrk_type", "PRIMARY") if multi_region else None,
            "kms:ResourceAliases": [f"alias/{name}" for name in names] if arn else None,
        }
    )


def encryption_context_keys(context: dict[str, str]) -> Values:
    """https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context"""
    keys: Values = {f"kms:encryptioncontext:{name}".lower(): value for name, value in context.items()}
    return keys | ({"kms:encryptioncontextkeys": tuple(context)} if context else {})


def _constraints(parameters: dict[str, Any]) -> dict[str, Any]:
    """Of the grant that is made, or that is retired."""
    grant = kms_service._grants.get(parameters.get("GrantId", "")) or parameters
    constraints: dict[str, Any] = grant.get("Constraints") or {}
    found: dict[str, Any] = {"kms:GrantConstraintType": next(iter(constraints), None)}
    for context in constraints.values():
        found |= encryption_context_keys(context) if isinstance(context, dict) else {}
    return found
