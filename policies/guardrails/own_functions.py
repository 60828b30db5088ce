"""The functions of a cell, as a table of the pack's own.

The program uses myflux_keys/cell_functions.py. This table repeats it on purpose: a new permission there needs a change
here too, which a reviewer sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class OurFunction:
    """`kind` is the end of its name and of its role's, after ``myflux-<cell>-``; `folder` that of its code."""

    kind: str
    folder: str
    reads_tenants: bool = False
    writes_tenants: bool = False
    reads_admin: bool = False
    """The cell's own admin key."""
    writes_admin: bool = False
    reads_customers: bool = False
    """The admin keys that customers gave."""
    lists_secrets: bool = False
    reads_trust: bool = False
    """Whom the runtime's roles trust."""
    sends_metrics: bool = False
    watches: bool = False
    """Tenants' declarations: it reads them, remembers what it found, and sends messages to the alarms' topic."""
    reads_handovers: bool = False
    """Who handed keys over, from the bucket of declarations."""
    takes_in: bool = False
    """The page where customers hand in keys, which the public reaches by a URL."""
    promotes: bool = False
    """Writes tenants' secrets, and reads none: keys that customers handed in."""
    rule: str = ""
    """The end of the name of the rule that calls it at least daily; empty if no schedule calls it."""
    event: Mapping[str, tuple[Any, ...]] | None = None
    """The fields that the schedule's event must have, each with the values that it may have."""


OUR_FUNCTIONS: Final = (
    OurFunction(
        "rotation",
        "rotation",
        reads_tenants=True,
        writes_tenants=True,
        reads_admin=True,
        reads_customers=True,
    ),
    OurFunction("provisioner", "provisioner", reads_admin=True, reads_customers=True),
    OurFunction(
        "admin-rotator",
        "admin_rotation",
        reads_admin=True,
        writes_admin=True,
        rule="admin-tidy",
        event={"action": ("tidy",)},
    ),
    OurFunction(
        "sweep",
        "sweep",
        reads_tenants=True,
        reads_admin=True,
        reads_customers=True,
        lists_secrets=True,
        reads_trust=True,
        sends_metrics=True,
        reads_handovers=True,
        rule="sweep",
        event={"action": ("sweep",), "dry_run": (False, None), "due": (True,), "tenants": (None,)},
    ),
    OurFunction(
        "health",
        "health",
        reads_tenants=True,
        reads_admin=True,
        reads_customers=True,
        lists_secrets=True,
        sends_metrics=True,
        watches=True,
        rule="health",
        event={"every_minutes": tuple(range(20, 241, 10))},
    ),
    OurFunction("connect", "connect", takes_in=True),
    OurFunction("promoter", "promoter", promotes=True, rule="promoter", event={}),
)
KINDS: Final = tuple(one.kind for one in OUR_FUNCTIONS)
READERS: Final = frozenset(one.kind for one in OUR_FUNCTIONS if one.reads_tenants)
WRITERS: Final = frozenset(one.kind for one in OUR_FUNCTIONS if one.writes_tenants)
ADMIN_READERS: Final = frozenset(one.kind for one in OUR_FUNCTIONS if one.reads_admin)
ADMIN_WRITERS: Final = frozenset(one.kind for one in OUR_FUNCTIONS if one.writes_admin)
PAGES: Final = tuple(one.kind for one in OUR_FUNCTIONS if one.takes_in)
PROMOTERS: Final = tuple(one.kind for one in OUR_FUNCTIONS if one.promotes)
WATCHERS: Final = tuple(one.kind for one in OUR_FUNCTIONS if one.watches or one.reads_handovers)
BECOME_RUNTIME: Final = tuple(one.kind for one in OUR_FUNCTIONS if one.watches)
"""They may assume the runtime role, to call OpenAI as a tenant without a key."""
SCHEDULED: Final = tuple(one for one in OUR_FUNCTIONS if one.rule)
