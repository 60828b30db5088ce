"""`myflux-keys validate`: reads every tenant and cell file as `pulumi up` would, and changes nothing."""

from __future__ import annotations

import tenancy
from ops.cli import options, output
from ops.cli.table import counted


def validate(fleet: options.Folder = options.DEFAULT_FLEET, as_json: options.Json = False) -> None:
    """Check every tenant and cell file. If any is wrong, print all problems and exit with 1."""
    loaded = tenancy.load(fleet)
    for notice in loaded.notices:
        output.step(str(notice))
    tenants, cells = len(loaded.tenants), len(loaded.cells)
    output.result(
        {"cells": sorted(loaded.cells), "tenants": sorted(loaded.tenants), "notices": [str(n) for n in loaded.notices]},
        f"All files are valid: {counted(tenants, 'tenant')} in {counted(cells, 'cell')}.",
        as_json=as_json,
    )
