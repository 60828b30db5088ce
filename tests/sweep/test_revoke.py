"""Every key on a tenant's service account, now."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sweep.conftest import Bench

pytestmark = pytest.mark.cell


def revoke(bench: Bench, slug: str) -> dict[str, Any]:
    return bench.invoke(bench.names.sweep_function, {"action": "revoke", "tenant": slug})


def test_every_key_of_the_account_dies_on_every_page_and_others_live(bench: Bench) -> None:
    tenant = bench.tenant()
    tenant.rotate()
    ours = {tenant.mint("by hand, on our account") for _ in range(120)} | set(tenant.live())
    bench.control.create_user_key(tenant.ids["project_id"], "a person's")
    (person,) = set(tenant.live()) - ours
    answer = revoke(bench, tenant.slug)
    assert set(answer["revoked"]) == ours, "more than one page, young and old, whatever their names"
    assert answer["failed"] == []
    assert answer["foreign"] == [person]
    assert set(tenant.live()) == {person}
    assert revoke(bench, tenant.slug)["revoked"] == [], "a second time there is nothing to do"


def test_a_neighbours_keys_live_on(bench: Bench) -> None:
    one, other = bench.tenant(), bench.tenant()
    revoke(bench, one.slug)
    assert one.live() == {}
    assert len(other.live()) == 1


def test_where_openai_refuses_to_delete_the_keys_die_all_the_same(bench: Bench) -> None:
    tenant = bench.tenant()
    (key,) = tenant.live()
    bench.control.fault("old_delete_rule", method="DELETE", count=None)
    try:
        assert revoke(bench, tenant.slug)["revoked"] == [key]
    finally:
        bench.control.clear_faults()
    bench.cell.advance(2)
    assert tenant.live() == {}


def test_a_key_that_cannot_be_ended_is_named(bench: Bench) -> None:
    tenant = bench.tenant()
    (stubborn,) = tenant.live()
    easy = tenant.mint()
    bench.control.fault("500", method="DELETE", path=stubborn, count=None)
    try:
        answer = revoke(bench, tenant.slug)
    finally:
        bench.control.clear_faults()
    assert answer["revoked"] == [easy], "one that resists keeps no other alive"
    assert [entry["key_id"] for entry in answer["failed"]] == [stubborn]
    assert set(tenant.live()) == {stubborn}


def test_a_customers_own_key_and_an_unknown_tenant_are_refused(bench: Bench) -> None:
    customer = bench.customer()
    with pytest.raises(AssertionError, match="the customer's own"):
        revoke(bench, customer)
    with pytest.raises(AssertionError, match="no secret myflux/local/nobody-here/openai"):
        revoke(bench, "nobody-here")


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({}, "action is None"),
        ({"action": "revoke"}, "tenant holds None"),
        ({"action": "revoke", "tenant": "acme", "dry_run": True}, "no field 'dry_run'"),
        ({"action": "sweep", "tenants": []}, "at least one slug"),
        ({"action": "sweep", "tenants": ["../x"]}, "no tenant's slug"),
        ({"action": "sweep", "dry_run": "no"}, "true or false"),
        ({"action": "sweep", "tenants": ["nobody-here"]}, "no secret of nobody-here"),
    ],
)
def test_what_is_not_understood_is_refused_before_anything_is_done(
    bench: Bench, event: dict[str, Any], says: str
) -> None:
    bench.control.clear_calls()
    with pytest.raises(AssertionError, match=says):
        bench.invoke(bench.names.sweep_function, event)
    assert not bench.control.calls()
