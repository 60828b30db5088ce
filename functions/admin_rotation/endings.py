"""Decides which admin keys to delete, from OpenAI's list and the secret's state, without I/O.

"Now" is OpenAI's time, from its answers: the function's clock may be wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from functions.admin_rotation.guard import MIN_OVERLAP_SECONDS
from functions.shared.admin_keys import AdminKeyRecord
from myflux_keys import names


@dataclass(frozen=True)
class Ending:
    """`end`: delete the key. `still_used`: report that somebody outside uses it; a person decides."""

    key: AdminKeyRecord
    action: Literal["end", "still_used"]


def endings(
    keys: Iterable[AdminKeyRecord],
    *,
    cell: str,
    current: AdminKeyRecord,
    replaced: AdminKeyRecord | None,
    kept_versions: Collection[str],
    changed_at: float | None,
    now: float | None,
    overlap: int,
) -> list[Ending]:
    """`replaced` is the key of AWSPREVIOUS, whoever made it; `kept_versions` those with AWSCURRENT or AWSPENDING.

    Two kinds of key are deleted once the secret has not changed for `overlap` seconds: keys that a rotation made and
    no kept version holds, and a key that a person stored and a rotation replaced. Others may use the latter, so it is
    kept if it was used after the overlap. All other keys are kept.
    """
    if now is None or changed_at is None or now - changed_at < overlap:
        return []
    kept = {names.admin_key_name(cell, version) for version in kept_versions}
    prefix = names.admin_key_name(cell, "")
    found: list[Ending] = []
    for key in keys:
        # A key made after the secret was read belongs to a rotation that began since.
        if key.id == current.id or key.name in kept or now - key.created_at < overlap:
            continue
        if key.name.startswith(prefix):
            found.append(Ending(key, "end"))
        elif replaced is not None and key.id == replaced.id:
            late = key.last_used_at is not None and key.last_used_at > changed_at + MIN_OVERLAP_SECONDS
            found.append(Ending(key, "still_used" if late else "end"))
    return found
