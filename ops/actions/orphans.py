"""Compares a cell's tenant files, stacks, secrets and OpenAI projects, and reports what exists without the others.

Owns the comparison of files, stacks and secrets, which is pure, and the sentences that say what to do. Leaves out
OpenAI's projects, which only a function can read (`functions/sweep/orphans.py`), and reading the stacks' states
(`ops/stacks/backend.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from functions.sweep.tenants import ListedSecret, listed_secrets
from myflux_keys.aws_names import CellNames
from ops import ways_out
from ops.account import Account
from tenancy import Cell, Fleet

RUNBOOK: Final = "docs/runbook.md"
KINDS: Final = (
    "SecretDeleted",
    "SecretMissing",
    "SecretMistagged",
    "ProjectMissing",
    "FederationLeft",
    "FileMissing",
    "StackMissing",
)
"""Each has a section of that name in the runbook. Only commands find the last two: functions cannot read files."""


@dataclass(frozen=True)
class Orphan:
    """`keys` are the ids of the keys that are valid at OpenAI; None: not checked. `deletion` is AWS's date. `way_out`
    is a sentence that says what to do."""

    tenant: str
    cell: str
    kind: str
    reason: str
    way_out: str
    deletion: datetime | None = None
    keys: tuple[str, ...] | None = None

    @property
    def sentence(self) -> str:
        facts = [f"{self.tenant}: {self.reason}.", *_keys(self)]
        return " ".join([*facts, f"{self.way_out} ({RUNBOOK}#{self.kind.lower()})"])

    def as_json(self) -> dict[str, Any]:
        """An entry of `orphans` in the output of `status --json` and `sweep --json`."""
        return {
            "tenant": self.tenant,
            "kind": self.kind,
            "reason": self.reason,
            "deletion": None if self.deletion is None else self.deletion.isoformat(),
            "keys": None if self.keys is None else list(self.keys),
            "way_out": self.way_out,
        }


def _keys(orphan: Orphan) -> Iterator[str]:
    if orphan.kind in ("FederationLeft", "FileMissing", "StackMissing"):
        return
    if orphan.keys is None:
        yield f"Its keys at OpenAI were not checked: `myflux-keys sweep --cell {orphan.cell}` checks them."
    elif not orphan.keys:
        yield "It has no valid key at OpenAI."
    else:
        count = len(orphan.keys)
        yield f"{count} key{' is' if count == 1 else 's are'} still valid at OpenAI: {', '.join(orphan.keys)}."


@dataclass(frozen=True)
class Sides:
    """One cell. `files` are the slugs of its tenants' files, `elsewhere` maps a slug to the other cell that its file
    names. `stacks` are the slugs of tenants whose stack has a state; None: the states were not read."""

    cell: Cell
    files: Collection[str]
    elsewhere: Mapping[str, str]
    stacks: Collection[str] | None
    secrets: tuple[ListedSecret, ...]
    now: datetime
    keyless: Collection[str] = ()
    """Slugs of tenants whose files say that they need no secret."""
    ruled: Collection[str] = ()
    """Slugs of tenants whose files say that they have a federation rule."""
    returning: Collection[str] = ()
    """Slugs of tenants that are being switched to a key: their rule goes last."""


def sides(account: Account, fleet: Fleet, stacks: Collection[str] | None, now: datetime) -> Sides:
    """`stacks` are all names of stacks, or None. Raises botocore's errors."""
    cell = account.cell
    here = fleet.tenants_of(cell)
    return Sides(
        cell,
        [tenant.tenant for tenant in here],
        {slug: tenant.cell for slug, tenant in fleet.tenants.items() if tenant.cell != cell.cell},
        None if stacks is None else _tenants(stacks, cell.names),
        tuple(listed_secrets(account.secrets, cell.cell)),
        now,
        [tenant.tenant for tenant in here if not tenant.has_key],
        [tenant.tenant for tenant in here if tenant.has_identity and tenant.enabled],
        [tenant.tenant for tenant in here if tenant.credential == "key" and tenant.has_identity],
    )


def _tenants(stacks: Iterable[str], names: CellNames) -> set[str]:
    end = f".{names.cell}"
    return {stack.removesuffix(end) for stack in stacks if stack.endswith(end)}


def compared(sides: Sides) -> list[Orphan]:
    """Orphans among files, stacks and secrets, by tenant."""
    by_tenant = {secret.tenant: secret for secret in sides.secrets if secret.tenant}
    return [
        orphan
        for slug in sorted({*sides.files, *(sides.stacks or ()), *by_tenant})
        for orphan in _of_tenant(sides, slug, by_tenant.get(slug))
    ]


