"""What `offboard` and the end of a `move` have in common: a tenant leaves one cell.

Owns the record, the engine, and putting the parts together. Leaves out the order of steps (`ops/actions/offboard.py`)
and which tenant and cell these are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ops import journal
from ops.account import Account
from ops.actions.end_keys import Keys
from ops.actions.offboard import DENY, Offboard, guarded, plan
from ops.actions.tenant_file import TenantFile
from ops.errors import Declined, OperationError
from tenancy import Cell, Tenant


@dataclass(frozen=True)
class Leaving:
    """`tenant` is as it is in `cell`, and `fleet` the folder of its file. `file` None: the tenant lives on elsewhere.
    `unprotect` allows for a stack whose resources are protected."""

    operation: str
    fleet: Path
    cell: Cell
    tenant: Tenant
    file: TenantFile | None
    reason: str
    unprotect: bool


def steps(leaving: Leaving) -> list[str]:
    return plan(leaving.cell, leaving.tenant, leaves=leaving.file is not None)


def leave(leaving: Leaving, *, confirmed: Callable[[], bool], tell: Callable[[str], None]) -> list[str]:
    """The steps that are done, all of them; the person who is asked by `confirmed` has been told them before.

    Raises OperationError, and Declined; the same call then goes on.
    """
    # Loads Pulumi, which takes a second: no other command should pay for it.
    from ops.stacks.ending import end, protected, state_of
    from ops.stacks.engine import Engine, OperationFailed
    from ops.stacks.interrupting import left_to_the_engine

    cell, slug = leaving.cell, leaving.tenant.tenant
    stack = cell.names.tenant(slug).stack
    engine = Engine(journal.folder(cell) / "engine", leaving.fleet)
    with (
        journal.alone(cell, f"{leaving.operation}-{slug}") as place,
        Account(cell, leaving.operation, leaving.reason) as account,
    ):
        account.check()
        kept = protected(state_of(engine, stack))
        run = journal.unfinished(place, leaving.operation, [slug])
        if kept and not leaving.unprotect:
            raise OperationError(guarded(stack, kept))
        if run is not None:
            tell(f"Going on with what {run.by} began on {run.begun}; done so far: {_listed(run.done)}.")
        else:
            tell("\n".join(f"- {step}" for step in steps(leaving)))
            if not confirmed():
                raise Declined
            run = journal.begin(place, leaving.operation, cell, [slug], leaving.reason)

        def destroy() -> str:
            tell(f"pulumi destroy --stack {stack} …")
            try:
                with left_to_the_engine():
                    outcome = end(engine, stack)
            except OperationFailed as error:
                raise OperationError(f"{error} Correct that, then run the same command again.") from None
            return f"stack {stack} was destroyed with {outcome.changes.get('delete', 0)} resources"

        keys = Keys(account, leaving.tenant)
        offboard = Offboard(
            account,
            leaving.tenant,
            run,
            kill=keys.empty,
            look=keys.look,
            destroy=destroy,
            tell=tell,
            file=leaving.file,
        )
        try:
            offboard.run()
        except BaseException:
            tell(_where(slug, run.done, shown_dead=offboard.shown_dead))
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
