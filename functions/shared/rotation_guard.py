"""Whether a rotation may continue, by the secret's name and its versions' labels; and the errors that refuse it.

These rules hold for every secret. Rules about tags: `rotation/tenant.py` and `admin_rotation/guard.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from functions.shared.secrets_manager import CURRENT, PENDING, SecretState


class Refused(Exception):
    """This rotation must not run. The message has the rule and what to do; a repetition would fail too."""


class RotationError(Exception):
    """The step failed; Secrets Manager will repeat the rotation."""


def name_in(secret_id: str) -> str:
    """The secret's name; from an ARN, with the hyphen and six characters that Secrets Manager adds."""
    return secret_id.split(":secret:", 1)[1] if secret_id.startswith("arn:") else secret_id


def match_name(secret_id: str, pattern: str) -> re.Match[str] | None:
    """`pattern` against the whole name in an ARN, or against a bare name. None if it does not match."""
    return re.fullmatch(f"{pattern}(?:-[A-Za-z0-9]{{6}})?", name_in(secret_id))


def check_version(state: SecretState, version_id: str, *, turn_on: str, has_value: Callable[[str], bool]) -> None:
    """Raises Refused. `turn_on` completes the sentence "rotation is off for SECRET: ...". `has_value`: whether AWS
    keeps a value of a version, also of one without a label, which `state` does not show.

    AWS's template has the same guards. The rotation of a version without either label is over: to continue would make
    an old key current.
    """
    if not state.rotation_enabled:
        raise Refused(f"rotation is off for {state.name}: {turn_on}")
    if version_id not in state.stages and has_value(version_id):
        # AWS repeats a rotation that has just given its version up, and reports only the last failure.
        raise Refused(
            f"version {version_id} of {state.name} has a key but no label: its rotation was given up, since the key is "
            "not valid, or expires before the next rotation, or a person stored a value; or it is long over. Rotate "
            "again for a new key"
        )
    if version_id not in state.stages:
        raise Refused(
            f"{state.name} has no version {version_id}: Secrets Manager creates it before it calls createSecret. If "
            f"somebody removed its {PENDING}, rotate again"
        )
    if not state.stages[version_id] & {PENDING, CURRENT}:
        raise Refused(f"version {version_id} of {state.name} is neither {PENDING} nor {CURRENT}: its rotation is over")
