"""DeleteSecret, RestoreSecret, and the end of a recovery window.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import secretsmanager as ministack

from local.aws.secrets import rotation_driver
from local.aws.secrets.refusals import invalid_parameter, invalid_request, replica_is_read_only, secret_not_found
from local.aws.secrets.store import LOCK, Record, acting_for, all_secrets, find, new_arn, now, resolve, touch

Request = dict[str, Any]
Answer = dict[str, Any]

_DAY = 24 * 3600
_DEFAULT_DAYS = 30


def delete_secret(request: Request) -> Answer:
    force = bool(request.get("ForceDeleteWithoutRecovery"))
    days: int | None = request.get("RecoveryWindowInDays")
    if force and days is not None:
        raise invalid_parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    if days is not None and not 7 <= days <= 30:
        raise invalid_parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
    with LOCK:
        _, secret = resolve(request["SecretId"])
        if secret is None:
            return _deleted_before(request["SecretId"], force=force)
        _check(secret, force=force)
        rotation_driver.stop(secret)
        if force:
            ministack._purge_secret(secret["Name"], secret)
            return _answer(secret, now())
        secret["DeletedDate"] = now() + (_DEFAULT_DAYS if days is None else days) * _DAY
        touch(secret)
        return _answer(secret, secret["DeletedDate"])


def _deleted_before(secret_id: str, *, force: bool) -> Answer:
    """Forcibly deleting a secret that isn't there is no error."""
    if not force:
        raise secret_not_found()
    arn = secret_id if secret_id.startswith("arn:") else new_arn(secret_id)
    return {"ARN": arn, "Name": secret_id, "DeletionDate": now()}


def _check(secret: Record, *, force: bool) -> None:
    if secret.get("DeletedDate") and not force:
        raise invalid_request(
            "You can't perform this operation on the secret because it was already scheduled for deletion."
        )
    if ministack._is_replica(secret):
        raise replica_is_read_only()
    regions = [status["Region"] for status in secret.get("ReplicationStatus", [])]
    if regions:
        raise invalid_request(
            f"You can't delete secret {secret['Name']} that still has replica regions {regions}. "
            "Remove them with RemoveRegionsFromReplication first."
        )


def _answer(secret: Record, deletion_date: float) -> Answer:
    return {"ARN": secret["ARN"], "Name": secret["Name"], "DeletionDate": deletion_date}


def restore_secret(request: Request) -> Answer:
    with LOCK:
        secret = find(request["SecretId"])
        if ministack._is_replica(secret):
            raise replica_is_read_only()
        # Restoring a secret that isn't scheduled for deletion changes nothing and is no error.
        secret["DeletedDate"] = None
        touch(secret)
        return {"ARN": secret["ARN"], "Name": secret["Name"]}


def purge_expired() -> None:
    """Removes the secrets whose recovery window has ended."""
    moment = now()
    for secret in all_secrets():
        if secret.get("DeletedDate") and secret["DeletedDate"] <= moment:
            with LOCK, acting_for(secret):
                if ministack._secrets.get(secret["Name"]) is secret and not ministack._is_replica(secret):
                    ministack._purge_secret(secret["Name"], secret)
