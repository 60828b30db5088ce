"""What fills a cell first, and how many cells a fleet needs."""

from __future__ import annotations

import pytest

from ops.actions.capacity import PROJECTS, ROLES
from ops.actions.projection import Shape, full, load, project
from tenancy.slot_load import ROTATIONS_AN_HOUR


def test_a_cell_is_full_by_its_organizations_projects_unless_something_else_is_scarcer() -> None:
    assert full(Shape()).tenants == PROJECTS
    all_dedicated = full(Shape(dedicated=1.0))
    assert all_dedicated.limit == "IAM roles"
    assert 0 < ROLES - all_dedicated.tenants < 20, "the platform's roles count too"


def test_where_slots_are_scarce_the_last_number_that_fits_is_found() -> None:
    often = Shape(interval_hours=4)
    found = full(often)
    assert found.limit == "rotations in the busiest hour"
    assert load(found.tenants, often).peak <= ROTATIONS_AN_HOUR
    assert load(found.tenants + 1, often).peak > ROTATIONS_AN_HOUR


@pytest.mark.parametrize(("tenants", "cells"), [(1, 1), (2_000, 1), (2_001, 2), (100_000, 50)])
def test_tenants_are_spread_over_as_many_cells_as_they_need(tenants: int, cells: int) -> None:
    found = project(tenants, Shape())
    assert found.cells == cells
    assert found.stacks == tenants + cells, "a stack a tenant, and one a platform"
    assert found.busiest_hour <= ROTATIONS_AN_HOUR
