"""`myflux-keys move`: a tenant gets a key in another cell, and later leaves the old cell."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

import tenancy
from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions.move import Move, destination, drafted, next_step, origin, plan
from ops.actions.offboard import living_secret
from ops.actions.tenant_file import TenantFile
from ops.cli import leaving, options, output
from ops.cli.leaving import Leaving
from ops.errors import OperationError
from tenancy import Fleet, Tenant

OPERATION = "move"


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
    why = checked_reason(reason)
    root = fleet.resolve()
    if finish != (old is not None) or finish == (to is not None):
        output.fail("add either --to CELL, or --finish --from CELL. Nothing was changed.", code=2)
    held = tenancy.load(root)
    chosen = selection.one_tenant(held, tenant)
    if to is not None:
        _begin(root, held, chosen, to, why, dry_run=dry_run, as_json=as_json)
    elif old is not None:
        left = origin(held, chosen, old)
        question = f"Do all readers of {tenant} use cell {chosen.cell} now? If so, it is removed from cell {old}."
        asked = Leaving(f"{OPERATION}-finish", root, held.cells[old], left, None, question, why, yes, unprotect)
        _finish(asked, held, chosen, dry_run=dry_run, as_json=as_json)


def _begin(root: Path, held: Fleet, tenant: Tenant, to: str, why: str, *, dry_run: bool, as_json: bool) -> None:
    slug = tenant.tenant
    destination(held, tenant, to)
    cell = held.cells[to]
    stack = cell.names.tenant(slug).stack
    facts: dict[str, object] = {"tenant": slug, "to": to, "from": tenant.cell, "stack": stack, "dry_run": dry_run}
    if tenant.cell == to:
        output.result(
            facts | {"version_id": None},
            f"{slug}'s file already names cell {to}. AWS was not checked.",
            as_json=as_json,
        )
        return
    file = TenantFile(root, slug)
    text = file.moved(to)
    tenancy.load(root, only=slug, draft=text)
    if dry_run:
        told = plan(tenant, to, stack)
        output.result(facts | {"plan": told}, "Would:\n" + output.numbered(told), as_json=as_json)
        return
    # Loads Pulumi, which takes a second: no other command should pay for it.
    from ops.stacks.engine import Engine, OperationFailed
    from ops.stacks.interrupting import left_to_the_engine

    with (
        journal.alone(cell, f"{OPERATION}-{slug}") as place,
        Account(cell, OPERATION, why) as account,
    ):

        def deploy(told: str) -> int:
            output.step(f"pulumi up --stack {stack} …")
            try:
                with drafted(root, slug, told) as draft, left_to_the_engine():
                    os.environ["MYFLUX_FLEET"] = str(draft)
                    return Engine(place / "engine").up(stack).changed
            except OperationFailed as error:
                raise OperationError(
                    f"{error} Cell {tenant.cell} still serves {slug}. Correct that, then run the same command again; "
                    f"to cancel the move, `pulumi destroy --stack {stack}`."
                ) from None

        version = Move(account, tenant, file, text, deploy=deploy, tell=output.step).run()
    output.result(facts | {"version_id": version}, next_step(tenant, to), as_json=as_json)


def _finish(asked: Leaving, held: Fleet, tenant: Tenant, *, dry_run: bool, as_json: bool) -> None:
    slug, new = tenant.tenant, held.cell_of(tenant)
    if new.account_id == asked.cell.account_id:
        with Account(new, OPERATION) as account:
            account.check()
            found = living_secret(account, tenant)
        if found is None or found.current is None:
            raise OperationError(
                f"cell {new.cell} has no key of {slug} yet, so only cell {asked.cell.cell} can serve it. Nothing was "
                f"changed. `myflux-keys status --cell {new.cell}` shows its state."
            )
    else:
        output.step(
            f"Not checked: whether cell {new.cell}, in another account, has a key of {slug}. Run `status` there."
        )
    facts: dict[str, object] = {"tenant": slug, "from": asked.cell.cell, "to": new.cell, "dry_run": dry_run}
    if dry_run:
        told = leaving.steps(asked)
        output.result(facts | {"plan": told}, "Would:\n" + output.numbered(told), as_json=as_json)
        return
    done = leaving.leave(asked)
    output.result(
        facts | {"steps": done, "reason": asked.reason},
        f"{slug} has left cell {asked.cell.cell}. "
        + (
            f"Cell {new.cell} holds its key."
            if new.account_id == asked.cell.account_id
            else f"Not checked: whether cell {new.cell}, in another account, holds its key."
        ),
        as_json=as_json,
    )
