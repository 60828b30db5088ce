"""The root of the `myflux-keys` command, and how errors are printed."""

from __future__ import annotations

import logging
import resource
import sys
from typing import TextIO, cast

import typer

from myflux_keys.redaction import RedactingFilter
from ops.cli.commands import Root
from ops.cli.output import Redacted, fail

app = typer.Typer(
    name="myflux-keys",
    cls=Root,
    help=(
        "OpenAI keys for many tenants on AWS: provisioned by Pulumi, minted and rotated by Lambda, seen by nobody.\n\n"
        "Start with `myflux-keys demo`, or with a local cell to try things by hand: `myflux-keys local up`."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def root() -> None:
    pass


def main() -> None:
    """Exit codes: 0 done, 1 refused or failed, 2 wrong usage. An unexpected error prints its traceback, redacted."""
    # A core file of `admin-key set` or `key set` would hold the key; child processes inherit this limit.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stderr = cast(TextIO, Redacted(sys.stderr))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(RedactingFilter())
    try:
        app(prog_name="myflux-keys")
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        message = message_of(error)
        if message is None:
            raise
        fail(message)


def message_of(error: Exception) -> str | None:
    """The message of an expected error; None for an unexpected one."""
    # Loaded here, since a command that succeeds may need none of them (`commands.py`).
    from local.cell import CellError
    from ops.errors import OperationError, from_aws
    from tenancy import TenancyError
    from tenancy.address import AddressError

    if isinstance(error, AddressError | CellError | OperationError | TenancyError):
        return str(error)
    return from_aws(error)
