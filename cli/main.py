"""The command's root: what exists, and how an error reaches the person who typed it."""

from __future__ import annotations

import logging
import resource
import sys
from typing import TextIO, cast

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli import (
    access,
    admin_key,
    adopt,
    capacity,
    check,
    demo_command,
    fleet,
    history,
    key,
    local,
    move,
    new,
    offboard,
    rename,
    revoke,
    rotate,
    status,
    sweep,
    validate,
)
from cli.output import Redacted, fail
from local.cell import CellError
from myflux_keys.redaction import RedactingFilter
from operations.errors import OperationError, explain
from tenancy import TenancyError
from tenancy.address import AddressError

app = typer.Typer(
    name="myflux-keys",
    help=(
        "OpenAI keys for many tenants on AWS: provisioned by Pulumi, minted and rotated by Lambda, seen by nobody.\n\n"
        "Start with `myflux-keys demo`, or look around by hand: `myflux-keys local up`."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(local.app, name="local")
app.add_typer(admin_key.app, name="admin-key")
app.add_typer(key.app, name="key")
app.command("validate")(validate.validate)
app.command("check")(check.check)
app.command("up")(fleet.up)
app.command("preview")(fleet.preview)
app.command("refresh")(fleet.refresh)
app.command("destroy")(fleet.destroy)
app.command("demo")(demo_command.demo)
app.command("new")(new.new)
app.command("adopt")(adopt.adopt)
app.command("move")(move.move)
app.command("rename")(rename.rename)
app.command("offboard")(offboard.offboard)
app.command("rotate")(rotate.rotate)
app.command("revoke")(revoke.revoke)
app.command("disable")(access.disable)
app.command("enable")(access.enable)
app.command("sweep")(sweep.sweep)
app.command("status")(status.status)
app.command("history")(history.history)
app.command("capacity")(capacity.capacity)


def main() -> None:
    """Exit codes: 0 done, 1 refused or failed, 2 wrong usage. An unforeseen error keeps its traceback, redacted."""
    # A core file of `admin-key set` or `key set` would hold the key; what is started from here inherits this.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stderr = cast(TextIO, Redacted(sys.stderr))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(RedactingFilter())
    try:
        app(prog_name="myflux-keys")
    except (AddressError, CellError, OperationError, TenancyError) as error:
        fail(str(error))
    except (BotoCoreError, ClientError) as error:
        fail(explain(error))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
