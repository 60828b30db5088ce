"""A tenant's file as its declaration: every fact that a scheduled function needs, and no e-mail address."""

from __future__ import annotations

from typing import Any

import pytest

from myflux_keys.declaration import Budget, Declaration, RateLimit
from tenancy import Tenant
from tenancy.declaration import declared
from tests.tenancy.files import TENANT

THEIRS: dict[str, Any] = {
    "tenant": "theirs",
    "name": "Their Own",
    "cell": "local",
    "country": "ES",
    "source": "customer",
    "models": ["gpt-5-mini"],
}


def test_a_managed_tenants_facts_are_all_there() -> None:
    assert declared(Tenant.model_validate(TENANT)) == Declaration(
        tenant="acme",
        cell="local",
        name="Acme Travel",
        country="CR",
        source="managed",
        models=("gpt-5-mini", "gpt-4o-mini"),
        permission="restricted",
        budget=Budget(200, hard=True, alert_percent=(50, 100)),
        rate_limits={"gpt-5-mini": RateLimit(500, 200_000)},
    )


def test_a_customers_own_key_is_not_minted() -> None:
    one = declared(Tenant.model_validate(THEIRS | {"enabled": False}))
    assert (one.minted, one.enabled, one.organization_id, one.budget) == (False, False, None, None)


def test_keys_minted_in_a_customers_organization_are_minted() -> None:
    more = {"organization_id": "org-theirs", "rotation": {"every_days": 30, "overlap_hours": 24}}
    one = declared(Tenant.model_validate(THEIRS | more))
    assert (one.minted, one.source, one.organization_id) == (True, "customer", "org-theirs")


@pytest.mark.parametrize("fields", [TENANT, THEIRS])
def test_the_json_is_read_again_and_holds_no_address(fields: dict[str, Any]) -> None:
    one = declared(Tenant.model_validate(fields))
    assert Declaration.from_json(one.to_json()) == one
    assert "@" not in one.to_json()
