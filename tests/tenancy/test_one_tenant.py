"""Loading what one stack stands on: the same refusals for it, and a neighbour's mistake stops nobody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenancy import TenancyError, load
from tenancy.clashes import may_clash
from tests.tenancy.files import REAL, Files

_SLUG = st.from_regex(r"[ab][ab-]{2,6}", fullmatch=True)
"""Of few letters, so that some meet: each would be accepted in a file, hyphens at the end and in a row included."""


def test_a_neighbours_broken_file_does_not_stop_another_tenant(files: Files) -> None:
    files.tenant()
    files.tenant("beta", tenant="beta", country="CN")
    assert set(load(files.root, only="acme").tenants) == {"acme"}
    with pytest.raises(TenancyError):
        load(files.root)


def test_a_tenants_own_broken_file_stops_it(files: Files) -> None:
    files.tenant(country="CN")
    with pytest.raises(TenancyError, match=r"tenants/acme\.yaml:\d+"):
        load(files.root, only="acme")


def test_a_platform_reads_no_tenant(files: Files) -> None:
    files.tenant(country="CN")
    fleet = load(files.root, only="")
    assert (set(fleet.cells), set(fleet.tenants)) == ({"local"}, set())


def test_another_spelling_of_the_same_slug_is_still_found(files: Files) -> None:
    files.tenant("ACME", tenant="ACME")
    files.tenant("acme")
    with pytest.raises(TenancyError) as caught:
        load(files.root, only="acme")
    assert "duplicate-tenant" in {problem.rule for problem in caught.value.problems}


def test_a_clash_of_project_names_is_still_found_from_either_side(files: Files) -> None:
    files.cell("abc", base=REAL, cell="abc")
    files.cell("abc-def", base=REAL, cell="abc-def")
    files.tenant("def-ghi", tenant="def-ghi", cell="abc")
    files.tenant("ghi", tenant="ghi", cell="abc-def")
    for slug in ("def-ghi", "ghi"):
        with pytest.raises(TenancyError) as caught:
            load(files.root, only=slug)
        assert {problem.rule for problem in caught.value.problems} == {"project-collision"}


@given(cells=st.lists(_SLUG, min_size=1, max_size=4, unique=True), tenant=_SLUG, other=_SLUG)
def test_whoever_shares_a_project_name_is_near(cells: list[str], tenant: str, other: str) -> None:
    ours = {f"{cell}-{tenant}" for cell in cells}
    theirs = {f"{cell}-{other}" for cell in cells}
    assert (other in may_clash(tenant, cells)) == bool(ours & theirs)
