"""What both components need from their caller: a valid cell, and an AWS provider of the cell's account."""

from collections.abc import Mapping
from typing import Any

import pulumi

import program
from tenancy import Cell, from_program


def checked_cell(values: Mapping[str, Any], place: str) -> Cell:
    """The cell of these arguments; `place` names the component in errors. Raises TenancyError."""
    return from_program.cell(values, f"{place}, cell")


def through_the_account(name: str, cell: Cell, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """Options with the caller's AWS provider, or else with one that works only in the cell's account."""
    opts = opts or pulumi.ResourceOptions()
    providers = opts.providers or {}
    if "aws" in (providers if isinstance(providers, Mapping) else [provider.package for provider in providers]):
        return opts
    beside = pulumi.ResourceOptions(parent=opts.parent, protect=opts.protect)
    guard = program.account_guard(f"{name}-aws", cell, beside)
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[guard]))
