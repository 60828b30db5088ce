"""What exists already comes under the engine's care by the address that AWS gave it."""

from __future__ import annotations

import pytest

from tests.program.conftest import Shipped
from tests.program.rig import Rig

pytestmark = [pytest.mark.engine, pytest.mark.cell]


def _import(rig: Rig, stack: str, kind: str, name: str, identity: str) -> dict[str, object]:
    rig.make(stack)
    more = ("--stack", stack, "--protect=false", "--generate-code=false", "--yes", "--skip-preview")
    rig.pulumi("import", kind, name, identity, *more)
    return next(resource for resource in rig.resources(stack) if resource["urn"].endswith(f"::{name}"))


def test_a_secret_is_imported_by_its_arn_and_no_value_comes_along(shipped: Shipped) -> None:
    rig = shipped.rig
    described = rig.describe("acme")
    held = _import(rig, "adopted-secret", "aws:secretsmanager/secret:Secret", "found", described["ARN"])
    assert held["id"] == described["ARN"]
    assert held["inputs"]["name"] == rig.tenant("acme").secret  # pyright: ignore[reportIndexIssue]
    assert held["inputs"]["tags"]["tenant"] == "acme"  # pyright: ignore[reportIndexIssue]
    assert "secretString" not in str(held)


def test_a_role_is_imported_by_its_name(shipped: Shipped) -> None:
    rig = shipped.rig
    held = _import(rig, "adopted-role", "aws:iam/role:Role", "found", rig.names.runtime_role)
    assert held["outputs"]["arn"] == rig.names.runtime_role_arn  # pyright: ignore[reportIndexIssue]
    assert held["inputs"]["permissionsBoundary"] == rig.names.policy_arn(rig.names.boundary_policy)  # pyright: ignore[reportIndexIssue]


def test_what_is_not_there_is_not_imported(shipped: Shipped) -> None:
    rig = shipped.rig
    rig.make("adopted-nothing")
    refused = rig.pulumi(
        "import",
        "aws:iam/role:Role",
        "found",
        "no-such-role",
        "--stack",
        "adopted-nothing",
        "--generate-code=false",
        "--yes",
        "--skip-preview",
        fails=True,
    )
    assert "no-such-role" in refused.out + refused.err
    assert not [resource for resource in rig.resources("adopted-nothing") if resource["type"] == "aws:iam/role:Role"]
