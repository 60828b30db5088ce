"""The KMS key that encrypts secrets in the state of the local cell's stacks, made with the cell as `bootstrap` makes a
real cell's: its policy lets those who deploy and who preview use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from ministack.services import kms as kms_service

from local.aws.iam.patching import UnexpectedShape
from local.aws.iam.user_statements import ACCOUNT_ID

FILE: Final = "state-key"

_IAM: Final = f"arn:aws:iam::{ACCOUNT_ID}"


def install(home: Path) -> None:
    """Writes the key's ARN to `home/state-key`. A kept cell that starts again has both. Called after the users are
    made."""
    if (home / FILE).exists():
        return
    # KMS would ask whether the author may change the policy later: nobody is the author here.
    asked = {"Description": "state", "Policy": json.dumps(_POLICY), "BypassPolicyLockoutSafetyCheck": True}
    answer: tuple[int, Any, bytes | str] = kms_service._create_key(asked)
    if answer[0] != 200:
        raise UnexpectedShape(f"KMS's CreateKey answered {answer[0]} when the state's key was made: {answer[2]}")
    (home / FILE).write_text(json.loads(answer[2])["KeyMetadata"]["Arn"], encoding="ascii")


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
