"""`myflux-keys bootstrap`: what a cell needs before its platform."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ops.actions import bootstrap as decisions
from ops.actions import run_bootstrap
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
    """
    needed = run_bootstrap.policy(fleet, cell, deletion=False)
    if policy:
        output.result(needed, json.dumps(needed, indent=2), as_json=as_json)
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
    said = "Unchanged." if done.unchanged else "Bootstrapped."
    output.result(
        facts
        | {
            "unchanged": done.unchanged,
            "bucket": done.bucket,
            "kms_key": done.kms_key,
            "people_role": done.role,
            "block": block,
            "in_file": in_file,
        },
        f"{said} People deploy as {done.role}. {paste}\n\n{block}",
        as_json=as_json,
    )


def _passphrase(new: bool) -> str:
    typed = ask.key("Passphrase of the state until it is in the bucket (not shown): ").rstrip("\n")
    if not typed:
        output.fail("the passphrase is empty. Nothing was changed.")
    if new and ask.can_answer() and ask.key("The same again: ").rstrip("\n") != typed:
        output.fail("the two passphrases differ. Nothing was changed.")
    return typed
