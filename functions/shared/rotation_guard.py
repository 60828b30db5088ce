"""Whether a rotation may go on, by the secret's name and its versions' labels; and how a rotation says no.

The rules that hold for every secret. Each rotation has its own for the tags (`rotation/tenant.py`,
`admin_rotation/guard.py`).
"""

from __future__ import annotations

import re

from functions.shared.secrets_manager import CURRENT, PENDING, SecretState


class Refused(Exception):
    """This rotation must not run. The message says which rule and what to do; repeating it changes nothing."""


class RotationError(Exception):
    """The step failed; Secrets Manager will repeat the rotation."""


def name_in(secret_id: str) -> str:
    """The secret's name. At the end of an ARN's, the hyphen and six characters that Secrets Manager adds are kept."""
    return secret_id.split(":secret:", 1)[1] if secret_id.startswith("arn:") else secret_id


def match_name(secret_id: str, pattern: str) -> re.Match[str] | None:
    """`pattern` against the whole name in an ARN, or against a bare name. None where it does not fit."""
    return re.fullmatch(f"{pattern}(?:-[A-Za-z0-9]{{6}})?", name_in(secret_id))


def check_version(state: SecretState, version_id: str, *, turn_on: str) -> None:
    """Raises Refused. `turn_on` completes the sentence "rotation is off for SECRET: ...".

    AWS's template guards likewise. A version without either label is a rotation that is over: acting on it would bring
    an old key back.
    """
    if not state.rotation_enabled:
        raise Refused(f"rotation is off for {state.name}: {turn_on}")
    if version_id not in state.stages:
        raise Refused(
            f"{state.name} has no version {version_id}: Secrets Manager makes it before it calls createSecret"
        )
    if not state.stages[version_id] & {PENDING, CURRENT}:
        raise Refused(f"version {version_id} of {state.name} is neither {PENDING} nor {CURRENT}: its rotation is over")
