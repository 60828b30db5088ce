"""History, status and capacity from what AWS told: pure reckoning."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops.account import checked_reason, command_and_reason, user_agent
from ops.actions.capacity import FEDERATED, PROJECTS, demand, full_on, growth_of, reckon
from ops.actions.history import Version, lives, windows
from ops.actions.status import tenant_status
from ops.actions.trail import TrailEvent, read
from ops.cli import capacity
from ops.errors import OperationError
from ops.rotation_state import SecretFacts
from tenancy import Fleet, load
from tests.tenancy.files import Files

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ROLE = "myflux-local-rotation"
TAGS = {"myflux:every-days": "30", "myflux:overlap-hours": "24"}


def held(**fields: Any) -> SecretFacts:
    return SecretFacts(
        arn="arn:x", name="myflux/local/acme/openai", tags=TAGS, rotation_enabled=True, answered_at=NOW, **fields
    )


def event(name: str, version: str, at: datetime, *, who: str = "", agent: str = "", error: str = "") -> TrailEvent:
    stage = "AWSCURRENT" if name == "UpdateSecretVersionStage" else ""
    return TrailEvent(name, at, "arn:x", version, who, agent, error, stage)


def test_each_version_tells_who_made_it_when_it_went_live_and_when_it_ends() -> None:
    hours = [NOW + timedelta(hours=hour) for hour in range(4)]
    made = [
        Version("first", hours[0], ()),
        Version("scheduled", hours[1], ()),
        Version("rotate-" + "0" * 36, hours[2], ("AWSPREVIOUS",)),
        Version("by-hand", hours[3], ("AWSCURRENT",)),
    ]
    session = f"arn:aws:sts::0:assumed-role/{ROLE}/x"
    seen = [
        event("PutSecretValue", "first", hours[0], who=session),
        event("PutSecretValue", "scheduled", hours[1], who=session),
        event("UpdateSecretVersionStage", "scheduled", hours[1] + timedelta(seconds=9)),
        event("RotateSecret", made[2].id, hours[2], who="arn:aws:iam::0:user/eve", agent=user_agent("rotate", "a b/ü")),
        event("UpdateSecretVersionStage", made[2].id, hours[2] + timedelta(seconds=5)),
        event("PutSecretValue", "by-hand", hours[3], who="arn:aws:iam::0:user/adam"),
    ]
    first, scheduled, rotated, by_hand = lives(held(), made, seen, ROLE)
    assert (first.by, first.state, first.promoted) == ("schedule", "replaced", hours[0]), "AWS made it live by itself"
    assert scheduled.promoted == hours[1] + timedelta(seconds=9)
    assert scheduled.expires == hours[2] + timedelta(hours=24), "the overlap counts from the next key's making"
    assert (rotated.by, rotated.who, rotated.reason) == ("rotate", "arn:aws:iam::0:user/eve", "a b/ü")
    assert (by_hand.by, by_hand.state) == ("person", "current")
    assert by_hand.expires == hours[3] + timedelta(days=34), "interval, overlap and three days: 30 + 1 + 3"


def test_rotations_inside_the_overlap_end_older_keys_sooner() -> None:
    moments = [NOW + timedelta(minutes=10 * number) for number in range(4)]
    made = [Version(f"rotate-{number}", at, ()) for number, at in enumerate(moments)]
    seen = [event("UpdateSecretVersionStage", version.id, version.made) for version in made]
    ends = [life.expires for life in lives(held(), made, seen, ROLE)]
    assert ends[0] == moments[3], "the third rotation after it ends it"
    assert ends[1] == moments[3] + timedelta(hours=1), "the second leaves it what readers cache it for"
    assert ends[2] == moments[3] + timedelta(hours=24), "the first leaves it the overlap"


def test_a_revocation_ends_every_key_before_it_at_once() -> None:
    made = [
        Version("old", NOW, ("AWSPREVIOUS",)),
        Version("revoke-" + "0" * 36, NOW + timedelta(hours=1), ("AWSCURRENT",)),
    ]
    old, new = lives(held(), made, [], ROLE)
    assert old.expires == NOW + timedelta(hours=1)
    assert new.by == "revoke", "the version's id tells so when CloudTrail has forgotten"


def test_a_rotation_that_failed_is_no_key_and_says_why() -> None:
    made = [Version("live", NOW, ("AWSCURRENT",)), Version("stuck", NOW + timedelta(days=1), ("AWSPENDING",))]
    seen = [event("RotationFailed", "", NOW + timedelta(days=1, minutes=3), error="OpenAI answered 500")]
    live, stuck = lives(held(), made, seen, ROLE)
    assert (stuck.state, stuck.problem, stuck.expires) == ("failed", "RotationFailed: OpenAI answered 500", None)
    assert live.problem == ""


def test_a_key_that_is_not_minted_here_has_no_end_that_we_could_reckon() -> None:
    customers = SecretFacts(arn="arn:x", name="n", tags={}, rotation_enabled=False, answered_at=NOW)
    (only,) = lives(customers, [Version("v", NOW, ("AWSCURRENT",))], [], ROLE)
    assert (only.expires, only.by) == (None, "unknown")


def test_cloudtrail_is_looked_through_in_few_narrow_windows_and_not_beyond_its_memory() -> None:
    made = [NOW - timedelta(days=200), NOW - timedelta(days=30), NOW - timedelta(days=30, hours=-1), NOW]
    found = windows(made, NOW)
    assert len(found) == 2, "two close versions share a window, and what is forgotten is not asked for"
    assert all(start >= NOW - timedelta(days=90) for start, _ in found)


def test_an_event_is_read_whoever_wrote_it_and_anything_else_is_passed_over() -> None:
    service = {
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "RotationFailed",
        "additionalEventData": {"SecretId": "arn:x"},
        "userIdentity": {"invokedBy": "secretsmanager.amazonaws.com"},
        "requestParameters": None,
        "errorMessage": "why",
    }
    found = read(NOW, json.loads(json.dumps(service)))
    assert found is not None
    assert (found.secret, found.error, found.who) == ("arn:x", "why", "secretsmanager.amazonaws.com")
    assert read(NOW, {"eventSource": "kms.amazonaws.com"}) is None


@pytest.mark.parametrize("reason", ["", "leak in #chat, seen by Zoë", "50% / a=b; c&d"])
def test_a_reason_comes_back_from_the_user_agent_as_it_was(reason: str) -> None:
    agent = f"Boto3/1.43 md/Botocore#1.43 {user_agent('rotate', reason)} cfg/retry-mode#adaptive"
    assert agent.isascii()
    assert command_and_reason(agent) == ("rotate", reason)
    assert command_and_reason("Boto3/1.43 Pulumi/3") is None


@pytest.mark.parametrize("reason", ["sk-" + "proj-" + "x" * 20, "a" * 201, "bell\x07"])
def test_a_reason_that_must_not_be_kept_is_refused_without_being_repeated(reason: str) -> None:
    with pytest.raises(OperationError) as refused:
        checked_reason(reason)
    assert reason not in str(refused.value)


@pytest.fixture
def mixed(tmp_path: Path) -> Fleet:
    files = Files(tmp_path)
    for number in range(10):
        files.tenant(f"tenant-{number}", tenant=f"tenant-{number}", isolation="dedicated" if number < 3 else "shared")
    bare = ("rate_limits", "budget", "rotation", "permission")
    files.tenant("initech", tenant="initech", source="customer", without=bare)
    return load(tmp_path)


def test_capacity_counts_what_each_limit_counts_and_when_it_is_full(mixed: Fleet) -> None:
    created = [NOW - timedelta(days=10 - day) for day in range(10)]
    found = reckon(mixed, mixed.cells["local"], created, NOW)
    by_name = {limit.what: limit for limit in found.limits}
    assert (found.tenants, found.deployed) == (11, 10)
    assert found.growth.tenants_a_day == pytest.approx(0.9), "nine came after the first, in ten days"
    projects = by_name["OpenAI projects"]
    assert (projects.used, projects.most, projects.left) == (10, PROJECTS, 1990), "a customer has a project of its own"
    days_left = (projects.full_on - NOW.date()).days if projects.full_on else 0
    assert days_left == int(1990 / 0.9)
    roles = by_name["IAM roles of ours"]
    assert roles.used >= 3 + 3, "three dedicated tenants beside the platform's own"
    assert found.slots.peak >= 1
    assert found.admin_calls_a_day == pytest.approx(10 * 24 / 366, rel=0.01), "30 days is twice a month"


def test_a_federated_tenant_takes_a_project_and_a_rule_and_neither_secret_nor_slot(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.cell(federation={"enabled": True})
    for number in range(4):
        files.tenant(f"tenant-{number}", tenant=f"tenant-{number}")
    before = demand(load(tmp_path), load(tmp_path).cells["local"], NOW.date())
    files.tenant("tenant-2", tenant="tenant-2", credential="federated", switching_from="key")
    files.tenant("tenant-3", tenant="tenant-3", credential="federated")
    fleet = load(tmp_path)
    after = demand(fleet, fleet.cells["local"], NOW.date())
    assert (before.projects, before.federated, before.secrets) == (4, 0, 5)
    assert (after.projects, after.federated, after.secrets) == (4, 2, 4), "one that is switching has both"
    assert after.slots.rotations == before.slots.rotations * 3 / 4
    created = [NOW - timedelta(days=10 - day) for day in range(10)]
    found = reckon(fleet, fleet.cells["local"], created, NOW)
    limits = {limit.what: limit for limit in found.limits}
    assert (limits[FEDERATED].used, limits[FEDERATED].most) == (2, 50 * 50)
    assert limits[FEDERATED].full_on is not None, "it grows as the tenants with keys do"
    assert "4 tenants in files, 1 of them without a key; 10 deployed with one." in capacity._text(found)


def test_a_cell_without_federation_has_no_line_about_it(mixed: Fleet) -> None:
    found = reckon(mixed, mixed.cells["local"], [], NOW)
    assert FEDERATED not in {limit.what for limit in found.limits}


def test_cells_that_share_an_organization_share_its_providers(tmp_path: Path) -> None:
    """One tenant of another cell takes a provider of 50 rules, as `validate` counts it too."""
    files = Files(tmp_path)
    for cell in ("local", "second", "third"):
        files.cell(
            cell,
            cell=cell,
            federation={
                "enabled": True,
                "issuer": "https://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws",
            },
        )
    for number, cell in enumerate(("local", "local", "second")):
        files.tenant(f"t-{number}", tenant=f"t-{number}", cell=cell, credential="federated")
    fleet = load(tmp_path)
    told = {slug: demand(fleet, cell, NOW.date()) for slug, cell in fleet.cells.items()}
    assert {slug: (one.federated, one.most_federated) for slug, one in told.items()} == {
        "local": (2, 49 * 50),
        "second": (1, 49 * 50),
        "third": (0, 48 * 50),
    }


@pytest.mark.parametrize(
    ("used", "most", "a_day", "when"),
    [
        (0, 10, 1.0, NOW.date() + timedelta(days=10)),
        (10, 10, 0.0, NOW.date()),
        (5, 10, 0.0, None),
        (0, 10**9, 0.001, None),
    ],
)
def test_a_limit_is_full_when_it_is_reached_or_never(used: int, most: int, a_day: float, when: date | None) -> None:
    assert full_on(used, most, a_day, NOW.date()) == when


def test_a_limit_is_not_forecast_from_a_cells_first_days(mixed: Fleet) -> None:
    """Ten tenants deployed in an hour are a beginning: at "ten a day" the cell would be full next summer."""
    created = [NOW - timedelta(days=1, minutes=6 * minute) for minute in range(10)]
    found = reckon(mixed, mixed.cells["local"], created, NOW)
    assert (found.growth.tenants_a_day, found.growth.days) == (None, 1)
    assert {limit.full_on for limit in found.limits} == {None}
    shown = capacity._text(found)
    assert "No forecast: the first tenant's secret is 1 day old, and growth is measured over 7 days or more." in shown
    assert "not at this growth" not in shown, "that would be a forecast too"
    assert growth_of([NOW - timedelta(days=7), NOW], NOW).tenants_a_day == pytest.approx(1 / 7)


def test_growth_of_a_cell_without_tenants_is_not_known() -> None:
    assert growth_of([], NOW).tenants_a_day is None
    assert growth_of([NOW - timedelta(days=400)], NOW).tenants_a_day == 0, "one that came long ago is no growth"


def test_status_says_in_a_word_what_matters_most(mixed: Fleet) -> None:
    tenant = mixed.tenants["tenant-0"]
    current = {"v": ["AWSCURRENT"]}
    soon, past = NOW + timedelta(days=1), NOW - timedelta(hours=1)

    def state(found: SecretFacts | None, readable: bool | None = True, of: Any = tenant) -> str:
        return tenant_status("tenant-0", of, found, readable, NOW).state

    assert state(held(stages=current, next_rotation=soon)) == "ok"
    assert state(held(stages=current, next_rotation=past)) == "overdue"
    assert state(held(stages={**current, "p": ["AWSPENDING"]}, next_rotation=soon)) == "pending"
    assert state(held()) == "no key"
    assert state(None) == "not deployed"
    assert state(held(stages=current, next_rotation=soon), readable=False) == "differs", "file and AWS disagree"
    assert state(held(stages=current), of=None) == "no file"
    disabled = tenant.model_copy(update={"enabled": False})
    assert state(held(stages=current, next_rotation=soon), readable=False, of=disabled) == "disabled"


def test_a_keys_age_counts_from_its_rotation_by_awss_clock(mixed: Fleet) -> None:
    born = NOW - timedelta(days=3)
    line = tenant_status("tenant-0", mixed.tenants["tenant-0"], held(last_rotated=born), True, NOW)
    assert line.key_age == timedelta(days=3)
    assert tenant_status("tenant-0", mixed.tenants["tenant-0"], held(), True, NOW).key_age is None
