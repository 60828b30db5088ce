"""The health function on a local cell's AWS and OpenAI: what it finds within one cycle, tells once, and sees end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from functions import packer
from functions.health import cycle
from functions.health.store import Overlap, Store
from functions.shared.deadline import Deadline
from myflux_keys import names
from myflux_keys.declaration import Budget
from tests.health.world import World

pytestmark = pytest.mark.cell
LONG = "word " * 4_000
HOUR, DAY = 3600, 86_400


def test_a_cell_that_is_well_is_silent_and_calls_are_billed_once_a_day(world: World) -> None:
    busy, idle, off = (world.tenant(slug) for slug in ("busy", "idle", "off"))
    off.declare(enabled=False)
    busy.call()
    first = world.cycle()
    assert (first["watched"], first["probes"], first["failed"], first["next"]) == (3, 1, {}, None)
    assert world.cycle()["probes"] == 0, "the idle one was called today, and that call is no traffic of its own"
    state = world.state().tenants
    assert (state["busy"].requests, state["idle"].requests) == (1, 0)
    assert state["off"].seen_at is None, "a disabled tenant's key is not used"
    assert world.messages() == []
    assert world.numbers("HealthCycles") == [1.0, 1.0]
    assert world.numbers("KeyRefused") == [0.0, 0.0]
    world.cell.advance(DAY + HOUR)
    assert world.cycle()["probes"] == 2, "a day later, and without traffic"
    assert idle.declaration.enabled


def test_three_troubles_are_three_messages_and_three_ends(world: World) -> None:
    """Balance gone for the cell, one tenant's project limit, a retired model."""
    dear, old = "gpt-5.5-pro", "gpt-5.4"
    limited = world.tenant("limited", models=(dear,))
    world.tenant("retiring", models=(old,))
    world.tenant("well")
    with world.admin() as client:
        limit = client.admin.organization.projects.spend_limit
        cents: dict[str, Any] = {"currency": "USD", "interval": "month"}
        limit.update(limited.project_id, threshold_amount=100, **cents)
        limited.declare(budget=Budget(1, hard=True, alert_percent=(100,)))
        world.control.settings(shutdown_dates={old: None}, costs_delay_seconds=10 * DAY)
        world.cycle()
        assert world.messages() == []

        limited.call(LONG, dear)
        world.cell.advance(DAY + HOUR)
        world.control.settings(shutdown_dates={old: world.today().isoformat()})
        world.cycle()
        assert world.messages() == [
            "Trouble: tenant limited (Limited Travel)",
            "Trouble: tenant retiring (Retiring Travel)",
        ]
        world.cell.advance(DAY + HOUR)
        world.control.fault("balance_gone", count=None, organization_id="org-local")
        world.cycle()
        assert world.messages() == ["Trouble: organization org-local (3 tenants)"]
        world.cycle()
        assert world.messages() == [], "one message, however long it lasts"

        world.control.clear_faults()
        world.control.settings(shutdown_dates={old: None})
        limited.declare(budget=Budget(100, hard=True))
        limit.update(limited.project_id, threshold_amount=10_000, **cents)
    world.cycle()
    assert world.messages() == [
        "Over: organization org-local (3 tenants)",
        "Over: tenant limited (Limited Travel)",
        "Over: tenant retiring (Retiring Travel)",
    ]


