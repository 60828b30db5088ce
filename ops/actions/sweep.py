"""A sweep of one cell by command: calls the sweep function until all tenants are done, and reports what needs a person.

Owns the calls and the report. Leaves out every rule about keys (`functions/sweep/`) and printing (`ops/cli/`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from functions.sweep.facts import NEEDS_A_PERSON
from functions.sweep.trust import DeadTrust
from myflux_keys.admin_budget import sweeps_a_minute
from ops import ways_out
from ops.account import Account
from ops.actions import functions_client, orphans
from ops.actions.orphans import Orphan, Sides
from ops.actions.trust import sentence

SLICE_SECONDS: Final = 90
"""The length of one call: short enough to show progress, long enough for the function's own rate limit."""
PER_MINUTE: Final = sweeps_a_minute(rotations=0)
"""Tenants a minute, while nothing rotates."""
ADMIN_KEY_DAYS: Final = 14
"""The limit of the alarm AdminKeyDaysLeft."""
BUSY_SECONDS: Final = 20.0
BUSY_ROUNDS: Final = 15


@dataclass
class Swept:
    """The result of a sweep of one cell. `plan` holds the function's entries unchanged: ids, words and times."""

    cell: str
    orphans: list[Orphan] = field(default_factory=list[Orphan])
    projects_failed: str | None = None
    """Why OpenAI's projects could not be listed; None where they were."""
    plan: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    rotation_overdue: dict[str, str] = field(default_factory=dict[str, str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    trust: list[DeadTrust] = field(default_factory=list[DeadTrust])
    """Roles that read tenants' keys and trust a user or role that was deleted."""
    governance: str | None = None
    """OpenAI's refusal of the key that a rotation would make; None where it allows one, or was not checked."""
    admin_key_days_left: float | None = None
    customers_admin_key_days_left: dict[str, float] = field(default_factory=dict[str, float])
    tenants: int = 0
    calls: int = 0
    done: bool = False

    @property
    def for_a_person(self) -> list[str]:
        """A sentence for each problem that the sweep cannot repair by itself."""
        sentences = [orphan.sentence for orphan in self.orphans]
        if self.projects_failed is not None:
            sentences.append(f"OpenAI's projects could not be compared with the secrets: {self.projects_failed}")
        sentences += [
            f"{entry['tenant']}: key {entry['key_id']} {_WORDS[entry['found']]}: {entry['reason']}."
            for entry in self.plan
            if entry["found"] in NEEDS_A_PERSON
        ]
        sentences += [
            f"{entry['tenant']}: key {entry['key_id']} should be revoked and was not: {entry['outcome']}."
            for entry in self.plan
            if str(entry.get("outcome") or "").startswith("not done")
        ]
        sentences += [f"{tenant}: {why}." for tenant, why in self.rotation_overdue.items()]
        if self.admin_key_days_left is not None and self.admin_key_days_left < ADMIN_KEY_DAYS:
            sentences.append(
                f"the admin key of {self.cell} expires in {self.admin_key_days_left:.0f} days: "
                f"{ways_out.admin_key_replaced(self.cell)}."
            )
        sentences += [
            f"the customer's admin key of {tenant} expires in {days:.0f} days: ask them for another one, then "
            f"`myflux-keys admin-key set --tenant {tenant}`."
            for tenant, days in self.customers_admin_key_days_left.items()
            if days < ADMIN_KEY_DAYS
        ]
        sentences += [sentence(self.cell, dead) for dead in self.trust]
        if self.governance is not None:
            sentences.append(f"OpenAI would refuse the keys of the next rotations: {self.governance}")
        return sentences + [f"{tenant} could not be checked: {why}" for tenant, why in self.failed.items()]


_WORDS: Final = {
    "in_use": "expires soon and is still in use",
    "alive": "should be revoked, but still answers",
    "foreign": "was not made by MyFlux",
    "missing": "does not exist at OpenAI",
}


@dataclass(frozen=True)
class Compared:
    """`tenants` are those whose secret has no fault: their keys can be checked."""

    orphans: list[Orphan]
    projects_failed: str | None
    tenants: list[str]


def compare(account: Account, sides: Sides, tenants: Sequence[str] | None, *, dry_run: bool) -> Compared:
    """Compares files, stacks, secrets and projects. `tenants` None: all tenants. `dry_run`: the function sends no
    metrics. Raises OperationError."""
    cell = account.cell
    event = {"action": "orphans", "tenants": list(tenants) if tenants else None, "dry_run": dry_run}
    answer = functions_client.call(cell, cell.names.sweep_function, event, account.functions)
    by_function = [orphans.from_answer(entry, sides) for entry in answer["orphans"]]
    by_command = [one for one in orphans.compared(sides) if tenants is None or one.tenant in tenants]
    return Compared(orphans.merged(by_function, by_command), answer["projects_failed"], answer["tenants"])


def sweep(
    account: Account,
    tenants: Sequence[str] | None,
    *,
    dry_run: bool,
    governance: bool = False,
    progress: Callable[[Swept], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Swept:
    """`tenants` None: all tenants of the cell. `governance`: also check whether OpenAI still allows the keys that
    rotations make. `progress` is called after each call of the function. Raises OperationError.

    If the result is not `done`, OpenAI's Admin API was busy for minutes; the result holds what was found until then.
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
        swept.trust += [DeadTrust(**entry) for entry in answer["trust"]]
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
