"""A sweep of one cell by hand: asked for in slices until all is done, and read for what a person must see to.

Owns the slices and the reading. Leaves out every rule about keys (`functions/sweep/`) and printing (`ops/cli/`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from functions.sweep.facts import NEEDS_A_PERSON
from myflux_keys.admin_budget import sweeps_a_minute
from ops.account import Account
from ops.actions import functions_client, orphans
from ops.actions.orphans import Orphan, Sides

SLICE_SECONDS: Final = 90
"""One call's time: short enough to say how far it is, long enough for the function's own pace."""
PER_MINUTE: Final = sweeps_a_minute(rotations=0)
"""Tenants, while nothing rotates."""
ADMIN_KEY_DAYS: Final = 14
"""As the alarm AdminKeyDaysLeft has it."""
BUSY_SECONDS: Final = 20.0
BUSY_ROUNDS: Final = 15


@dataclass
class Swept:
    """What a sweep found in one cell. `plan` holds the function's entries as they came: ids, words and times."""

    cell: str
    orphans: list[Orphan] = field(default_factory=list[Orphan])
    projects_failed: str | None = None
    """Why OpenAI's projects could not be listed; None where they were."""
    plan: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    rotation_overdue: dict[str, str] = field(default_factory=dict[str, str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    governance: str | None = None
    """OpenAI's refusal of a key such as ours; None where it grants one, or was not asked."""
    admin_key_days_left: float | None = None
    customers_admin_key_days_left: dict[str, float] = field(default_factory=dict[str, float])
    tenants: int = 0
    calls: int = 0
    done: bool = False

    @property
    def for_a_person(self) -> list[str]:
        """A sentence for each thing that the sweep cannot put right by itself."""
        said = [orphan.sentence for orphan in self.orphans]
        if self.projects_failed is not None:
            said.append(f"OpenAI's projects could not be compared with the secrets: {self.projects_failed}")
        said += [
            f"{entry['tenant']}: key {entry['key_id']} {_WORDS[entry['found']]}: {entry['reason']}."
            for entry in self.plan
            if entry["found"] in NEEDS_A_PERSON
        ]
        said += [
            f"{entry['tenant']}: key {entry['key_id']} should be ended and was not: {entry['outcome']}."
            for entry in self.plan
            if str(entry.get("outcome") or "").startswith("not done")
        ]
        said += [f"{tenant}: {why}." for tenant, why in self.rotation_overdue.items()]
        if self.admin_key_days_left is not None and self.admin_key_days_left < ADMIN_KEY_DAYS:
            said.append(f"the admin key of {self.cell} dies in {self.admin_key_days_left:.0f} days.")
        said += [
            f"the admin key that {tenant} gave dies in {days:.0f} days: ask them for another one, then `myflux-keys "
            f"admin-key set --tenant {tenant}`."
            for tenant, days in self.customers_admin_key_days_left.items()
            if days < ADMIN_KEY_DAYS
        ]
        if self.governance is not None:
            said.append(f"OpenAI would refuse the next rotations' keys: {self.governance}")
        return said + [f"{tenant} could not be looked at: {why}" for tenant, why in self.failed.items()]


_WORDS: Final = {
    "in_use": "is about to die and in use",
    "alive": "should be dead and answers",
    "foreign": "is not ours",
    "missing": "is gone",
}


@dataclass(frozen=True)
class Compared:
    """`tenants` are those whose secret is as it should be: their keys can be looked at one by one."""

    orphans: list[Orphan]
    projects_failed: str | None
    tenants: list[str]


def compare(account: Account, sides: Sides, tenants: Sequence[str] | None, *, dry_run: bool) -> Compared:
    """All sides of the cell. `tenants` None: all of them. `dry_run`: no numbers are told. Raises OperationError."""
    cell = account.cell
    event = {"action": "orphans", "tenants": list(tenants) if tenants else None, "dry_run": dry_run}
    answer = functions_client.call(cell, cell.names.sweep_function, event, account.functions)
    theirs = [orphans.told(entry, sides) for entry in answer["orphans"]]
    ours = [one for one in orphans.compared(sides) if tenants is None or one.tenant in tenants]
    return Compared(orphans.merged(theirs, ours), answer["projects_failed"], answer["tenants"])


def sweep(
    account: Account,
    tenants: Sequence[str] | None,
    *,
    dry_run: bool,
    governance: bool = False,
    progress: Callable[[Swept], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Swept:
    """`tenants` None: all that the cell has. `governance`: also ask OpenAI whether it still grants keys such as ours.
    `progress` is told after each slice. Raises OperationError.

    Not `done` at the end: OpenAI's Admin API had no turn for us in minutes; what was found until then stands.
    """
    cell = account.cell
    swept = Swept(cell.cell)
    event: dict[str, Any] = {
        "action": "sweep",
        "tenants": list(tenants) if tenants else None,
        "dry_run": dry_run,
        "governance": governance,
        "seconds": SLICE_SECONDS,
    }
    busy = 0
    while not swept.done and busy < BUSY_ROUNDS:
        answer = functions_client.call(cell, cell.names.sweep_function, event, account.functions)
        swept.plan += answer["plan"]
        swept.failed |= answer["failed"]
        swept.rotation_overdue = answer["rotation_overdue"]
        swept.customers_admin_key_days_left |= answer["customers_admin_key_days_left"]
        swept.admin_key_days_left = answer["admin_key_days_left"]
        swept.tenants += answer["tenants"]
        swept.calls += answer["calls"]
        swept.done = answer["done"]
        swept.governance = swept.governance or answer["governance"]
        event |= {"next": answer["next"], "governance": False}
        progress(swept)
        if not swept.done and not answer["tenants"]:
            busy += 1
            sleep(BUSY_SECONDS)
        else:
            busy = 0
    return swept
