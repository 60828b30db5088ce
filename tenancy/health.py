"""How often the health function of a cell looks at its tenants."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from tenancy.fields import Model, Whole, refused

CALLED_EVERY_MINUTES: Final = 10
"""The schedule calls the function so often. A call between two cycles finishes one that ran out of time, or ends."""
SHORTEST_MINUTES: Final = 20
"""A call works for at most 10 minutes, and the next one finishes what it left."""
LONGEST_MINUTES: Final = 240


def _every(minutes: int) -> int:
    if minutes < SHORTEST_MINUTES:
        refused(
            "bad-health-interval",
            f"A cycle may take longer than {minutes} minutes: OpenAI allows few Admin API calls a minute.",
            f"write {SHORTEST_MINUTES} or more.",
        )
    if minutes > LONGEST_MINUTES:
        refused(
            "bad-health-interval",
            f"With {minutes} minutes between two looks, customers would notice trouble first.",
            f"write {LONGEST_MINUTES} or less.",
        )
    if minutes % CALLED_EVERY_MINUTES:
        refused(
            "bad-health-interval",
            f"The health function is called every {CALLED_EVERY_MINUTES} minutes, so it cannot look every {minutes}.",
            f"write {round(minutes / CALLED_EVERY_MINUTES) * CALLED_EVERY_MINUTES}.",
        )
    return minutes


class Health(Model):
    """The health function's schedule."""

    every_minutes: Annotated[
        Whole,
        AfterValidator(_every),
        Field(
            description="Minutes between two looks at every tenant: 20 to 240, a multiple of 10.",
            examples=[60],
            json_schema_extra={
                "minimum": SHORTEST_MINUTES,
                "maximum": LONGEST_MINUTES,
                "multipleOf": CALLED_EVERY_MINUTES,
            },
        ),
    ] = 60
