"""`myflux-keys bootstrap`: what a cell needs before its platform."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ops.actions import bootstrap as decisions
from ops.actions import run_bootstrap, run_bootstrap_deletion
from ops.actions.bootstrap import Made
from ops.cli import ask, options, output


def bootstrap(
    cell: Annotated[
        str,
        typer.Argument(help="The cell.", metavar="CELL", show_default=False, autocompletion=options.complete_cell),
    ],
    policy: Annotated[
        bool, typer.Option("--policy", help="Only print the IAM policy that you need for this command; call nobody.")
    ] = False,
    delete: Annotated[
        bool,
        typer.Option("--delete", help="Delete what this command made. Refused while anything is deployed in the cell."),
    ] = False,
    confirm: Annotated[
        str, typer.Option(metavar="CELL", help="With --delete: the cell's name, typed beforehand.", show_default=False)
    ] = "",
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Make what a cell needs before its platform: boundaries, state bucket and key, role of people, OIDC provider.

    Run it once for each new cell, with the rights that --policy prints; then paste what it prints into the cell's file.
    Its own state begins in a folder of this machine and moves into the bucket at the end. The passphrase, from a hidden
    prompt or standard input, encrypts it until then: keep it only as long. Run the same command again after an
    interruption, or after a change of deployer_principals, replicas or pipeline. An OIDC provider that the account has
    already is used, and never changed or deleted.

    With --delete the cell ends: off-board its tenants and destroy its platform first; the command refuses until then,
    and says what to type. All versions of the state are deleted, and the deletion of its key is scheduled.
    """
    needed = run_bootstrap.policy(fleet, cell, deletion=delete)
    if policy:
        output.result(needed, json.dumps(needed, indent=2), as_json=as_json)
        return
    if delete:
        _delete(fleet, cell, confirm, dry_run=dry_run, as_json=as_json)
        return
    found, done = run_bootstrap.run(fleet, cell, _passphrase, dry=dry_run, report=output.step)
    facts: dict[str, object] = {"cell": cell, "dry_run": dry_run, "changes": done.changes}
    if not isinstance(done, Made):
        told = f"You need the rights of `myflux-keys bootstrap {cell} --policy`. Would:"
        plan = [f"{step.op} {step.type} {step.name}" for step in done.steps]
        output.result(
            facts | {"policy": needed, "plan": plan},
            "\n".join([told, *plan]) if plan else "Nothing to change.",
            as_json=as_json,
        )
        return
    block = decisions.block(done)
    in_file = decisions.is_in_file(found, done)
    paste = f"cells/{cell}.yaml has it already:" if in_file else f"Write this into cells/{cell}.yaml, and commit it:"
    said = f"{done.changed} changed." if done.changed else "Unchanged."
    output.result(
        facts
        | {
            "unchanged": not done.changed,
            "bucket": done.bucket,
            "kms_key": done.kms_key,
            "people_role": done.role,
            "block": block,
            "in_file": in_file,
        },
        f"{said} People deploy as {done.role}. {paste}\n\n{block}",
        as_json=as_json,
    )


def _delete(fleet: Path, cell: str, confirm: str, *, dry_run: bool, as_json: bool) -> None:
    def confirmed() -> bool:
        if not confirm and not ask.can_answer():
            output.fail(f"this is not a terminal: add --confirm {cell}. Nothing was changed.", code=2)
        return (confirm or ask.text(f"All of cell {cell} ends. Type its name to go on")) == cell

    ended = run_bootstrap_deletion.run(fleet, cell, confirmed, _passphrase, dry=dry_run, report=output.step)
    facts: dict[str, object] = {"cell": cell, "deleted": ended.done, "dry_run": dry_run, "kept": list(ended.kept)}
    if ended.nothing:
        text = f"There is nothing of a bootstrap of {cell}: no bucket, role, policy or alias was found."
    elif ended.done:
        text = (
            f"Cell {cell} is deleted: no bucket, role, policy or alias of its bootstrap is left. The state's key ends "
            "after AWS's window of 30 days. OpenAI was not asked: revoke the admin key there. Commit the deletion of "
            f"cells/{cell}.yaml."
        )
        text += f" The OIDC provider {', '.join(ended.kept)} stays." if ended.kept else ""
    else:
        text = "Would:\n" + output.numbered(ended.plan)
        facts["plan"] = ended.plan
    output.result(facts, text, as_json=as_json)


def _passphrase(new: bool) -> str:
    typed = ask.key("Passphrase of the state until it is in the bucket (not shown): ").rstrip("\n")
    if not typed:
        output.fail("the passphrase is empty. Nothing was changed.")
    if new and ask.can_answer() and ask.key("The same again: ").rstrip("\n") != typed:
        output.fail("the two passphrases differ. Nothing was changed.")
    return typed
