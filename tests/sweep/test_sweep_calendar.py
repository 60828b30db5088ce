"""Whose turn it is, and whose rotation is late."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from functions.rotation.tenant import Tenant
from functions.shared.secrets_manager import SecretState
from functions.sweep import due
from functions.sweep.governance import strictest
from functions.sweep.tenants import TenantSecret
from myflux_keys import names

CELL = "local"
HOUR, DAY = 3600, 86_400
NOW = 1_800_000_000.0


def secret(tenant: str = "acme", *, stages: dict[str, set[str]] | None = None, **changes: object) -> TenantSecret:
    tags = {
        names.TAG_TENANT: tenant,
        names.TAG_CELL: CELL,
        names.TAG_MANAGED_BY: names.MANAGED_BY,
        names.TAG_PROJECT_ID: "proj_1",
        names.TAG_SERVICE_ACCOUNT_ID: "svc_1",
        names.TAG_PERMISSION: "restricted",
        names.TAG_MODELS: "gpt-5-mini",
        names.TAG_EVERY_DAYS: "30",
        names.TAG_OVERLAP_HOURS: "24",
    }
    held = {version: frozenset(labels) for version, labels in (stages or {"v1": {"AWSCURRENT"}}).items()}
    state = SecretState(names.secret_name(CELL, tenant), tags, True, held)
    base = TenantSecret(f"arn:of:{tenant}", tenant, state, NOW + 5 * DAY, NOW - 5 * DAY)
    return replace(base, **changes)


def away(tenant: str) -> float:
    """A time that is not the tenant's own half hour."""
    return NOW if not due.is_slot(f"{CELL}/{tenant}", NOW) else NOW + HOUR


def test_every_tenant_has_just_one_turn_a_day_and_turns_are_spread() -> None:
    tenants = [f"tenant-{number}" for number in range(2000)]
    turns: Counter[int] = Counter()
    for tenant in tenants:
        slots = [n for n in range(due.SLOTS) if due.is_slot(f"{CELL}/{tenant}", n * due.SLOT_SECONDS + 7)]
        assert len(slots) == 1
        turns[slots[0]] += 1
    assert max(turns.values()) <= 80, "two thousand tenants at six a minute must fit into a run of fifteen minutes"


@pytest.mark.parametrize(
    ("hours_since_rotation", "expected"),
    [(5, False), (21.5, False), (22.5, True), (24.5, True), (25.5, False), (46.5, True), (49, True), (50, False)],
)
def test_a_tenant_is_looked_at_around_the_death_of_its_old_key(hours_since_rotation: float, expected: bool) -> None:
    now = away("acme")
    looked = due.is_due(secret(last_rotated=now - hours_since_rotation * HOUR), CELL, now)
    assert looked is expected, "also around the second death, that of a key which was extended"


@pytest.mark.parametrize(
    ("hours_since_rotation", "expected"),
    [
        *((0.5, True), (0.9, True), (3, False), (21, False), (22.5, True), (70.5, True), (72.9, True), (75, False)),
        *((166, True), (8 * 24 + 23, False), (-1, False)),
    ],
)
def test_a_tenant_with_a_persons_consumer_is_looked_at_around_each_extension_for_seven_days(
    hours_since_rotation: float, expected: bool
) -> None:
    now = away("acme")
    one = secret(last_rotated=now - hours_since_rotation * HOUR)
    tags = {**one.state.tags, names.TAG_CONSUMERS: "myflux cinnox"}
    assert due.is_due(replace(one, state=replace(one.state, tags=tags)), CELL, now) is expected


def test_a_rotation_that_hangs_is_looked_at() -> None:
    hanging = secret(stages={"v1": {"AWSCURRENT"}, "v2": {"AWSPENDING"}})
    finished = secret(stages={"v1": {"AWSCURRENT", "AWSPENDING"}})
    assert due.is_due(hanging, CELL, away("acme"))
    assert not due.is_due(finished, CELL, away("acme"))


def test_tags_that_make_no_sense_are_looked_at_so_that_they_are_told() -> None:
    broken = secret()
    tags = {**broken.state.tags, names.TAG_OVERLAP_HOURS: "soon"}
    assert due.is_due(replace(broken, state=replace(broken.state, tags=tags)), CELL, away("acme"))


def test_a_rotation_is_late_by_aws_own_date_by_being_off_and_by_the_keys_age() -> None:
    assert due.overdue(secret(), NOW) is None
    assert due.overdue(secret(next_rotation=NOW - 60), NOW) is None, "AWS has the whole window"
    assert "5 h ago" in (due.overdue(secret(next_rotation=NOW - 5 * HOUR), NOW) or "")
    off = secret()
    off = replace(off, state=replace(off.state, rotation_enabled=False))
    assert due.overdue(off, NOW) == "rotation is off"
    old = secret(last_rotated=NOW - 33 * DAY)
    assert "33 days old" in (due.overdue(old, NOW) or ""), "AWS may have moved its date on after a failure"


def test_a_customers_own_key_is_never_late_and_has_its_turn() -> None:
    customers = secret()
    tags = {name: value for name, value in customers.state.tags.items() if not name.startswith("myflux:")}
    customers = replace(customers, state=replace(customers.state, tags=tags, rotation_enabled=False))
    assert not customers.managed
    assert due.overdue(customers, NOW) is None
    day = [NOW - NOW % DAY + n * due.SLOT_SECONDS for n in range(due.SLOTS)]
    assert sum(due.is_due(customers, CELL, moment) for moment in day) == 1


def test_openai_is_asked_for_the_longest_life_and_for_another_tenant_each_day() -> None:
    def tenant(name: str, interval: int) -> Tenant:
        return Tenant(CELL, name, f"proj_{name}", "svc", "all", ("m",), interval * DAY, DAY)

    tenants = [tenant("brief", 7), tenant("acme", 90), tenant("globex", 90)]
    asked = {strictest(tenants, day).tenant for day in range(10)}  # type: ignore[union-attr]
    assert asked == {"acme", "globex"}
    assert strictest([], 0) is None
