"""`myflux-keys validate`: reads every tenant and cell file as `pulumi up` would, and changes nothing."""

from __future__ import annotations

import tenancy
from ops.cli import options, output


def validate(fleet: options.Folder = options.DEFAULT_FLEET, as_json: options.Json = False) -> None:
    """Check every tenant and cell file. Exit code 1 and all problems at once if any is wrong."""
    held = tenancy.load(fleet)
    for notice in held.notices:
        output.step(str(notice))
    output.result(
        {"cells": sorted(held.cells), "tenants": sorted(held.tenants), "notices": [str(n) for n in held.notices]},
        f"{len(held.tenants)} tenants in {len(held.cells)} cells are valid.",
        as_json=as_json,
    )