def test_a_projects_limit_is_its_tenants_and_a_raised_one_is_waited_for(world: World) -> None:
    tenant, neighbour = world.tenant("acme", budget=Budget(1, hard=True)), world.tenant("globex")
    world.cycle()
    with world.admin() as client:
        limits = client.admin.organization.projects.spend_limit
        limits.update(tenant.project_id, currency="USD", interval="month", threshold_amount=1)
        tenant.call(LONG)
        world.cell.advance(DAY + HOUR)
        world.cycle()
        told = world.bodies()
        assert len(told) == 2
        assert any("project reached its spend limit" in body for body in told)
        assert any("0.01 USD there, 1.00 USD in the file" in body for body in told), "set by hand: both values"
        world.control.settings(limit_propagation_seconds=3600)
        limits.update(tenant.project_id, currency="USD", interval="month", threshold_amount=100)
    world.cycle()
    assert ["Over" in line for line in world.messages()] == [True], "the limit is right again; calls still fail"
    world.cycle()
    assert world.messages() == []
    kinds = {trouble.kind for one in world.state().histories.values() for trouble in one.open.values()}
    assert kinds == {"project_spend_limit", "limit_raised_waiting"}
    world.cell.advance(3700)
    world.cycle()
    assert world.messages() == ["Over: tenant acme (Acme Travel)"]
    assert neighbour.declaration.enabled


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("country_refused", "refuses calls from this country"),
        ("address_refused", "IP allowlist"),
        ("tier_refused", "service tier"),
    ],
)
def test_other_refusals_are_told_apart(world: World, fault: str, words: str) -> None:
    tenant = world.tenant()
    world.control.fault(fault, count=None, project_id=tenant.project_id)
    world.cycle()
    [told] = world.bodies()
    assert words in told
    world.control.clear_faults()
    world.cycle()
    assert world.messages() == ["Over: tenant acme (Acme Travel)"]


def test_a_revoked_key_is_refused_and_silence_is_not_a_refusal(world: World) -> None:
    tenant = world.tenant()
    world.tenant("globex")
    world.cycle()
    world.control.fault("500", path="/v1/models", count=None)
    world.cycle()
    assert world.messages() == [], "once is nothing"
    world.cycle()
    assert world.messages() == [f"Trouble: cell {world.slug}"]
    assert world.numbers("TenantsUnanswered")[-1] == 2.0
    world.control.clear_faults()
    with world.admin() as client:
        client.admin.organization.projects.api_keys.delete(tenant.key_id, project_id=tenant.project_id)
    world.cycle()
    assert world.messages() == ["Trouble: tenant acme (Acme Travel)"]
    world.cycle()
    assert world.messages() == [f"Over: cell {world.slug}"]


def test_spend_is_read_from_all_pages_and_told_at_the_percentage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.health.usage._ROWS", 2)
    tenant, other = world.tenant(budget=Budget(1, hard=True, alert_percent=(1, 100))), world.tenant("globex")
    world.control.settings(unattributed_cents=10_000, costs_early_percent=50)
    for _ in range(3):
        tenant.call(LONG)
    world.cycle(Deadline(300, sleep=lambda _: None))
    early = world.spent(tenant)
    [body] = world.bodies()
    assert re.search(r"1 % of the month's budget is spent: 0\.\d\d of 1 USD", body)
    assert world.spent(other) == Decimal(0), "what belongs to no project is nobody's"
    world.control.settings(costs_early_percent=100)
    world.cycle()
    assert world.spent(tenant) == early * 2, "a restated day is shown changed"
    assert world.messages() == [], "and told once"


def test_declarations_and_secrets_are_compared(world: World) -> None:
    world.tenant("acme")
    world.tenant("stray", declared=False)
    lost = world.tenant("lost")
    world.aws.secrets.delete_secret(SecretId=names.secret_name(world.slug, "lost"), RecoveryWindowInDays=7)
    world.put("declarations/broken.json", "{")
    world.put("declarations/alias.json", lost.declaration.to_json())
    answer = world.cycle()
    assert set(answer["failed"]) == {"declarations/broken.json", "declarations/alias.json"}
    assert world.messages() == ["Trouble: tenant lost (Lost Travel)", "Trouble: tenant stray"]
    world.aws.s3.delete_object(Bucket=world.bucket, Key="declarations/lost.json")
    world.aws.secrets.delete_secret(SecretId=names.secret_name(world.slug, "stray"), RecoveryWindowInDays=7)
    world.cycle()
    assert world.messages() == ["Over: tenant lost", "Over: tenant stray"]
    assert set(world.state().tenants) == {"acme"}


def test_without_any_declaration_nobody_is_called_undeclared(world: World) -> None:
    world.tenant(declared=False)
    world.cycle()
    assert world.messages() == []


def test_a_customers_own_key_is_watched_by_its_answers_alone(world: World) -> None:
    project = world.control.open_customer("org-theirs")
    world.customer("theirs", world.control.create_user_key(project))
    world.control.fault("balance_gone", count=None, organization_id="org-theirs")
    world.cycle()
    told = "\n".join(world.bodies())
    assert "the key belongs to a person" in told
    assert "Whose: the customer's" in told
    assert {scope.of for scope in world.state().histories} == {"tenant"}, "their organization is not known to us"


