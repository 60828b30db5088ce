"""What the health function of a cell remembers, read from the cell's bucket.

Its object is read, and the function is not asked: the bucket's policy lets those read who deploy the cell, who need it
most when the function does not work, and nobody gets a right for it (docs/adr/0039-what-the-health-function-knows.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import ClientError

from functions.health.state import State, StateError
from functions.health.store import STATE
from ops.account import Account
from ops.errors import code_of


@dataclass(frozen=True)
class Memory:
    """`state` None: there is none, or it was not read. Then `kind` is ``health_missing``, ``health_not_run`` or
    ``health_not_read``, and `why` a phrase without a full stop."""

    state: State | None
    kind: str = ""
    why: str = ""


def memory_of(account: Account) -> Memory:
    """Raises botocore's errors, other than a refusal and an absence."""
    bucket = account.cell.names.health_bucket
    try:
        text = account.buckets.get_object(Bucket=bucket, Key=STATE)["Body"].read().decode()
        return Memory(State.from_json(text))
    except (StateError, UnicodeDecodeError) as error:
        return Memory(None, "health_not_read", str(error))
    except ClientError as error:
        code = code_of(error)
        if code == "NoSuchBucket":
            return Memory(None, "health_missing", "the health function is not deployed")
        if code == "NoSuchKey":
            return Memory(None, "health_not_run", "the health function has not looked at the tenants yet")
        if code in ("AccessDenied", "403"):
            return Memory(
                None, "health_not_read", f"AWS denies you {STATE} of {bucket}, what the health function found"
            )
        raise
