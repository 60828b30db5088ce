"""In production, resources that cannot be restored are protected from deletion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from . import ownership
from .config import Config
from .model import Finding, Resource, Rule, Stack, violation


def _irreplaceable(stack: Stack) -> list[Resource]:
    kinds = (ownership.A_SECRET, ownership.KEY)
    return [one for one in stack if (one.type in kinds and ownership.is_ours(one)) or ownership.makes_project(one)]


def _cell(resource: Resource) -> str:
    place = ownership.place_of(resource.text("name"))
    return place.cell if place else resource.text("tags", "cell")


def _protected(stack: Stack, config: Config) -> Iterator[Finding]:
    # A stack does not say whether its cell is production. The pack's configuration does; without it, one protected
    # resource means that the others must be protected too.
    found = _irreplaceable(stack)
    production = any(_cell(one) in config.production_cells for one in found)
    if not production and not any(one.protect for one in found):
        return
    for one in found:
        if not one.protect:
            yield violation(one, "protect", "it is not protected from deletion, and the cell is production")


DELETION_RULES: Final = (
    Rule(
        name="production-is-protected",
        severity="high",
        level="mandatory",
        description="In production cells, secrets, KMS keys and OpenAI projects are protected from deletion.",
        rationale="One `pulumi destroy`, by mistake or on purpose, deletes every tenant's key for ever.",
        fix="Set `production: true` in the cell's file, and name the cell in the pack's `productionCells`.",
        source="https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
        check=_protected,
        settings=("production_cells",),
    ),
)
