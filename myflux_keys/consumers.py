"""The table of consumers: who may use a tenant's key, and what each needs at a rotation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Consumer:
    """`name` is a field of `consumers` in a tenant's file, and a word of the secret's tag."""

    name: str
    least_overlap_hours: int = 0
    """The old key must stay valid at least this long after a new one is live."""
    reason: str = ""
    """Why the overlap must be that long."""
    hint: str = ""
    """What a person must do with each new key; empty where the consumer reads it by itself."""
    pasted: bool = False
    """A person hands each new key over, since the consumer has no API for it."""
    steps: tuple[str, ...] = ()
    """What that person clicks in the consumer's dashboard, in this order."""
    when_revoked: str = ""
    """What a revocation breaks for it, beside what it breaks for every reader."""


CONSUMERS: Final = (
    Consumer("myflux"),
    Consumer(
        "cinnox",
        least_overlap_hours=24,
        reason="A person pastes each new key into CINNOX, and needs a day for it before the old key expires.",
        hint="Paste it into CINNOX's dashboard",
        pasted=True,
        steps=(
            "Administration",
            "Service Integration",
            "Third Party Integration",
            "OpenAI",
            "Enable",
            "Edit",
            "Save",
        ),
        when_revoked="The key in CINNOX's dashboard is revoked too: CINNOX does not work until somebody pastes the new "
        "one.",
    ),
)

PASTED: Final = {consumer.name: consumer for consumer in CONSUMERS if consumer.pasted}
