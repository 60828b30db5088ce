"""`myflux-keys env`: prints what Pulumi's own command needs to work on a cell's stacks."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from ops.actions.shell_variables import shell_variables
from ops.cli import options, output


def env(
    cell: Annotated[
        str,
        typer.Argument(help="The cell.", metavar="CELL", show_default=False, autocompletion=options.complete_cell),
    ],
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Print the variables with which `pulumi` itself finds a cell's state: eval "$(myflux-keys env prod-eu1)".

    The other commands of myflux-keys do not need them: they read the cell's file. A new stack: pulumi stack init STACK
    --secrets-provider "$MYFLUX_SECRETS_PROVIDER".
    """
    variables = shell_variables(fleet, cell)
    output.result(
        {"variables": variables},
        "\n".join(
            f"export {name}={shlex.quote(value)}" if value else f"unset {name}" for name, value in variables.items()
        ),
        as_json=as_json,
    )
