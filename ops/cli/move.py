"""`myflux-keys move`: a tenant gets a key in another cell, and later leaves the old cell."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ops.actions import leave_cell, run_move
from ops.actions.run_move import Finishing
from ops.cli import ask, options, output


def move(
    tenant: options.Tenant,
    to: Annotated[
        str | None, typer.Option(help="The new cell.", autocompletion=options.complete_cell, show_default=False)
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Once no reader uses the old cell: remove the tenant from it.")
    ] = False,
    old: Annotated[
        str | None,
        typer.Option(
            "--from", help="With --finish: the old cell.", autocompletion=options.complete_cell, show_default=False
        ),
    ] = None,
    yes: options.Yes = False,
    unprotect: options.Unprotect = False,
    reason: options.Reason = "",
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Move a tenant to another cell: a new project, secret and key there, while its readers still use the old cell.

    `--to CELL` deploys the tenant to the new cell, then changes `cell` in the tenant's file; the old cell is unchanged.
    Once the readers use the new cell, `--finish --from OLD` removes the tenant from the old one: readers denied, keys
    revoked, secret deleted, project archived. If either is stopped, run it again to continue.
    """
    root = fleet.resolve()
    if finish != (old is not None) or finish == (to is not None):
        output.fail("give either --to CELL, or --finish --from CELL. Nothing was changed.", code=2)
    if to is not None:
        _begin(root, tenant, to, reason, dry_run=dry_run, as_json=as_json)
    elif old is not None:
        found = run_move.prepare_finish(root, tenant, old, reason, unprotect=unprotect, report=output.step)
        _finish(found, yes=yes, dry_run=dry_run, as_json=as_json)


def _begin(root: Path, slug: str, to: str, reason: str, *, dry_run: bool, as_json: bool) -> None:
    found = run_move.prepare(root, slug, to, reason, report=output.step)
    facts: dict[str, object] = {
        "tenant": slug,
        "to": to,
        "from": found.tenant.cell,
        "stack": found.stack,
        "dry_run": dry_run,
    }
    if found.text is None:
        output.result(
            facts | {"version_id": None},
            f"{slug}'s file already names cell {to}. AWS was not checked.",
            as_json=as_json,
        )
        return
    if dry_run:
        output.result(facts | {"plan": found.plan}, "Would:\n" + output.numbered(found.plan), as_json=as_json)
        return
    version = run_move.begin(found, report=output.step)
    output.result(facts | {"version_id": version}, found.next_step, as_json=as_json)


def _finish(found: Finishing, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    slug, old, new = found.leaving.tenant.tenant, found.leaving.cell.cell, found.new_cell.cell
    facts: dict[str, object] = {"tenant": slug, "from": old, "to": new, "dry_run": dry_run}
    if dry_run:
        plan = leave_cell.steps(found.leaving)
        output.result(facts | {"plan": plan}, "Would:\n" + output.numbered(plan), as_json=as_json)
        return
    question = f"Do all readers of {slug} use cell {new}, so that it can be removed from cell {old}?" + (
        f" It can never move back to cell {old}: its project there is archived." if found.leaving.tenant.minted else ""
    )
    done = leave_cell.leave(found.leaving, confirmed=partial(ask.confirmed, question, yes=yes), report=output.step)
    output.result(
        facts | {"steps": done, "reason": found.leaving.reason},
        f"{slug} has left cell {old}. "
        + (
            f"Cell {new} has its key."
            if found.checked
            else f"Not checked: whether cell {new}, in another account, has its key."
        ),
        as_json=as_json,
    )
