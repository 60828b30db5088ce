"""What watching costs: under 25 dollars a month of AWS for 2,000 tenants, from calls that a cycle really makes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bench.health import LONGEST, SIZES, fill, measured
from docs.watching import MEASURED, PRICES, aws_calls, billed_calls, month, total
from myflux_keys.admin_budget import CALLS_PER_MINUTE
from tests.health.world import World


@pytest.mark.parametrize(("organizations", "most"), [(1, 25), (200, 26)])
def test_watching_2000_tenants_costs_less_than_25_dollars_of_aws_a_month_and_their_organizations_one_more(
    organizations: int, most: int
) -> None:
    assert Decimal(10) < total(2_000, organizations) < Decimal(most)


def test_each_line_has_a_price_with_its_source() -> None:
    assert month(2_000, 1).keys() == PRICES.keys()
    assert all(usd > 0 for _, usd in month(2_000, 1).values())
    assert all(source.startswith("https://aws.amazon.com/") for _, _, source in PRICES.values())


def test_metrics_and_alarms_do_not_grow_with_tenants() -> None:
    few, many = month(10, 1), month(2_000, 1)
    assert [line for line in few if few[line] == many[line] and line.startswith("CloudWatch")] == [
        line for line in few if line.startswith("CloudWatch")
    ]


def test_openais_side_is_a_fraction_of_a_cent_a_tenant() -> None:
    assert Decimal(0) < billed_calls(1) < Decimal("0.01")


def test_the_measured_cycles_fit_into_one_invocation_and_the_admin_apis_pace() -> None:
    assert [(one.tenants, one.organizations) for one in MEASURED] == [*SIZES]
    for one in MEASURED:
        assert one.aws == sum(aws_calls(one.tenants, one.organizations).values()), "reckoned as measured"
        assert one.seconds < LONGEST
        assert one.busiest <= CALLS_PER_MINUTE
        assert one.admin < 20 * one.organizations, "calls with admin keys do not grow with tenants"


@pytest.mark.cell
def test_the_calls_that_are_reckoned_with_are_those_of_a_cycle(world: World) -> None:
    fill(world, ["one", "two", "three"], world.admin_key, "")
    measured(world, 1)
    found = measured(world, 1)
    assert dict(found.aws) == aws_calls(3, 1)
    assert (found.tenants, found.waited) == (3, 0), "one free call each"
    # Costs, two families of usage, and two limits of each of the three.
    assert found.admin <= 1 + 1 + 2 + 3 * 2
