"""What a tenant's program tells the provisioner, in each state of a switch; the provisioner takes every one."""

from __future__ import annotations

from typing import Any

import pytest

from functions.provisioner.request import Trust, read_request
from program import provisioner_specification
from tenancy import Cell
from tests.tenancy.files import REAL, least

ISSUER = "https://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws"
FUNCTION = Cell.model_validate(REAL).names.provisioner_function_arn
SWITCHING: dict[str, Any] = {"credential": "federated", "switching_from": "key"}
BACK: dict[str, Any] = {"credential": "key", "switching_from": "federated"}


def _told(**fields: Any) -> dict[str, Any]:
    cell = Cell.model_validate(REAL)
    tenant = least("gpt-5-mini", cell=cell.cell, **fields)
    return provisioner_specification(tenant, cell.names.tenant(tenant.tenant), ISSUER)


def test_a_tenant_with_a_key_is_told_of_as_before_there_were_others() -> None:
    assert sorted(_told()) == [
        "budget",
        "cell",
        "models",
        "project",
        "rate_limits",
        "schema",
        "service_account",
        "tenant",
    ], "a field more would be an update of every tenant"


@pytest.mark.parametrize(
    ("fields", "rule", "keys"),
    [
        ({}, False, True),
        (SWITCHING, True, True),
        ({"credential": "federated"}, True, False),
        (BACK, True, True),
        ({"enabled": False}, False, True),
        (SWITCHING | {"enabled": False}, False, True),
        ({"credential": "federated", "enabled": False}, False, False),
    ],
    ids=str,
)
def test_each_state_says_whether_there_is_a_rule_and_whether_keys_live(
    fields: dict[str, Any], rule: bool, keys: bool
) -> None:
    request = read_request(_told(**fields) | {"tf": {"action": "create"}}, REAL["cell"], FUNCTION)
    assert (request.federation is not None, request.keys) == (rule, keys)


@pytest.mark.parametrize("permission", ["all", "restricted", "read_only"])
def test_the_rule_trusts_the_cells_runtime_and_gives_the_tenants_permission(permission: str) -> None:
    told = _told(credential="federated", permission=permission)
    assert read_request(told | {"tf": {"action": "create"}}, REAL["cell"], FUNCTION).federation == Trust(
        issuer=ISSUER,
        audience="myflux-prod-eu1",
        subject="arn:aws:iam::123456789012:role/myflux-prod-eu1-runtime",
        permission=permission,
    )
