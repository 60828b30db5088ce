"""In production, what can't be made again can't be deleted by mistake.

A stack does not say whether its cell is production, and a tag that said so could be left out with the protection. So
the pack's configuration says it; and without being told, one thing that is protected shows that the others must be too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .model import Finding, Resource, Rule, Stack, violation

_INVOCATION: Final = "aws:lambda/invocation:Invocation"


def _irreplaceable(stack: Stack) -> list[Resource]:
    kinds = (ownership.A_SECRET, ownership.KEY)
    return [
        one
        for one in stack
        if (one.type in kinds and ownership.is_ours(one))
        or (one.type == _INVOCATION and '"myflux-' in str(one.get("input")))
    ]


def _cell(resource: Resource) -> str:
    place = ownership.place_of(resource.text("name"))
    return place.cell if place else resource.text("tags", "cell")


def _protected(stack: Stack, config: Config) -> Iterator[Finding]:
    found = _irreplaceable(stack)
    production = any(_cell(one) in config.production_cells for one in found)
    if not production and not any(one.protect for one in found):
        return
    for one in found:
        if not one.protect:
            yield violation(one, "protect", "it can be deleted though the cell is production")


DELETION_RULES: Final = (
    Rule(
        name="production-is-protected",
        severity="high",
        level="mandatory",
        description="In production cells secrets, KMS keys and OpenAI projects are protected from deletion.",
        rationale="One `pulumi destroy`, run in the wrong place or on purpose, ends every tenant's key for good.",
        fix="Set `production: true` in the cell's file, and name the cell in the pack's `productionCells`.",
        source="https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
        check=_protected,
        settings=("production_cells",),
    ),
)
