"""A kept cell is killed in a wave of rotations and starts again: every rotation ends, and every key is accounted for.

The killed process answers nothing more, as on a machine that loses its power. One rotation of each wave waits for an
answer of OpenAI at that moment, so that the kill always meets one that is half done, however fast the machine is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local import leftovers
from local.cell import LocalCell
from tests.kept.conftest import kill
from tests.program.rig import wait_until
from tests.sweep.conftest import OVERLAP_HOURS, Bench, TenantBench

pytestmark = pytest.mark.cell

TENANTS = 3
MONTH = 31 * 86_400
OVERLAP = (OVERLAP_HOURS + 1) * 3600
MOMENTS = (
    ("POST", r"/service_accounts/[^/]+/api_keys$", "a key was made, and its rotation does not know it"),
    ("GET", r"/models/[^/]+$", "a new key is being tried"),
    ("POST", r"/projects/[^/]+/api_keys/[^/]+$", "the new key is current, and the old one has its long life"),
)
BY_HAND = MOMENTS[2]
"""Its wave was asked for and is due at no time: nothing but the cell's own memory starts it again."""


def test_a_cell_that_is_killed_in_a_wave_of_rotations_goes_on_with_all_of_them(kept: Bench, home: Path) -> None:
    tenants = [kept.tenant() for _ in range(TENANTS)]
    for moment in MOMENTS:
        method, path, when = moment
        before = {tenant.slug: (tenant.last_rotated(), tenant.held("AWSCURRENT")["key_id"]) for tenant in tenants}
        kept.control.fault("slow", method=method, path=path, count=1, seconds=600, after=True)
        if moment is BY_HAND:
            for tenant in tenants:
                kept.secrets.rotate_secret(SecretId=tenant.arn)
        else:
            kept.cell.advance(MONTH)
        wait_until(lambda: not kept.control.faults(), f"a rotation to wait: {when}", seconds=120)
        kill(home)
        assert LocalCell.status(home).state == "stopped"
        left = leftovers.folders(home)
        assert left, "a killed server deletes nothing"

        LocalCell.start(home)
        assert not left & leftovers.folders(home), "nobody else would"
        for tenant in tenants:
            _await_rotation(tenant, before[tenant.slug][0], when)
        # Then an old key has ended by itself, and one that nobody knows would live for weeks.
        kept.cell.advance(OVERLAP)
        for tenant in tenants:
            current = tenant.held("AWSCURRENT")
            assert current["key_id"] != before[tenant.slug][1], when
            assert set(tenant.live()) == {current["key_id"]}, f"an orphan, where {when}"
            labels = tenant.stages().values()
            assert not any("AWSPENDING" in held and "AWSCURRENT" not in held for held in labels), when
            tenant.use(current)
    answer = kept.sweep(due=True)
    assert answer["orphans"] == []
    assert len({minted.id for minted in kept.control.minted()}) == len(kept.control.minted()), "nothing was made twice"


def _await_rotation(tenant: TenantBench, before: Any, when: str) -> None:
    wait_until(lambda: tenant.last_rotated() != before, f"the rotation after {when}", seconds=120)
