"""A tenant's file as its declaration: every fact that a scheduled function needs, and no e-mail address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from myflux_keys.declaration import Budget, Declaration, DeclarationError, RateLimit
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


def test_a_tenant_with_a_key_is_declared_as_before_there_were_others() -> None:
    """Its stack has no change, and functions of an earlier version read it."""
    text = declared(Tenant.model_validate(TENANT)).to_json()
    assert "credential" not in text
    assert "switching_from" not in text
    assert Declaration.from_json(text).has_key


@pytest.mark.parametrize(
    ("credential", "before", "key", "identity"),
    [
        ("key", None, True, False),
        ("federated", "key", True, True),
        ("federated", None, False, True),
        ("key", "federated", True, True),
    ],
)
def test_each_state_of_a_switch_is_declared(credential: str, before: str | None, key: bool, identity: bool) -> None:
    tenant = Tenant.model_validate(TENANT | {"credential": credential, "switching_from": before})
    one = Declaration.from_json(declared(tenant).to_json())
    assert (one.credential, one.switching_from) == (credential, before)
    assert (one.has_key, one.has_identity) == (tenant.has_key, tenant.has_identity) == (key, identity)


@pytest.mark.parametrize("fields", [{"credential": "cookie"}, {"switching_from": "cookie"}, {"credential": None}])
def test_an_unknown_credential_is_refused(fields: dict[str, Any]) -> None:
    text = json.dumps(json.loads(declared(Tenant.model_validate(TENANT)).to_json()) | fields)
    with pytest.raises(DeclarationError, match="credential"):
        Declaration.from_json(text)


@pytest.mark.parametrize("fields", [TENANT, THEIRS])
def test_the_json_is_read_again_and_holds_no_address(fields: dict[str, Any]) -> None:
    one = declared(Tenant.model_validate(fields))
    assert Declaration.from_json(one.to_json()) == one
    assert "@" not in one.to_json()
