"""Where secrets are stored, and how they are found.

Owns look-ups by name and ARN, the shape of a record, the lock and the clock. Leaves out versions and labels
(`labels`). The records are in MiniStack's own dictionaries, so that its other services read the same secrets. A look-up
by ARN takes the name from the ARN, so it takes as long as one by name, for any number of secrets: MiniStack compares
the ARN with every secret.
"""

from __future__ import annotations

import secrets as randomness
import string
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import secretsmanager as ministack

from local import clock
from local.aws.secrets.refusals import (
    marked_for_deletion,
    replica_is_read_only,
    secret_not_found,
)

Record = dict[str, Any]
"""A secret: ARN, Name, Description, Tags, KmsKeyId, CreatedDate, LastChangedDate, LastAccessedDate, DeletedDate (the
end of the recovery window), RotationEnabled, RotationLambdaARN, RotationRules, ReplicationStatus and Versions, from
version id to {SecretString, SecretBinary, CreatedDate, Stages, KeyArn}. No response contains a name that begins with an
underscore."""

LOCK = threading.RLock()
"""Held while a record changes: requests run on the event loop, rotations on other threads. Never held during a call."""

BY_ITSELF: list[Callable[[], None]] = []
"""Called when Secrets Manager itself has changed a record in a way that must not be forgotten: no request waits for it.
"""

_ARN_SUFFIX = 6
_SUFFIX_LETTERS = string.ascii_letters + string.digits


def now() -> float:
    """Seconds since the epoch by the cell's clock, to the millisecond, as in AWS's timestamps."""
    return round(clock.now(), 3)


def touch(secret: Record) -> None:
    """Sets LastChangedDate and copies the secret to its replicas."""
    secret["LastChangedDate"] = now()
    ministack._sync_replicas(secret)


def changed_by_itself() -> None:
    for act in BY_ITSELF:
        act()


def new_arn(name: str) -> str:
    suffix = "".join(randomness.choice(_SUFFIX_LETTERS) for _ in range(_ARN_SUFFIX))
    return f"arn:aws:secretsmanager:{get_region()}:{get_account_id()}:secret:{name}-{suffix}"


def resolve(secret_id: str | None, *, use_arn_scope: bool = False) -> tuple[str | None, Record | None]:
    """(name, record) of a secret by name, ARN, or ARN without its hyphen and six random characters; else (None, None).

    With `use_arn_scope` it searches the ARN's own Region, else only the request's. Replaces MiniStack's `_resolve`.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
    """
    if not secret_id:
        return None, None
    if not secret_id.startswith("arn:"):
        found = ministack._secrets.get(secret_id)
        return (secret_id, found) if found else (None, None)
    parts = secret_id.split(":", 6)
    if len(parts) != 7 or parts[2] != "secretsmanager" or parts[5] != "secret" or parts[4] != get_account_id():
        return None, None
    region, resource = parts[3], parts[6]
    if not use_arn_scope and region != get_region():
        return None, None
    complete = ministack._secrets.get_scoped(parts[4], region, resource[: -_ARN_SUFFIX - 1])
    if complete and complete["ARN"] == secret_id:
        return complete["Name"], complete
    partial = ministack._secrets.get_scoped(parts[4], region, resource)
    if partial and partial["ARN"][: -_ARN_SUFFIX - 1] == secret_id:
        return partial["Name"], partial
    return None, None


def find(secret_id: str) -> Record:
    """The secret. Raises Refusal if it does not exist."""
    _, secret = resolve(secret_id)
    if secret is None:
        raise secret_not_found()
    return secret


def find_live(secret_id: str) -> Record:
    """The secret, if it is not scheduled for deletion."""
    secret = find(secret_id)
    if secret.get("DeletedDate"):
        raise marked_for_deletion()
    return secret


def find_writable(secret_id: str) -> Record:
    """The secret, if it is live and primary: a replica changes only through its primary."""
    secret = find_live(secret_id)
    if ministack._is_replica(secret):
        raise replica_is_read_only()
    return secret


def still_there(secret: Record) -> bool:
    """Whether this record is still the stored one, and live: a secret may be deleted during its rotation."""
    account, region = scope_of(secret)
    stored = ministack._secrets.get_scoped(account, region, secret["Name"])
    return stored is secret and not secret.get("DeletedDate")


def scope_of(secret: Record) -> tuple[str, str]:
    """(account id, Region)."""
    parts = secret["ARN"].split(":", 6)
    return parts[4], parts[3]


@contextmanager
def acting_for(secret: Record) -> Generator[None]:
    """Sets the secret's account and Region for a thread without a request."""
    with request_scope(*scope_of(secret)):
        yield


def all_secrets() -> list[Record]:
    return list(ministack._secrets.all_values())
