"""The organization forbids what a rotation needs: told before one fails, and no key left behind by asking."""

from __future__ import annotations

import pytest

from tests.sweep.conftest import Bench

pytestmark = pytest.mark.cell


@pytest.fixture
def policies(bench: Bench):
    yield bench.control.settings
    bench.control.settings(max_key_lifetime_seconds=None, forbid_new_keys=False, only_service_account_keys=False)
    bench.control.clear_faults()


def asked(bench: Bench, slug: str) -> str | None:
    return bench.sweep(slug, governance=True)["governance"]


def minted(bench: Bench, slug: str) -> int:
    """Keys ever made for the tenant or to ask. Not POST calls: a rotation of another tenant may run beside."""
    return len([key for key in bench.control.minted() if "governance" in key.name or f"-{slug}-" in key.name])


def test_asking_leaves_no_key_and_is_not_done_unasked(bench: Bench) -> None:
    tenant = bench.tenant()
    before = set(tenant.live())
    made = minted(bench, tenant.slug)
    assert made, "its first key"
    bench.sweep(tenant.slug)
    assert minted(bench, tenant.slug) == made, "a sweep by hand mints nothing"
    assert asked(bench, tenant.slug) is None
    assert set(tenant.live()) == before
    probes = [key for key in bench.control.minted() if "governance" in key.name]
    assert probes, "it did ask"
    assert all(key.value not in bench.logged() for key in probes)
    made = minted(bench, tenant.slug)
    bench.sweep(tenant.slug, governance=True, dry_run=True)
    assert minted(bench, tenant.slug) == made, "nor does a dry run"


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"forbid_new_keys": True}, "does not allow new API keys"),
        ({"max_key_lifetime_seconds": 20 * 86_400}, "expire within"),
    ],
)
def test_a_policy_that_refuses_our_keys_is_told(bench: Bench, policies, policy, says: str) -> None:
    tenant = bench.tenant()
    before = set(tenant.live())
    policies(**policy)
    assert says in (asked(bench, tenant.slug) or "")
    assert bench.numbers("GovernanceChanged")[-1] == 1
    assert set(tenant.live()) == before


def test_policies_that_do_not_touch_us_are_no_alarm(bench: Bench, policies) -> None:
    tenant = bench.tenant()
    policies(only_service_account_keys=True, max_key_lifetime_seconds=35 * 86_400)
    assert asked(bench, tenant.slug) is None


def test_a_lost_answer_leaves_no_key_either(bench: Bench, policies) -> None:
    tenant = bench.tenant()
    before = set(tenant.live())
    bench.control.fault("dropped_after_apply", method="POST", path="service_accounts/.*/api_keys$")
    answer = bench.sweep(tenant.slug, governance=True)
    assert answer["governance"] is None
    assert tenant.slug in answer["failed"], "that it could not be told is told"
    assert set(tenant.live()) == before


def test_a_busy_or_broken_openai_is_no_policy(bench: Bench, policies) -> None:
    tenant = bench.tenant()
    bench.control.fault("500", method="POST", path="service_accounts/.*/api_keys$")
    answer = bench.sweep(tenant.slug, governance=True)
    assert answer["governance"] is None
    assert tenant.slug in answer["failed"]