def _of_tenant(sides: Sides, slug: str, secret: ListedSecret | None) -> Iterator[Orphan]:
    filed, stacked = slug in sides.files, sides.stacks is not None and slug in sides.stacks
    stack = sides.cell.names.tenant(slug).stack
    if slug in sides.keyless and (secret is None or secret.deletion is not None):
        # Without a key there is no secret, or the one that it had is going.
        pass
    elif secret is not None and secret.deletion is not None:
        if filed or stacked:
            reason = f"deletion of its secret {secret.name} is scheduled"
            yield _orphan(sides, slug, "SecretDeleted", reason, deletion=secret.deletion)
    elif secret is not None and (misfits := secret.misfits(sides.cell.cell)):
        tags = ", ".join(f"no tag {tag}" if value is None else f"tag {tag}={value}" for tag, value in misfits.items())
        reason = f"its secret {secret.name} has {tags}: rotation and sweep find secrets by their tags, and skip it"
        yield _orphan(sides, slug, "SecretMistagged", reason)
    elif secret is None and filed and (stacked or sides.stacks is None):
        known = f"stack {stack} has a state" if stacked else "it has a file (stacks were not checked)"
        yield _orphan(sides, slug, "SecretMissing", f"{known}, but there is no secret")
    living = secret is not None and secret.deletion is None
    if not filed and (stacked or living):
        what = f"stack {stack} has a state" if stacked else "it has a secret"
        other = sides.elsewhere.get(slug)
        file = f"its file names cell {other}" if other else "it has no file"
        yield _orphan(sides, slug, "FileMissing", f"{what}, but {file}")
    if filed and sides.stacks is not None and not stacked and (living or secret is None):
        what = "it has a secret" if living else "it has a file"
        yield _orphan(sides, slug, "StackMissing", f"{what}, but stack {stack} has no state")


def from_answer(entry: Mapping[str, Any], sides: Sides) -> Orphan:
    """From an entry of the sweep function's answer."""
    deletion = datetime.fromisoformat(entry["deletion"]).timestamp() if entry["deletion"] else None
    keys = None if entry["keys"] is None else tuple(entry["keys"])
    return _orphan(sides, entry["tenant"], entry["kind"], entry["reason"], deletion=deletion, keys=keys)


def merged(functions: Iterable[Orphan], commands: Iterable[Orphan]) -> list[Orphan]:
    """Each orphan once. The function's entry wins: it has checked OpenAI too."""
    found = {(orphan.tenant, orphan.kind): orphan for orphan in commands}
    found |= {(orphan.tenant, orphan.kind): orphan for orphan in functions}
    return [orphan for _, orphan in sorted(found.items())]


def _orphan(
    sides: Sides,
    slug: str,
    kind: str,
    reason: str,
    *,
    deletion: float | None = None,
    keys: tuple[str, ...] | None = None,
) -> Orphan:
    date = None if deletion is None else datetime.fromtimestamp(deletion, UTC)
    if date is not None:
        # AWS gives no exact time of deletion after that date, so a secret that is still listed can be restored.
        when = f"{date:%Y-%m-%d %H:%M}Z"
        reason += (
            f"; AWS deletes it after {when}"
            if date > sides.now
            else f"; its date was {when}, so AWS may delete it at any time"
        )
    return Orphan(slug, sides.cell.cell, kind, reason, _way_out(sides, slug, kind), date, keys)


def _way_out(sides: Sides, slug: str, kind: str) -> str:
    names = sides.cell.names.tenant(slug)
    up = f"`myflux-keys up {slug}`"
    filed, has_secret = slug in sides.files, any(secret.tenant == slug for secret in sides.secrets)
    if kind == "FederationLeft" and slug in sides.returning:
        return f"`myflux-keys credential {slug} --key` ends its switch to a key, and deletes the rule."
    if kind == "FederationLeft" and slug in sides.ruled:
        return (
            f"`myflux-keys up {slug} --refresh` sets rule and provider again; OpenAI's audit log says who changed it."
        )
    if kind == "FederationLeft":
        return "Unless somebody else needs it, delete it on OpenAI's site, Settings, Workload identity."
    if kind == "SecretDeleted":
        return (
            f"Restore it: `aws secretsmanager restore-secret --secret-id {names.secret}`, then `myflux-keys adopt "
            f"{slug} --yes`{ways_out.if_archived(slug)}."
        )
    if kind == "SecretMissing" and filed:
        return f"{up} makes a secret with a new key; the sweep then revokes the orphaned keys."
    if kind == "SecretMissing":
        return "Archive the project on OpenAI's site: that revokes its keys, and is final."
    if kind == "SecretMistagged" and not any(secret.tenant == slug for secret in sides.secrets):
        return "Find its owner, then remove MyFlux's tags from it or delete it."
    if kind == "SecretMistagged":
        deployed = sides.stacks is None or slug in sides.stacks
        return f"{up} restores its tags." if deployed else f"`myflux-keys adopt {slug} --yes` adds missing tags."
    if kind == "ProjectMissing":
        return f"OpenAI cannot restore a project: `myflux-keys offboard {slug}`, then `new` with another slug."
    if kind == "FileMissing" and slug in sides.elsewhere:
        return f"If all its readers use the new cell: `myflux-keys move {slug} --finish --from {sides.cell.cell}`."
    if kind == "FileMissing":
        return f"Restore tenants/{slug}.yaml from git; to end the tenant, then run `myflux-keys offboard {slug}`."
    return f"`myflux-keys adopt {slug} --yes`." if has_secret else f"`myflux-keys up {slug}` deploys it."


def find_orphans(account: Account, fleet: Fleet, stacks: Collection[str] | None, now: datetime) -> list[Orphan]:
    """Orphans that AWS, files and states show, without OpenAI."""
    return compared(sides(account, fleet, stacks, now))
