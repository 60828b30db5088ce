"""A kept cell is killed in a wave of rotations and starts again: every rotation ends, and every key is accounted for.

The killed process answers nothing more, as on a machine that loses its power. One rotation of each wave waits for an
answer of OpenAI at that moment, so that the kill always meets one that is half done, however fast the machine is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from local.cell import LocalCell
from tests.kept.conftest import kill
from tests.program.rig import wait_until
from tests.sweep.conftest import Bench, TenantBench

pytestmark = pytest.mark.cell

TENANTS = 4
MONTH = 31 * 86_400
MOMENTS = (
    ("POST", r"/service_accounts/[^/]+/api_keys$", "a key was made, and its rotation does not know it"),
    ("GET", r"/models/[^/]+$", "a new key is being tried"),
    ("POST", r"/projects/[^/]+/api_keys/[^/]+$", "the new key is current, and the old one has its long life"),
)


def test_a_cell_that_is_killed_in_a_wave_of_rotations_goes_on_with_all_of_them(kept: Bench, home: Path) -> None:
    tenants = [kept.tenant() for _ in range(TENANTS)]
    for method, path, when in MOMENTS:
        before = {tenant.slug: (tenant.last_rotated(), tenant.held("AWSCURRENT")["key_id"]) for tenant in tenants}
        kept.control.fault("slow", method=method, path=path, count=1, seconds=600, after=True)
        kept.cell.advance(MONTH)
        wait_until(lambda: not kept.control.faults(), f"a rotation to wait: {when}", seconds=120)
        kill(home)
        assert LocalCell.status(home).state == "stopped"

        LocalCell.start(home)
        for tenant in tenants:
            last, key = before[tenant.slug]
            wait_until(
                lambda tenant=tenant, last=last: tenant.last_rotated() != last, f"the rotation after {when}", 120
            )
            assert tenant.held("AWSCURRENT")["key_id"] != key, when
            _every_key_is_accounted_for(tenant, when)
    answer = kept.sweep(due=True)
    assert answer["orphans"] == []
    assert len({minted.id for minted in kept.control.minted()}) == len(kept.control.minted()), "nothing was made twice"


def _every_key_is_accounted_for(tenant: TenantBench, when: str) -> None:
    current, previous = tenant.held("AWSCURRENT"), tenant.held("AWSPREVIOUS")
    assert current["key_id"] in tenant.live(), when
    assert set(tenant.live()) <= {current["key_id"], previous["key_id"]}, f"an orphan, where {when}"
    assert not any("AWSPENDING" in labels and "AWSCURRENT" not in labels for labels in tenant.stages().values()), when
    tenant.use(current)
