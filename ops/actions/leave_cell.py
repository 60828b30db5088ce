"""Removes a tenant from one cell, for `offboard` and for `move --finish`.

Owns the record, the lock, the engine and the question. Leaves out the order of steps (`offboard.py`) and the choice of
tenant and cell (`run_offboard.py`, `run_move.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ops import journal
from ops.account import Account
from ops.actions import functions_client
from ops.actions.end_keys import Keys
from ops.actions.offboard import DENY, Offboard, plan, refused_as_protected
from ops.actions.tenant_file import TenantFile
from ops.errors import Declined, OperationError
from tenancy import Cell, Tenant


@dataclass(frozen=True)
class Leaving:
    """`tenant` as deployed in `cell`; `fleet` is the folder that holds tenants/. `file` is None where the tenant stays
    in another cell. `unprotect` allows removing the protection of the stack's resources."""

    operation: str
    fleet: Path
    cell: Cell
    tenant: Tenant
    file: TenantFile | None
    reason: str
    unprotect: bool


def steps(leaving: Leaving) -> list[str]:
    return plan(leaving.cell, leaving.tenant, leaves=leaving.file is not None)


def leave(leaving: Leaving, *, confirmed: Callable[[], bool], report: Callable[[str], None]) -> list[str]:
    """Returns the names of the steps, all done. Reports the plan before it calls `confirmed`.

    Raises OperationError, or Declined; after an OperationError the same call continues.
    """
    # Loads Pulumi, which takes a second: no other command should pay for it.
    from ops.stacks.ending import end, protected, state_of
    from ops.stacks.engine import Engine, OperationFailed
    from ops.stacks.interrupting import left_to_the_engine

    cell, slug = leaving.cell, leaving.tenant.tenant
    stack = cell.names.tenant(slug).stack
    engine = Engine(journal.logs(), leaving.fleet)
    with (
        journal.exclusive_run(cell, f"{leaving.operation}-{slug}") as place,
        Account(cell, leaving.operation, leaving.reason) as account,
    ):
        account.check()
        if leaving.tenant.minted:
            functions_client.refuse_other_version(cell, account.functions)
        resources = protected(state_of(engine, stack))
        run = journal.unfinished(place, leaving.operation, [slug])
        if resources and not leaving.unprotect:
            raise OperationError(refused_as_protected(stack, resources))
        if run is not None:
            report(f"Continuing the run that {run.by} started on {run.begun}; done so far: {_listed(run.done)}.")
        else:
            report("\n".join(f"- {step}" for step in steps(leaving)))
            if not confirmed():
                raise Declined
            run = journal.begin(place, leaving.operation, cell, [slug], leaving.reason)

        def destroy() -> str:
            report(f"pulumi destroy --stack {stack} …")
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
            look=keys.look_at_rules if leaving.tenant.has_identity else keys.look,
            destroy=destroy,
            report=report,
            file=leaving.file,
        )
        try:
            offboard.run()
        except BaseException:
            tokens = offboard.may_get_tokens
            report(_stopped(slug, run.done, no_valid_key=offboard.no_valid_key, tokens=tokens))
            raise
        run.finish()
        return run.done


def _stopped(slug: str, done: list[str], *, no_valid_key: bool, tokens: bool) -> str:
    """`no_valid_key`: this run checked OpenAI; an earlier run's check may be out of date. `tokens`: its runtime may get
    some."""
    if tokens:
        return f"Stopped. {slug}'s runtime may get tokens still. Run the same command again to continue."
    if no_valid_key:
        return (
            f"Stopped. Reads of {slug} are denied, and when this run checked OpenAI, {slug} had no valid key. Run the "
            "same command again to continue."
        )
    if DENY in done:
        return f"Stopped. Reads of {slug} are denied; its keys may still be valid. Run the same command again."
    return f"Stopped before it was certain that reads of {slug} are denied. Run the same command again."


def _listed(done: Iterable[str]) -> str:
    return ", ".join(done) or "nothing"
