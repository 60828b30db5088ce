"""`myflux-keys rename`: refused, with the reason and the way there."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli import options
from ops.errors import OperationError


def rename(
    tenant: options.Tenant,
    slug: Annotated[str, typer.Argument(help="The slug that it should have.", metavar="NEW", show_default=False)],
) -> None:
    """Refused: a slug is for ever. Says why, and how to get there all the same."""
    raise OperationError(
        f"{tenant} cannot be renamed to {slug}: the slug is in the names of its secret and its stack, neither of which "
        "can be renamed, in the tag by which readers are told apart, and in the name of every key it ever had. Change "
        f"`name` in its file for the name that people read. For another slug: `myflux-keys new {slug} --from "
        f"{tenant}`, deploy it, let the readers ask for {slug}, then `myflux-keys offboard {tenant}`. Nothing was "
        "changed."
    )
