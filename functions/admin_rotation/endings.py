"""Which admin keys have outlived their use: decisions on what OpenAI lists and what the secret holds, without any I/O.

Owns the rules. Leaves out calls. "Now" is OpenAI's own time, as its answers tell it: the function's clock may be wrong.
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
    """`end` it, or report that somebody outside still uses it (`still_used`): then it is left to people."""

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

    Two kinds of key are ended once the secret has been at rest for `overlap` seconds: those of our making that no live
    version holds, and the one that a person had stored and a rotation replaced. The latter may be in other hands, so it
    is left where it was used after the overlap. Any other key is somebody else's and not looked at.
    """
    if now is None or changed_at is None or now - changed_at < overlap:
        return []
    kept = {names.admin_key_name(cell, version) for version in kept_versions}
    prefix = names.admin_key_name(cell, "")
    found: list[Ending] = []
    for key in keys:
        # A key made after the secret was looked at belongs to a rotation that began since.
        if key.id == current.id or key.name in kept or now - key.created_at < overlap:
            continue
        if key.name.startswith(prefix):
            found.append(Ending(key, "end"))
        elif replaced is not None and key.id == replaced.id:
            late = key.last_used_at is not None and key.last_used_at > changed_at + MIN_OVERLAP_SECONDS
            found.append(Ending(key, "still_used" if late else "end"))
    return found
