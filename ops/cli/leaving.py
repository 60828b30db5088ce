"""What `offboard` and the end of a `move` have in common: a tenant leaves one cell.

Owns the dry run, the question, the record and putting the parts together. Leaves out the order of steps
(`ops/actions/offboard.py`) and which tenant and cell these are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ops import journal
from ops.account import Account
from ops.actions.end_keys import Keys
from ops.actions.offboard import DENY, Offboard, guarded, plan
from ops.actions.tenant_file import TenantFile
from ops.cli import ask, output
from ops.errors import OperationError
from tenancy import Cell, Tenant


@dataclass(frozen=True)
class Leaving:
    """`tenant` is as it is in `cell`. `file` None: the tenant lives on elsewhere. `question` is what is asked."""

    operation: str
    fleet: Path
    cell: Cell
    tenant: Tenant
    file: TenantFile | None
    question: str
    reason: str
    yes: bool
    unprotect: bool


def steps(asked: Leaving) -> list[str]:
    return plan(asked.cell, asked.tenant, leaves=asked.file is not None)


def leave(asked: Leaving) -> list[str]:
    """The steps that are done, all of them. Raises OperationError; the same call then goes on."""
    # Loads Pulumi, which takes a second: no other command should pay for it.
    from ops.stacks.ending import end, protected, state_of
    from ops.stacks.engine import Engine, OperationFailed
    from ops.stacks.interrupting import left_to_the_engine

    cell, slug = asked.cell, asked.tenant.tenant
    stack = cell.names.tenant(slug).stack
    os.environ["MYFLUX_FLEET"] = str(asked.fleet)
    engine = Engine(journal.folder(cell) / "engine")
    with (
        journal.alone(cell, f"{asked.operation}-{slug}") as place,
        Account(cell, asked.operation, asked.reason) as account,
    ):
        account.check()
        kept = protected(state_of(engine, stack))
        run = journal.unfinished(place, asked.operation, [slug])
        if kept and not asked.unprotect:
            raise OperationError(guarded(stack, kept))
        if run is not None:
            output.step(f"Continuing the run that {run.by} started on {run.begun}; done so far: {_listed(run.done)}.")
        else:
            output.step("\n".join(f"- {step}" for step in steps(asked)))
            if not ask.confirmed(asked.question, yes=asked.yes):
                output.fail("nothing was changed.")
            run = journal.begin(place, asked.operation, cell, [slug], asked.reason)

        def destroy() -> str:
            output.step(f"pulumi destroy --stack {stack} …")
            try:
                with left_to_the_engine():
                    outcome = end(engine, stack)
            except OperationFailed as error:
                raise OperationError(f"{error} Correct that, then run the same command again.") from None
            return f"stack {stack} was destroyed with {outcome.changes.get('delete', 0)} resources"

        keys = Keys(account, asked.tenant)
        leaving = Offboard(
            account,
            asked.tenant,
            run,
            kill=keys.empty,
            look=keys.look,
            destroy=destroy,
            tell=output.step,
            file=asked.file,
        )
        try:
            leaving.run()
        except BaseException:
            output.step(_where(slug, run.done, shown_dead=leaving.shown_dead))
            raise
        run.finish()
        return run.done


def _where(slug: str, done: list[str], *, shown_dead: bool) -> str:
    """`shown_dead` is of this run: what an earlier one saw may have changed."""
    if shown_dead:
        return (
            f"Stopped. Reads of {slug} are denied, and when this run checked OpenAI, {slug} had no valid key. Run the "
            "same command again to continue."
        )
    if DENY in done:
        return f"Stopped. Reads of {slug} are denied; its keys may still be valid. Run the same command again."
    return f"Stopped before it was certain that reads of {slug} are denied. Run the same command again."


def _listed(done: Iterable[str]) -> str:
    return ", ".join(done) or "nothing"
