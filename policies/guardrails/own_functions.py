"""The functions of a cell, as a table of the pack's own.

The program uses myflux_keys/cell_functions.py. This table repeats it on purpose: a new permission there needs a change
here too, which a reviewer sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class OurFunction:
    """`kind` is the end of its name and of its role's, after ``myflux-<cell>-``; `folder` that of its code."""

    kind: str
    folder: str
    reads_tenants: bool = False
    writes_tenants: bool = False
    reads_admin: bool = False
    """The cell's own admin key, and those that customers gave where `own_grants` says so."""
    writes_admin: bool = False


OUR_FUNCTIONS: Final = (
    OurFunction(
        "rotation",
        "rotation",
        reads_tenants=True,
        writes_tenants=True,
        reads_admin=True,
    ),
    OurFunction("provisioner", "provisioner", reads_admin=True),
    OurFunction("admin-rotator", "admin_rotation", reads_admin=True, writes_admin=True),
    OurFunction("sweep", "sweep", reads_tenants=True, reads_admin=True),
)
KINDS: Final = tuple(one.kind for one in OUR_FUNCTIONS)
READERS: Final = frozenset(one.kind for one in OUR_FUNCTIONS if one.reads_tenants)
WRITERS: Final = frozenset(one.kind for one in OUR_FUNCTIONS if one.writes_tenants)
ADMIN_READERS: Final = frozenset(one.kind for one in OUR_FUNCTIONS if one.reads_admin)
ADMIN_WRITERS: Final = frozenset(one.kind for one in OUR_FUNCTIONS if one.writes_admin)
