"""Whose keys an operation is about, and why somebody is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.errors import OperationError
from ops.selection import files_of, one_tenant, to_rotate
from tenancy import Fleet, TenancyError, load
from tests.tenancy.files import Files


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    files = Files(tmp_path)
    files.tenant()
    files.tenant("globex", tenant="globex")
    files.tenant(
        "initech",
        tenant="initech",
        source="customer",
        without=("rate_limits", "budget", "rotation", "permission"),
    )
    return load(tmp_path)


def test_all_takes_managed_tenants_and_says_why_a_customers_key_is_left_out(fleet: Fleet) -> None:
    (chosen,) = to_rotate(fleet, [], everyone=True, cell=None)
    assert [tenant.tenant for tenant in chosen.tenants] == ["acme", "globex"]
    assert "customer's own" in chosen.left_out["initech"]
    assert to_rotate(fleet, [], everyone=False, cell="local") == [chosen]


def test_named_tenants_come_once_and_in_order(fleet: Fleet) -> None:
    (chosen,) = to_rotate(fleet, ["globex", "acme", "globex"], everyone=False, cell=None)
    assert [tenant.tenant for tenant in chosen.tenants] == ["acme", "globex"]


@pytest.mark.parametrize(
    ("slugs", "everyone", "cell", "words"),
    [
        ([], False, None, "exactly one of the three"),
        (["acme"], True, None, "exactly one of the three"),
        (["acme"], False, "local", "exactly one of the three"),
        (["acmee"], False, None, "Did you mean acme?"),
        ([], False, "prod", "there is no cell `prod`: cells/ has local"),
        (["acme", "initech"], False, None, "myflux-keys key set initech"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused_before_anything_happens(
    fleet: Fleet, slugs: list[str], everyone: bool, cell: str | None, words: str
) -> None:
    with pytest.raises(OperationError) as refused:
        to_rotate(fleet, slugs, everyone=everyone, cell=cell)
    assert words in str(refused.value)


def test_a_tenant_without_a_file_is_named_with_the_way_out(fleet: Fleet) -> None:
    with pytest.raises(OperationError, match=r"tenants/ has no file umbrella\.yaml"):
        one_tenant(fleet, "umbrella")


def test_a_mistake_in_another_tenants_file_stops_no_command_about_this_one(tmp_path: Path) -> None:
    """A key that leaked must be revoked, whatever somebody has just typed into another file."""
    files = Files(tmp_path)
    files.tenant("polar", tenant="polar")
    files.tenant("acme", tenant="acme", budget={"monthly_usd": 20.5})
    assert files_of(tmp_path, ["polar"]).tenants.keys() == {"polar"}
    with pytest.raises(TenancyError, match=r"acme\.yaml"):
        files_of(tmp_path, ["acme"])
    files.tenant("acme", tenant="acme")
    with pytest.raises(OperationError, match="Did you mean polar"):
        one_tenant(files_of(tmp_path, ["pola"]), "pola")
