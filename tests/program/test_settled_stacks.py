"""When nothing was asked for, nothing changes."""

from __future__ import annotations

import pytest

from tests.program.conftest import SHIPPED, Shipped
from tests.program.rig import CELL, UNTOUCHED

pytestmark = [pytest.mark.engine, pytest.mark.cell]


def test_a_second_up_after_several_rotations_changes_nothing(shipped: Shipped) -> None:
    rig = shipped.rig
    versions = [rig.current("acme")]
    for _ in range(3):
        rig.rotate("acme")
        versions.append(rig.current("acme"))
    assert len(set(versions)) == 4, "three rotations, and each made a version"
    again = rig.up("acme.local")
    assert again.changed == {}
    assert "acme-rotation" in {step.name for step in again.steps}, "it was looked at"
    assert rig.current("acme") == versions[-1], "and up asked for no rotation"


def test_refresh_shows_no_drift_after_a_rotation(shipped: Shipped) -> None:
    rig = shipped.rig
    rig.rotate("fjord")
    for stack in ("fjord.local", "globex.local"):
        refreshed = rig.refresh(stack)
        assert {step.op for step in refreshed.steps} <= {"refresh", *UNTOUCHED}
        drifted = {step.name: step.diff for step in refreshed.steps if step.diff}
        assert drifted == {}, f"{stack} is said to have drifted"
        assert refreshed.summary.keys() <= {"same"}, refreshed.summary
    assert rig.preview("fjord.local").changed == {}, "and what refresh read is what the program wants"


def test_the_platform_settles_too(shipped: Shipped) -> None:
    rig = shipped.rig
    assert rig.up(CELL).changed == {}
    assert rig.refresh(CELL).summary.keys() <= {"same"}
    assert rig.preview(CELL).changed == {}


@pytest.mark.parametrize("slug", SHIPPED[1:])
def test_a_tenants_second_up_changes_nothing(shipped: Shipped, slug: str) -> None:
    assert shipped.rig.up(f"{slug}.{CELL}").changed == {}


def test_drift_made_by_hand_is_seen_and_put_right(shipped: Shipped) -> None:
    """Else the tests above might show only that nothing is ever compared."""
    rig = shipped.rig
    secret = rig.tenant("initech").secret
    rig.client("deployer", "secretsmanager").update_secret(SecretId=secret, Description="by hand")
    assert rig.refresh("initech.local").summary.get("update") == 1
    put_right = rig.up("initech.local")
    assert put_right.changed == {"initech-key-secret": "update"}
    assert set(put_right.step("initech-key-secret").diff) == {"description"}
