"""`myflux-keys env`: what Pulumi's own command needs to work on a cell's stacks."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

import tenancy
from ops import selection, state_place
from ops.cli import options, output
from ops.errors import OperationError


def env(
    cell: Annotated[
        str,
        typer.Argument(help="The cell.", metavar="CELL", show_default=False, autocompletion=options.complete_cell),
    ],
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Print the variables with which `pulumi` itself finds a cell's state: eval "$(myflux-keys env prod-eu1)".

    This command needs them not: it reads the cell's file. A new stack: pulumi stack init STACK --secrets-provider
    "$MYFLUX_SECRETS_PROVIDER".
    """
    (found,) = selection.cells(tenancy.load(fleet, only=""), cell)
    if found.kept_in is None:
        raise OperationError(
            f"cells/{cell}.yaml has no `state`, so {state_place.BACKEND} of your shell decides where Pulumi keeps it: "
            "write state: {bucket: ..., kms_key: ...} there. docs/state.md says how to move what is deployed."
        )
    variables = state_place.of(found).for_a_person
    output.result(
        {"variables": variables},
        "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        as_json=as_json,
    )
