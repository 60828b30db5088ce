"""Customers' organizations in which we mint: one grouped call for all their tenants, by any admin key of theirs."""

from __future__ import annotations

import time

import pytest

from bench.health import fill
from functions.health import cycle, organizations
from functions.health.roster import Organization, Roster
from functions.shared.deadline import Deadline
from functions.sweep.tenants import ListedSecret
from myflux_keys import names
from tests.health.world import World

THEIRS = "org-theirs"


def secret(tenant: str, organization: str = "") -> ListedSecret:
    tags = {names.TAG_PROJECT_ID: f"proj_{tenant}"} | (
        {names.TAG_ORGANIZATION_ID: organization} if organization else {}
    )
    # The record of a sweep is only looked at for being there.
    return ListedSecret(tenant, tenant, tags, None, secret=None)


def test_calls_grow_with_organizations_and_not_with_their_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Roster, "project_of", lambda self, tenant: self.secrets[tenant].tags[names.TAG_PROJECT_ID])
    listed = [secret(f"t{number:04}", f"org-{number % 200}") for number in range(2000)] + [secret("ours")]
    found = Roster({}, {one.name: one for one in listed})
    own, *theirs = found.organizations("local", "org-local")
    assert own == Organization("org-local", {"ours": "proj_ours"})
    assert len(theirs) == 200
    assert {len(one.projects) for one in theirs} == {10}
    assert all(len(one.admin_secrets) == 10 for one in theirs), "any of them may be used"


@pytest.mark.cell
def test_tenants_of_one_customer_are_asked_for_together_and_one_lost_admin_key_costs_nothing(world: World) -> None:
    world.control.open_customer(THEIRS)
    admin = world.control.create_admin_key("ours", organization_id=THEIRS)
    fill(world, ["one", "two"], admin, THEIRS)
    world.keys.append(admin)
    world.aws.secrets.put_secret_value(SecretId=names.customer_admin_secret(world.slug, "one"), SecretString="lost")
    world.cycle()
    began = time.time()
    answer = world.cycle()
    assert (answer["tenants"], answer["probes"], answer["failed"]) == (2, 0, {}), "their traffic is seen"
    state = world.state().tenants
    assert [state[slug].requests for slug in ("one", "two")] == [1, 1]
    asked = [call for call in world.control.calls(since=began) if call.endpoint == "GET /v1/organization/costs"]
    assert len(asked) == 1, "for both, and with the key that works"
    assert all(state[slug].limits_at for slug in ("one", "two"))


@pytest.mark.cell
def test_without_time_nothing_is_asked_about_organizations_and_the_cycle_ends(world: World) -> None:
    world.tenant()
    answer = world.cycle(Deadline(cycle.KEEP_SECONDS + 5))
    assert cycle.KEEP_SECONDS + 5 < organizations.KEEP_SECONDS
    assert answer["calls"]["admin"] == 0
    assert (answer["tenants"], answer["next"]) == (1, None)
    assert world.messages() == []
