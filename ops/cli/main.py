"""The root of the `myflux-keys` command, and how errors are printed."""

from __future__ import annotations

import logging
import resource
import sys

import typer

from myflux_keys.redaction import RedactingFilter
from ops.cli import output, streams
from ops.cli.commands import Root

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
    streams.prepare()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(RedactingFilter())
    sys.exit(attempt(sys.argv[1:]))


def attempt(arguments: list[str]) -> int:
    """Runs one command and returns its exit code, after an error with its sentence on stderr. An unexpected error is
    raised."""
    try:
        try:
            app(arguments, prog_name="myflux-keys")
        finally:
            # Else the interpreter would do it at its end, where nobody can handle an error.
            sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except Exception as error:
        message = message_of(error)
        if message is None:
            raise
        output.error(message)
        return 1
    return 0


def message_of(error: Exception) -> str | None:
    """The message of an expected error; None for an unexpected one."""
    # Loaded here, since a command that succeeds may need none of them (`commands.py`).
    from local.cell import CellError
    from ops.explained import explained

    return str(error) if isinstance(error, CellError) else explained(error)