def test_two_invocations_never_overlap(world: World) -> None:
    world.tenant()
    store = Store(world.aws.s3, world.bucket)
    world.cycle()
    state, version = store.state()
    store.save(replace(state, running_until=time.time() + 600), version)
    with pytest.raises(Overlap):
        store.save(replace(state, running_until=time.time() + 601), version)
    assert world.cycle()["skipped"]


def test_an_invocation_out_of_time_hands_on_where_it_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "_CHUNK", 1)
    for slug in ("aaa", "bbb", "ccc"):
        world.tenant(slug)
    short = cycle.KEEP_SECONDS + 10
    assert [world.cycle(Deadline(short))["next"] for _ in range(3)] == ["aaa", "bbb", None]
    assert world.numbers("HealthCycles") == [1.0, 1.0], "the heartbeat is that of a whole cycle"
    assert world.numbers("TenantsWatched") == [3.0, 3.0]


def test_no_key_is_in_the_state_or_in_a_message(world: World) -> None:
    tenant = world.tenant()
    world.control.fault("quota_unnamed", count=None, project_id=tenant.project_id)
    world.cycle()
    seen = world.raw_state() + "\n".join(world.bodies())
    assert "acme" in seen
    assert not [key for key in world.keys if key in seen]


def test_messages_are_spanish_where_the_cell_says_so(world: World) -> None:
    world.settings = replace(world.settings, language="es")
    tenant = world.tenant()
    world.control.fault("tier_refused", count=None, project_id=tenant.project_id)
    world.cycle()
    [told] = world.bodies()
    assert told.startswith("Problema: inquilino acme (Acme Travel)\nQué: el proyecto no puede usar")


def test_a_cycle_of_ten_tenants_costs_few_admin_calls(world: World) -> None:
    for number in range(10):
        world.tenant(f"tenant-{number}")
    world.cycle()
    answer = world.cycle()
    assert answer["calls"]["tenants"] == 10, "one free call each"
    # The time, costs, two families of usage, and the limits of four tenants.
    assert answer["calls"]["admin"] <= 1 + 1 + 2 + 4 * 2


def test_a_whole_month_of_costs_keeps_to_the_admin_apis_pace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """36 pages, as with 2,000 tenants in one organization, within one invocation and without a refusal."""
    monkeypatch.setattr("functions.health.usage._ROWS", 1)
    world.tenant()
    world.control.settings(admin_requests_per_minute=7)
    ahead = 0.0

    def sleep(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds
        world.cell.advance(seconds)

    began = time.time()
    answer = world.cycle(Deadline(600, monotonic=lambda: time.monotonic() + ahead, sleep=sleep))
    assert answer["next"] is None
    calls = [call for call in world.control.calls(since=began) if call.endpoint == "GET /v1/organization/costs"]
    assert [call.status for call in calls] == [200] * 36
    assert 5 * 60 < ahead < 600 - cycle.KEEP_SECONDS


def test_the_packed_function_runs_from_its_entry_point(world: World, tmp_path: Path) -> None:
    tenant = world.tenant()
    with zipfile.ZipFile(packer.build("health", tmp_path / "health.zip")) as archive:
        archive.extractall(tmp_path / "task")
    script = (
        "import functions.health.handler as h, json, types\n"
        "context = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)\n"
        "print(json.dumps(h.handler({}, context)))\n"
    )
    variables = world.cell.environment("administrator") | world.variables() | {"PYTHONPATH": str(tmp_path / "task")}

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script]
        return subprocess.run(command, cwd=tmp_path, env=variables | more, capture_output=True, text=True, check=False)

    done = run()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["watched"] == 1
    assert world.state().tenants["acme"].seen_at is not None
    failed = run(MYFLUX_HEALTH_BUCKET="there-is-no-such-bucket")
    assert "HealthFailed: GetObject was refused: NoSuchBucket" in failed.stderr
    assert tenant.key not in done.stdout + done.stderr + failed.stderr
