"""What both components ask of the program around them: a cell that is right, and AWS in that cell's account.

Leaves out tenants.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

import program
from tenancy import Cell, from_program


def checked_cell(values: Mapping[str, Any], place: str) -> Cell:
    """Raises TenancyError."""
    return from_program.cell(values, f"{place}, cell")


def through_the_account(name: str, cell: Cell, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """The caller's own AWS provider if it gave one, else one that refuses to work outside the cell's account."""
    opts = opts or pulumi.ResourceOptions()
    providers = opts.providers or {}
    if "aws" in (providers if isinstance(providers, Mapping) else [provider.package for provider in providers]):
        return opts
    beside = pulumi.ResourceOptions(parent=opts.parent, protect=opts.protect)
    guard = program.account_guard(f"{name}-aws", cell, beside)
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[guard]))
