"""KMS behind a secret's value.

Owns which KMS call each read and write makes for its caller, and what the key must be. Leaves out the evaluation of
policies (`local.aws.iam.authorize`) and the cipher itself: values are kept as they are. The AWS managed key
aws/secretsmanager, in force when a secret names no key, lets every user of the account through and so is not asked.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import kms

from local.aws.iam.authorize import AccessDenied, authorize
from local.aws.secrets.refusals import Refusal, invalid_parameter

USED = {"ministack.services.kms._resolve_key": "key_id_or_arn", "ministack.services.kms._check_key_state": "rec"}
"""Functions of MiniStack that are called here, with their parameters."""

MANAGED_ALIAS = "alias/aws/secretsmanager"
VALIDATION = "RequestToValidateKeyAccess"
"""The SecretVersionId in the encryption context when AWS tries a key that was just chosen for a secret."""

_CANNOT_ENCRYPT = (
    "EncryptionFailure",
    "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is "
    "available, enabled, and not in an invalid state.",
)
_CANNOT_DECRYPT = (
    "DecryptionFailure",
    "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
)


def is_managed(key_id: str | None) -> bool:
    return not key_id or key_id == MANAGED_ALIAS or key_id.endswith(f":{MANAGED_ALIAS}")


def validate(key_id: str | None, secret_arn: str) -> None:
    """Validates a key that is set for a secret: GenerateDataKey and Decrypt, with the validation's context."""
    key = _usable(key_id, _CANNOT_ENCRYPT)
    if key is not None:
        _may("kms:GenerateDataKey", key, secret_arn, VALIDATION)
        _may("kms:Decrypt", key, secret_arn, VALIDATION)


def encrypt(key_id: str | None, secret_arn: str, version_id: str) -> str | None:
    """GenerateDataKey for a new value. Returns the ARN of the key it is under, None for the managed key."""
    key = _usable(key_id, _CANNOT_ENCRYPT)
    if key is None:
        return None
    _may("kms:GenerateDataKey", key, secret_arn, version_id)
    return key["Arn"]


def decrypt(key_arn: str | None, secret_arn: str, version_id: str) -> None:
    """Decrypt for a value that is read, or compared with another."""
    key = _usable(key_arn, _CANNOT_DECRYPT)
    if key is not None:
        _may("kms:Decrypt", key, secret_arn, version_id)


def reencrypt(key_id: str | None, secret_arn: str, version_id: str, old_key_arn: str | None) -> str | None:
    """The key that a kept version is under after its secret's key changed.

    Without kms:Encrypt on the new key, AWS leaves the version under the old one and reports no error.
    """
    try:
        key = _usable(key_id, _CANNOT_ENCRYPT)
        if key is not None:
            _may("kms:Encrypt", key, secret_arn, version_id)
            _may("kms:GenerateDataKey", key, secret_arn, version_id)
        decrypt(old_key_arn, secret_arn, version_id)
    except Refusal:
        return old_key_arn
    return key["Arn"] if key is not None else None


def _usable(key_id: str | None, refusal: tuple[str, str]) -> dict[str, Any] | None:
    if key_id is None or is_managed(key_id):
        return None
    key = kms._resolve_key(key_id)
    if key is None or kms._check_key_state(key) is not None:
        raise Refusal(*refusal)
    if key["KeySpec"] != "SYMMETRIC_DEFAULT" or key["KeyUsage"] != "ENCRYPT_DECRYPT":
        raise invalid_parameter(f"The KMS key {key['Arn']} is not a symmetric encryption key, as a secret needs.")
    return key


def _may(action: str, key: dict[str, Any], secret_arn: str, version_id: str) -> None:
    context = {
        "kms:EncryptionContext:SecretARN": secret_arn,
        "kms:EncryptionContext:SecretVersionId": version_id,
        "kms:EncryptionContextKeys": ["SecretARN", "SecretVersionId"],
        "kms:CallerAccount": key["Arn"].split(":")[4],
    }
    try:
        authorize(action, key["Arn"], extra=context, via="secretsmanager")
    except AccessDenied:
        raise Refusal("AccessDeniedException", "Access to KMS is not allowed") from None
