"""The KMS key that encrypts secrets in the state of the local cell's stacks, which is there before any stack, as a real
cell's is made by `bootstrap`: its policy lets those use it who deploy and who preview.

The same in every cell, its material too: the engine keeps what it derives from it beside the project, where the next
cell meets it. It protects nothing, since the state holds no secret and dies with the cell.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from ministack.services import kms as kms_service

from local.aws.iam.patching import UnexpectedShape
from local.aws.server import ACCOUNT_ID, STATE_KEY

_IAM: Final = f"arn:aws:iam::{ACCOUNT_ID}"


def install() -> None:
    """Called after the users are made. A kept cell that starts again has the key."""
    held, wanted = kms_service._keys, STATE_KEY.rpartition("/")[2]
    if wanted in held:
        return
    # KMS would ask whether the author may change the policy later: nobody is the author here.
    asked = {"Description": "state", "Policy": json.dumps(_POLICY), "BypassPolicyLockoutSafetyCheck": True}
    answer: tuple[int, Any, bytes | str] = kms_service._create_key(asked)
    if answer[0] != 200:
        raise UnexpectedShape(f"KMS's CreateKey answered {answer[0]} when the state's key was made: {answer[2]}")
    made = held.pop(json.loads(answer[2])["KeyMetadata"]["KeyId"])
    if not isinstance(made.get("_symmetric_key"), bytes):
        raise UnexpectedShape("a key of KMS has no `_symmetric_key`: the state's key cannot be the same in every cell")
    held[wanted] = made | {"KeyId": wanted, "Arn": STATE_KEY, "_symmetric_key": hashlib.sha256(b"state").digest()}


def _may(sid: str, principals: list[str], actions: list[str]) -> dict[str, Any]:
    principal = {"AWS": [f"{_IAM}:{name}" for name in principals]}
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}


_POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [
        _may("Account", ["root"], ["kms:*"]),
        _may("State", ["user/deployer", "user/ci"], ["kms:Decrypt", "kms:Encrypt"]),
    ],
}
