"""`myflux-keys up`, `preview`, `refresh` and `destroy`: one operation over many stacks.

Owns the options and the question before a destroy. Leaves out the run and its report (`stacks_run`).
"""

from __future__ import annotations

from typing import Annotated

import typer

from ops.actions.run_stacks import WAIT_MINUTES, Wanted, recovery_days
from ops.cli import ask, options, output
from ops.cli.stacks_report import destroy_question
from ops.cli.stacks_run import choose, go

Tenants = Annotated[
    list[str] | None,
    typer.Argument(
        help="Tenants whose stacks to use.",
        metavar="[TENANT]...",
        show_default=False,
        autocompletion=options.complete_tenant,
    ),
]
Cell = Annotated[
    str | None,
    typer.Option(
        help="One cell: its platform and all its tenants; with --changed, only what changed in it.",
        autocompletion=options.complete_cell,
        show_default=False,
    ),
]
Everyone = Annotated[bool, typer.Option("--all", help="Every cell with all its tenants.")]
Changed = Annotated[
    str | None,
    typer.Option(
        metavar="REF",
        help="The stacks whose tenant file, cell file, code or pinned dependencies differ from this git commit.",
        show_default=False,
    ),
]
Workers = Annotated[
    int,
    typer.Option(min=0, help="Processes on this machine that work in parallel; 0 means one for each core, at most 4."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Use the workers of this Dask scheduler, for example tcp://HOST:8786.",
        show_default=False,
    ),
]
Failures = Annotated[
    int,
    typer.Option(
        "--max-failures",
        min=0,
        help="Start no further stack once more than this many have failed. The run also ends when a platform or a "
        "canary fails.",
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for a stack that another process has locked.")]
WaitMinutes = Annotated[
    int, typer.Option("--wait-minutes", min=1, help="With --wait: for each locked stack at most so many minutes.")
]
Restart = Annotated[bool, typer.Option("--restart", help="Start again instead of resuming a run that was stopped.")]
NoMarks = Annotated[
    bool,
    typer.Option(
        "--no-marks", help="Run the engine for every stack, also where a mark shows that nothing would change."
    ),
]
Refreshed = Annotated[
    bool,
    typer.Option(
        "--refresh", help="Compare the files with AWS, not with the state: `refresh`, then `up` would change this."
    ),
]
Again = Annotated[
    bool,
    typer.Option(
        "--refresh",
        help="Also put right what somebody changed by hand: first update the state from AWS, and set OpenAI's project, "
        "limits and federation rule again. Takes minutes for many tenants: name those that need it.",
    ),
]
Diff = Annotated[bool, typer.Option("--diff", help="Name each resource that differs, and its properties.")]


def up(
    tenants: Tenants = None,
    cell: Cell = None,
    everyone: Everyone = False,
    changed: Changed = None,
    workers: Workers = 0,
    scheduler: Scheduler = None,
    max_failures: Failures = 3,
    wait: Wait = False,
    wait_minutes: WaitMinutes = WAIT_MINUTES,
    restart: Restart = False,
    no_marks: NoMarks = False,
    refresh: Again = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Deploy stacks as their files say: platforms first, then 1 tenant, then 5% of the tenants, then the others.

    A tenant's stack is `unchanged (by mark)` if nothing that decides it, and its state, differ from its last `up`: the
    secret is checked in AWS, and the engine does not run. As without a mark, `up` does not see what else somebody
    changed in AWS or at OpenAI by hand: `up --refresh` puts it right. That calls OpenAI's Admin API for each tenant,
    which allows some 7 calls a minute to each endpoint: 100 tenants take a quarter of an hour, so name those that need
    it.

    Ctrl-C lets running stacks finish. The same command then continues with the stacks that are left.
    """
    marks = not (no_marks or refresh)
    wanted = Wanted(
        "up", fleet, workers, scheduler, max_failures, wait, wait_minutes, restart, refresh=refresh, marks=marks
    )
    chosen = choose(wanted, tenants or [], cell, everyone=everyone, since=changed)
    go(wanted, chosen, as_json=as_json)


def preview(
    tenants: Tenants = None,
    cell: Cell = None,
    everyone: Everyone = False,
    changed: Changed = None,
    workers: Workers = 0,
    scheduler: Scheduler = None,
    max_failures: Failures = 3,
    refresh: Refreshed = False,
    diff: Diff = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show what `up` would change. Changes nothing."""
    wanted = Wanted("preview", fleet, workers, scheduler, max_failures, dry=True, refresh=refresh)
    chosen = choose(wanted, tenants or [], cell, everyone=everyone, since=changed)
    go(wanted, chosen, as_json=as_json, diff=diff)


def refresh(
    tenants: Tenants = None,
    cell: Cell = None,
    everyone: Everyone = False,
    changed: Changed = None,
    workers: Workers = 0,
    scheduler: Scheduler = None,
    max_failures: Failures = 3,
    wait: Wait = False,
    wait_minutes: WaitMinutes = WAIT_MINUTES,
    restart: Restart = False,
    diff: Diff = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Update the stacks' state from AWS, and report where AWS differs from what was deployed."""
    wanted = Wanted("refresh", fleet, workers, scheduler, max_failures, wait, wait_minutes, restart)
    chosen = choose(wanted, tenants or [], cell, everyone=everyone, since=changed)
    go(wanted, chosen, as_json=as_json, diff=diff)


def destroy(
    tenants: Tenants = None,
    cell: Cell = None,
    everyone: Everyone = False,
    workers: Workers = 0,
    scheduler: Scheduler = None,
    max_failures: Failures = 3,
    wait: Wait = False,
    wait_minutes: WaitMinutes = WAIT_MINUTES,
    restart: Restart = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Destroy stacks, tenants before platforms. Keys that MyFlux minted for them are revoked at once.

    AWS keeps the deleted secrets for the cell's `recovery_window_days`, and creates no secret of the same name before:
    `up` then says when, and what to type. A tenant whose project was archived needs another slug for good.

    To end one tenant, use `offboard` instead: it denies readers and revokes keys before it destroys the stack.
    """
    wanted = Wanted("destroy", fleet, workers, scheduler, max_failures, wait, wait_minutes, restart, dry_run)
    chosen = choose(wanted, tenants or [], cell, everyone=everyone, since=None)
    question = destroy_question(chosen, recovery_days(fleet, chosen))
    if chosen.stacks and not dry_run and not ask.confirmed(question, yes=yes):
        output.fail("nothing was changed.")
    go(wanted, chosen, as_json=as_json)
