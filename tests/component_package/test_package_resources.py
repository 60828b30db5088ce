"""The package's components and the repository's own program make the same things."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import program
from component_package.plugin import Package
from tenancy import from_program
from tests.component_package.conftest import SHARED

Build = Callable[[Callable[[], Any]], Any]


def made(recording: Any) -> dict[tuple[str, str], Any]:
    """Type and name of each resource to its inputs; providers carry the name of who asked for them."""
    return {
        (each.type, each.name): (
            json.dumps(each.inputs, sort_keys=True, default=lambda archive: archive.path),
            each.protect,
        )
        for each in recording.resources
        if not each.type.startswith("pulumi:providers:")
    }


def snake(values: dict[str, Any]) -> dict[str, Any]:
    """What the file would say."""
    plugin = Package()
    return plugin.map_inputs(values, plugin._component_defs["TenantKey"])  # pyright: ignore[reportReturnType]


def test_a_platform_is_the_programs_own(build: Build, tenant: dict[str, Any], cell: dict[str, Any]) -> None:
    model = from_program.cell(snake(tenant)["cell"], "test")
    theirs = build(lambda: Package().construct("prod-eu1", "myflux:index:Platform", {"cell": cell}))
    ours = build(lambda: program.deploy_platform(model))
    assert made(theirs) == made(ours), "two translations have come apart"


@pytest.mark.parametrize("isolation", ["shared", "dedicated"])
def test_a_tenants_key_is_the_programs_own(build: Build, tenant: dict[str, Any], isolation: str) -> None:
    tenant |= {"isolation": isolation}
    file = snake(tenant)
    cell = from_program.cell(file.pop("cell"), "test")
    shared = program.Shared(
        *(file.pop(name) for name in ("kms_key_arn", "rotation_function_arn", "provisioner_function")),
        health_bucket=cell.names.health_bucket,
    )
    model = from_program.tenant(file, "test", cell)
    theirs = build(lambda: Package().construct("acme", "myflux:index:TenantKey", tenant))
    ours = build(lambda: program.TenantKey("acme", program.tenant_key_args(cell, model, shared)))
    assert made(theirs) == made(ours), "two translations have come apart"


def test_a_function_of_another_cell_is_refused(build: Build, tenant: dict[str, Any]) -> None:
    wrong = SHARED["rotationFunctionArn"].replace("prod-eu1", "prod-eu2")
    with pytest.raises(Exception, match="account or Region in the file changed"):
        build(lambda: Package().construct("acme", "myflux:index:TenantKey", tenant | {"rotationFunctionArn": wrong}))


def test_aws_is_the_cells_account_unless_the_program_brings_its_own(build: Build, tenant: dict[str, Any]) -> None:
    recording = build(lambda: Package().construct("acme", "myflux:index:TenantKey", tenant))
    guard = recording.one("pulumi:providers:aws")
    assert json.loads(guard.inputs["allowedAccountIds"]) == ["111122223333"]
    assert guard.name == "acme-aws"
