"""Whether this rotation may run, and how long its key is valid: from the admin secret's name and tags.

Only the platform's stack may write the tags (the secret's resource policy).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.shared.environment import Environment
from functions.shared.rotation_guard import Refused, match_name, name_in
from functions.shared.secrets_manager import SecretState
from myflux_keys import names
from myflux_keys.key_life import LONGEST_SECONDS

MARGIN_SECONDS: Final = 14 * 86_400
"""An admin key is valid this long beyond interval and overlap: two weeks to act when its rotation fails."""
MIN_OVERLAP_SECONDS: Final = 3600
"""The functions keep an admin key for five minutes, and run for fifteen at the longest."""


@dataclass(frozen=True)
class Lifetimes:
    """Seconds. `overlap` is how long a replaced key stays valid."""

    interval: int
    overlap: int

    @property
    def life(self) -> int:
        """From mint to expiry."""
        return min(self.interval + self.overlap + MARGIN_SECONDS, LONGEST_SECONDS)


def check_name(secret_id: str, environment: Environment) -> None:
    """Raises Refused for any secret but this cell's admin secret."""
    if match_name(secret_id, re.escape(environment.admin_secret)) is None:
        raise Refused(
            f"{name_in(secret_id)} is not {environment.admin_secret}: this function rotates only the admin key of cell "
            f"{environment.cell}"
        )


def read_lifetimes(state: SecretState) -> Lifetimes:
    """Raises Refused, naming the tag."""
    days, hours = (_whole(state.tags, tag) for tag in (names.TAG_EVERY_DAYS, names.TAG_OVERLAP_HOURS))
    lifetimes = Lifetimes(days * 86_400, hours * 3600)
    if not MIN_OVERLAP_SECONDS <= lifetimes.overlap <= lifetimes.interval:
        raise Refused(
            f"tags {names.TAG_EVERY_DAYS}={days} and {names.TAG_OVERLAP_HOURS}={hours} of {state.name}: "
            "the overlap must be at least 1 hour and at most the interval"
        )
    if lifetimes.interval + lifetimes.overlap > LONGEST_SECONDS:
        raise Refused(f"interval and overlap of {state.name} exceed a year, the longest life of an OpenAI key")
    return lifetimes


def _whole(tags: Mapping[str, str], tag: str) -> int:
    text = tags.get(tag, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise Refused(
            f"the admin secret's tag {tag}={text!r} is not a number: `pulumi up --refresh` on the platform's stack "
            "writes it"
        )
    return int(text)
