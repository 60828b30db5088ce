"""The deployed sweep in a local cell, under the role that ships: what it finds, what it ends and what it leaves."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from functions.sweep import due
from functions.sweep.decide_keys import READER_CACHE_SECONDS
from tests.sweep.conftest import OVERLAP_HOURS, Bench

pytestmark = pytest.mark.cell
HOUR = 3600


def test_an_orphan_is_ended_and_what_others_made_is_told_and_left(bench: Bench) -> None:
    tenant = bench.tenant()
    first = tenant.held("AWSCURRENT")["key_id"]
    orphan = tenant.mint()
    unending = tenant.mint(expires_in_seconds=None)
    bench.control.create_user_key(tenant.ids["project_id"], "tried by hand")
    foreign = next(key.id for key in tenant.live().values() if key.name == "tried by hand")

    young = bench.sweep(tenant.slug)
    entry = bench.of_key(young, orphan)
    assert entry, young
    assert entry["found"] == "kept", "it may be a running rotation's: nobody is hurried"
    assert orphan in tenant.live()

    bench.cell.advance(2 * HOUR)
    planned = bench.sweep(tenant.slug, dry_run=True)
    assert planned["done"]
    assert {e["key_id"]: (e["found"], e["action"]) for e in planned["plan"]} == {
        first: ("kept", "none"),
        orphan: ("orphan", "revoke"),
        unending: ("orphan", "revoke"),
        foreign: ("foreign", "report"),
    }
    assert set(tenant.live()) == {first, orphan, unending, foreign}, "a dry run changes nothing"

    swept = bench.sweep(tenant.slug)
    assert bench.of_key(swept, orphan)["outcome"] == "deleted"  # type: ignore[index]
    assert set(tenant.live()) == {first, foreign}, "orphans are gone; the live key and the foreign one are not touched"
    assert bench.numbers("OrphanKeys", Tenant=tenant.slug) == [2.0, 2.0]
    assert bench.numbers("ForeignKeys", Tenant=tenant.slug) == [1.0, 1.0]

    again = bench.sweep(tenant.slug)
    assert [e["found"] for e in again["plan"] if e["found"] != "kept"] == ["foreign"], "a second sweep finds no orphan"


def test_an_orphan_dies_where_openai_still_refuses_to_delete_it(bench: Bench) -> None:
    tenant = bench.tenant()
    orphan = tenant.mint()
    bench.cell.advance(2 * HOUR)
    bench.control.fault("old_delete_rule", method="DELETE", path=orphan, count=None)
    try:
        swept = bench.sweep(tenant.slug)
    finally:
        bench.control.clear_faults()
    assert bench.of_key(swept, orphan)["outcome"] == "expired", "said in so many words: it was not deleted"  # type: ignore[index]
    bench.cell.advance(2)
    assert orphan not in tenant.live()


def test_a_deletion_that_was_answered_and_not_done_is_not_told_as_done(bench: Bench) -> None:
    tenant = bench.tenant()
    orphan = tenant.mint()
    bench.cell.advance(2 * HOUR)
    bench.control.fault("not_done", method="DELETE", path=orphan)
    told = bench.of_key(bench.sweep(tenant.slug), orphan)
    assert told
    assert told["outcome"].startswith("not done: ")
    assert "still exists" in told["outcome"]
    assert orphan in tenant.live()


def test_an_adopted_key_is_ours_as_long_as_any_version_holds_it(bench: Bench) -> None:
    tenant = bench.tenant()
    value = bench.control.create_user_key(tenant.ids["project_id"], "by hand")
    adopted = next(key.id for key in tenant.live().values() if key.name == "by hand")
    store = bench.client("administrator", "secretsmanager").put_secret_value
    store(
        SecretId=tenant.arn, SecretString=json.dumps(tenant.held("AWSCURRENT") | {"api_key": value, "key_id": adopted})
    )
    assert bench.of_key(bench.sweep(tenant.slug), adopted)["found"] == "kept", "the live key"  # type: ignore[index]
    tenant.rotate()
    tenant.rotate()
    bench.cell.advance(2 * HOUR)
    assert adopted in tenant.live()
    assert adopted not in [tenant.held(label)["key_id"] for label in ("AWSCURRENT", "AWSPREVIOUS")]
    told = bench.of_key(bench.sweep(tenant.slug), adopted)
    assert told
    assert (told["found"], told["action"]) == ("overdue", "expire"), "an unlabelled version holds it: it is not foreign"
    left = (tenant.live()[adopted].expires_at or 0) - bench.now()
    assert left <= OVERLAP_HOURS * HOUR


def test_an_old_key_in_use_is_extended_once_and_named_with_its_consumers(bench: Bench) -> None:
    tenant = bench.tenant("myflux")
    old = tenant.held("AWSCURRENT")
    tenant.rotate()
    bench.cell.advance(READER_CACHE_SECONDS + HOUR)
    tenant.use(old)
    early = bench.sweep(tenant.slug)
    assert bench.of_key(early, old["key_id"])["found"] == "kept", "there is time to change over"  # type: ignore[index]

    before = tenant.live()[old["key_id"]].expires_at
    bench.cell.advance((OVERLAP_HOURS - 3) * HOUR)
    found = bench.of_key(bench.sweep(tenant.slug), old["key_id"])
    assert found
    assert (found["found"], found["action"]) == ("in_use", "extend"), (
        found["reason"],
        found["expires_at"],
        found["last_used_at"],
        bench.now(),
    )
    assert "myflux" in found["reason"]
    after = tenant.live()[old["key_id"]].expires_at
    assert before
    assert after
    assert abs(after - before - OVERLAP_HOURS * HOUR) <= 5, "by one overlap"
    assert bench.numbers("OldKeyStillUsed", Consumer="myflux")[-1] >= 1, "the alarm is the consumer's own"

    bench.cell.advance(OVERLAP_HOURS * HOUR)
    tenant.use(old)
    told = bench.of_key(bench.sweep(tenant.slug), old["key_id"])
    assert told
    assert (told["found"], told["action"]) == ("in_use", "report"), "once, and then it dies"
    assert tenant.live()[old["key_id"]].expires_at == after
    bench.cell.advance(2 * HOUR)
    assert old["key_id"] not in tenant.live()
    assert bench.of_key(bench.sweep(tenant.slug), old["key_id"]) is None, "tried, and dead as it should be"


def test_an_old_key_whose_life_was_never_shortened_gets_the_overlap(bench: Bench) -> None:
    tenant = bench.tenant()
    old = tenant.held("AWSCURRENT")["key_id"]
    # The last step can't reach OpenAI, so the old key keeps its long life and the rotation is not over.
    bench.control.fault("500", method="POST", path=f"api_keys/{old}$", count=None)
    try:
        version = bench.secrets.rotate_secret(SecretId=tenant.arn)["VersionId"]
        end = time.monotonic() + 60
        while "AWSCURRENT" not in tenant.stages().get(version, []):
            assert time.monotonic() < end
            time.sleep(0.1)
        bench.secrets.cancel_rotate_secret(SecretId=tenant.arn)
    finally:
        bench.control.clear_faults()
    bench.cell.advance(2 * HOUR)
    found = bench.of_key(bench.sweep(tenant.slug), old)
    assert found
    assert (found["found"], found["action"]) == ("overdue", "expire")
    assert tenant.live()[old].expires_at <= bench.now() + OVERLAP_HOURS * HOUR  # type: ignore[operator]


def test_a_key_that_should_be_dead_is_tried_and_told_when_it_answers(bench: Bench) -> None:
    """OpenAI lists no such key any more, while another part of it still answers: shown with a previous version that
    holds a key of the live kind under an id that is not listed."""
    tenant = bench.tenant()
    tenant.rotate()
    hidden = tenant.held("AWSPREVIOUS") | {"key_id": "key_gone"}
    _put_previous(bench, tenant.arn, hidden)
    found = bench.of_key(bench.sweep(tenant.slug), "key_gone")
    assert found
    assert (found["found"], found["action"]) == ("alive", "report")
    assert bench.numbers("OldKeyAlive", Tenant=tenant.slug) == [1.0, 1.0]
    dead = hidden | {"api_key": "sk-" + "svcacct-" + "x" * 40}
    _put_previous(bench, tenant.arn, dead)
    assert bench.of_key(bench.sweep(tenant.slug), "key_gone") is None, "a refused key is dead, as it should be"


def _put_previous(bench: Bench, arn: str, payload: dict[str, Any]) -> None:
    bench.client("administrator", "secretsmanager").put_secret_value(
        SecretId=arn,
        ClientRequestToken=str(uuid.uuid4()),
        SecretString=json.dumps(payload),
        VersionStages=["AWSPREVIOUS"],
    )


def test_the_live_versions_key_missing_at_openai_is_told_and_its_neighbours_live(bench: Bench) -> None:
    tenant = bench.tenant()
    live = tenant.held("AWSCURRENT")["key_id"]
    other = tenant.mint()
    bench.cell.advance(2 * HOUR)
    bench.invoke(bench.names.sweep_function, {"action": "revoke", "tenant": tenant.slug})
    again = tenant.mint()
    bench.cell.advance(2 * HOUR)
    swept = bench.sweep(tenant.slug)
    assert bench.of_key(swept, live)["found"] == "missing"  # type: ignore[index]
    assert bench.of_key(swept, again)["found"] == "kept", "perhaps it is all that works"  # type: ignore[index]
    assert other not in tenant.live()
    assert bench.numbers("LiveKeyMissing", Tenant=tenant.slug) == [1.0, 1.0]


def test_a_late_rotation_and_one_that_is_off_are_told(bench: Bench) -> None:
    tenant = bench.tenant()
    assert tenant.slug not in bench.sweep(tenant.slug)["rotation_overdue"]
    bench.secrets.cancel_rotate_secret(SecretId=tenant.arn)
    assert bench.sweep(tenant.slug)["rotation_overdue"][tenant.slug] == "rotation is off"


def test_one_tenant_that_cannot_be_looked_at_does_not_stop_the_others(bench: Bench) -> None:
    broken, well = bench.tenant(), bench.tenant()
    bench.secrets.tag_resource(SecretId=broken.arn, Tags=[{"Key": "myflux:overlap-hours", "Value": "soon"}])
    orphan = well.mint()
    bench.cell.advance(2 * HOUR)
    swept = bench.sweep(broken.slug, well.slug)
    assert "overlap-hours" in swept["failed"][broken.slug]
    assert bench.of_key(swept, orphan)["outcome"] == "deleted"  # type: ignore[index]
    # Left broken it would be told in every sweep of the whole cell that other tests make.
    bench.secrets.tag_resource(SecretId=broken.arn, Tags=[{"Key": "myflux:overlap-hours", "Value": "24"}])


def test_the_whole_cell_is_swept_page_by_page_and_goes_on_where_it_stopped(bench: Bench) -> None:
    tenants = [bench.tenant() for _ in range(2)]
    customer = bench.customer()
    orphans = [tenant.mint() for tenant in tenants]
    bench.cell.advance(2 * HOUR)
    rounds, after = 0, None
    # So little time that one tenant is all that each round gets to.
    while rounds < 60:
        answer = bench.sweep(seconds=20, **({"next": after} if after else {}))
        rounds, after = rounds + 1, answer["next"]
        if answer["done"]:
            break
        assert answer["tenants"] >= 1, "every round gets on"
    assert rounds > 2, "it did stop and go on"
    for tenant, orphan in zip(tenants, orphans, strict=True):
        assert orphan not in tenant.live()
    assert bench.numbers("CustomerKeyAgeDays", Tenant=customer), "a customer's own key has an age"
    assert bench.numbers("SweepUnfinished")[-1] >= 1


def test_the_schedule_looks_at_those_whose_turn_it_is(bench: Bench) -> None:
    """As the rule asks: a tenant whose old key is about to die is looked at, and one without any reason is not."""
    idle, dying = bench.tenant(), bench.tenant()
    dying.rotate()
    old = dying.held("AWSPREVIOUS")["key_id"]
    bench.cell.advance((OVERLAP_HOURS - 1) * HOUR)
    while due.is_slot(f"local/{idle.slug}", bench.now()):
        bench.cell.advance(due.SLOT_SECONDS)
    idle.rotate()
    swept = bench.sweep(due=True)
    assert bench.of_key(swept, old), "an hour before its death"
    assert idle.slug not in {entry["tenant"] for entry in swept["plan"]}
    assert bench.numbers("RotationOverdue"), "dates are judged for every tenant at every run: they cost no call"


def test_the_admin_keys_days_are_told(bench: Bench) -> None:
    assert bench.sweep(bench.tenant().slug)["admin_key_days_left"] is None, "the cell's own never expires here"
    dying = bench.control.create_admin_key("the cell's next", expires_in_seconds=10 * 86_400)
    bench.secrets.put_secret_value(SecretId=bench.names.admin_secret, SecretString=dying)
    # A cold start: a warm function keeps the admin key for minutes.
    bench.cold_start()
    days = bench.sweep(bench.tenant().slug)["admin_key_days_left"]
    assert days is not None
    assert 9.9 < days <= 10
    assert 9.9 < bench.numbers("AdminKeyDaysLeft")[0] <= 10


def test_no_key_stands_in_the_functions_log(bench: Bench) -> None:
    logged = bench.logged()
    assert '"sweep.finding"' in logged, "one line a finding"
    for key in bench.control.minted():
        assert key.value not in logged
