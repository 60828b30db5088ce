"""How often a tenant's key rotates, and how long a key is valid.

Owns the interval, the overlap and the limits that AWS and OpenAI set on them. Leaves out the schedule
(`tenancy/slots.py`) and the rotation itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator

from myflux_keys.key_life import LONGEST_DAYS, LONGEST_HOURS, MARGIN_HOURS
from tenancy import slots
from tenancy.fields import Model, Whole, refuse
from tenancy.problems import Refusal

AWS_SHORTEST_HOURS: Final = 4
"""https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html"""


class Rotation(Model):
    """When the key changes, and how long the previous key stays valid. Set `every_days` or `every_hours`, not both."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["every_days"]}, {"required": ["every_hours"]}]}
    )

    every_days: Annotated[
        Whole | None,
        Field(
            description="Longest time between two rotations, in days. AWS's schedules cannot count days across months, "
            "so the rarest regular pattern within it is used: 7 means once a week, 30 twice a month, 31 once a month, "
            "90 every second month.",
            examples=[31],
            json_schema_extra={"minimum": 1, "maximum": 361},
        ),
    ] = None
    every_hours: Annotated[
        Whole | None,
        Field(
            description="Hours between two rotations, for less than a day: 4, 6, 8 or 12.",
            examples=[12],
            json_schema_extra={"enum": list(slots.HOURLY_STEPS)},
        ),
    ] = None
    overlap_hours: Annotated[
        Whole,
        Field(
            description="Hours that the previous key stays valid after a rotation, at least 1, since readers cache a "
            "key for up to an hour. At most the shortest time between two rotations.",
            examples=[24],
            json_schema_extra={"minimum": 1},
        ),
    ]

    @property
    def interval_hours(self) -> int:
        """The longest time between two rotations that the tenant accepts, in hours."""
        return self.every_hours or 24 * (self.every_days or 0)

    @property
    def whole_days(self) -> int:
        """The interval in days, rounded up: what the tag `myflux:every-days` holds."""
        return -(-self.interval_hours // 24)

    @model_validator(mode="after")
    def _rules(self) -> Self:
        refuse(rotation_refusals(self.every_days, self.every_hours, self.overlap_hours))
        return self


def rotation_refusals(every_days: int | None, every_hours: int | None, overlap_hours: int) -> Iterator[Refusal]:
    if (every_days is None) == (every_hours is None):
        reason = "A rotation needs exactly one of `every_days` and `every_hours` (for less than a day)."
        yield Refusal("one-interval", reason, "keep one of the two, for example every_days: 31.")
        return
    if every_hours is not None:
        yield from _hours_refusals(every_hours)
    elif every_days is not None and every_days < 1:
        reason = f"The interval must be at least 1 day, got {every_days}."
        yield Refusal("interval-too-short", reason, "write every_days: 1 or more, or every_hours: 4.", ("every_days",))
    if overlap_hours < 1:
        reason = f"The overlap must be at least 1 hour, got {overlap_hours}: readers cache a key for up to an hour."
        yield Refusal("overlap-too-short", reason, "write overlap_hours: 1 or more; 24 is usual.", ("overlap_hours",))
    interval = every_hours if every_hours is not None else 24 * (every_days or 0)
    if every_hours in slots.HOURLY_STEPS or (every_days or 0) >= 1:
        yield from _overlap_refusals(interval, overlap_hours)


def _hours_refusals(every_hours: int) -> Iterator[Refusal]:
    if every_hours < AWS_SHORTEST_HOURS:
        reason = f"AWS rotates a secret at most every {AWS_SHORTEST_HOURS} hours, got every {every_hours}."
        way_out = "write every_hours: 4 or more, or every_days for a day or more."
        yield Refusal("interval-too-short", reason, way_out, ("every_hours",))
    elif every_hours not in slots.HOURLY_STEPS:
        fitting = max(step for step in slots.HOURLY_STEPS if step <= every_hours)
        way_out = f"write every_hours: {fitting}, or every_days for a day or more."
        reason = "AWS's schedules start again each day, so the hours must divide a day evenly: 4, 6, 8 or 12."
        yield Refusal("interval-uneven", reason, way_out, ("every_hours",))


def longest_overlap(interval: int) -> int:
    """The longest overlap that fits the interval, both in hours; below 1 where the interval alone is too long."""
    return min(slots.shortest_gap_hours(interval), LONGEST_HOURS - MARGIN_HOURS - interval)


def _longest_days(overlap: int) -> int | None:
    """The longest interval that the overlap fits, in days; None where it fits none."""
    return next((days for days in range(LONGEST_DAYS, 0, -1) if overlap <= longest_overlap(24 * days)), None)


def _shortest_days(overlap: int) -> int | None:
    return next((days for days in range(1, LONGEST_DAYS) if overlap <= longest_overlap(24 * days)), None)


def _overlap_refusals(interval: int, overlap: int) -> Iterator[Refusal]:
    """Each way out is accepted by these rules; where two come at once, both together are."""
    life = (
        f"A key lives for interval, overlap and a margin of {MARGIN_HOURS} hours, and OpenAI's longest key life is "
        f"{LONGEST_DAYS} days."
    )
    days = _longest_days(overlap)
    if longest_overlap(interval) < 1:
        longest = days or _longest_days(1) or 1
        yield Refusal("key-life-too-long", life, f"write every_days: {longest} or less.", ("every_days",))
        interval = 24 * longest
    gap, most = slots.shortest_gap_hours(interval), longest_overlap(interval)
    if overlap > gap == most:
        words = f"every {interval} hours" if interval < 24 else slots.pattern(interval // 24).words
        reason = (
            f"This interval means a rotation {words}, and two of them can be only {gap} hours apart: with a longer "
            "overlap, three keys would be valid at once."
        )
        longer = _shortest_days(overlap) if interval < 24 else None
        # First, since a consumer may need more than an interval of hours allows.
        instead = f"every_days: {longer} in place of every_hours, or " if longer else ""
        yield Refusal("overlap-too-long", reason, f"write {instead}overlap_hours: {most} or less.", ("overlap_hours",))
    elif overlap > most:
        shorter = f", or every_days: {days} or less" if days else ""
        yield Refusal("key-life-too-long", life, f"write overlap_hours: {most} or less{shorter}.", ("overlap_hours",))
