"""What a cell's bootstrap registers, and what its platform leaves to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.bootstrap import Bootstrap, BootstrapArgs
from components.platform import Platform
from myflux_keys.aws_names import CellNames
from tests.components.test_platform import ROLE, arguments

Build = Callable[[Callable[[], Any]], Any]
POLICY, PROVIDER = "aws:iam/policy:Policy", "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
DEPLOYER = "arn:aws:iam::111122223333:role/deployer"


def bootstrap(cell: CellNames, **more: Any) -> BootstrapArgs:
    return BootstrapArgs(names=cell, principals=[DEPLOYER], project="myflux-keys", audience="sts.amazonaws.com", **more)


@pytest.fixture(scope="module")
def recorded(build: Build, cell: CellNames) -> Any:
    return build(lambda: Bootstrap("prod-eu1", bootstrap(cell, issuers=["gitlab.example"], protect=True)))


def test_the_role_comes_after_both_boundaries_and_has_one(recorded: Any, cell: CellNames) -> None:
    role = recorded.one(ROLE)
    limit, boundary = recorded.one(POLICY, "-limit"), recorded.one(POLICY, "-boundary")
    assert (limit.inputs["name"], boundary.inputs["name"]) == (cell.people_role, cell.boundary_policy)
    assert recorded.reaches(role, limit)
    assert recorded.reaches(role, boundary)
    assert json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Principal"] == {"AWS": [DEPLOYER]}


def test_bucket_and_key_of_the_state_are_protected_in_production(recorded: Any) -> None:
    assert recorded.one("aws:s3/bucket:Bucket").protect
    assert recorded.one("aws:kms/key:Key").protect


def test_only_a_provider_that_the_account_lacks_is_made(recorded: Any, build: Build, cell: CellNames) -> None:
    assert recorded.one(PROVIDER).inputs["url"] == "https://gitlab.example"
    assert not build(lambda: Bootstrap("prod-eu1", bootstrap(cell))).of(PROVIDER)


def test_a_bootstrapped_cells_platform_makes_no_boundary_and_uses_that_one(
    build: Build, cell: CellNames, tmp_path: Path
) -> None:
    boundary = cell.policy_arn(cell.boundary_policy)
    made = build(lambda: Platform("prod-eu1", arguments(cell, tmp_path, boundary_arn=boundary)))
    assert {role.inputs["permissionsBoundary"] for role in made.of(ROLE)} == {boundary}
    assert not [one for one in made.of(POLICY) if one.inputs["name"] == cell.boundary_policy]
