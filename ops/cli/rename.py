"""`myflux-keys rename`: always refused, with the reason and what to do instead."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli import options
from ops.errors import OperationError


def rename(
    tenant: options.Tenant,
    slug: Annotated[str, typer.Argument(help="The new slug.", metavar="NEW", show_default=False)],
) -> None:
    """Always refused: a slug cannot be changed. Explains why, and what to do instead."""
    raise OperationError(
        f"{tenant} cannot be renamed to {slug}: the slug is part of the names of its secret and its stack, which "
        "cannot be renamed, of the session tag that separates its readers from others, and of the name of every key "
        f"that it ever had. To change the display name, edit `name` in its file. For another slug: `myflux-keys new "
        f"{slug} --from {tenant}`, deploy it, let the readers ask for {slug}, then `myflux-keys offboard {tenant}`. "
        "Nothing was changed."
    )
