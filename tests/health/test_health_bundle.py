"""The health function's code: what its zip would hold, its settings, and a state that is read as it was written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from functions import packer
from functions.health.asking import CALL_SECONDS, LIST_SECONDS
from functions.health.counting import counted
from functions.health.history import History, Trouble
from functions.health.limits import TURNS, turns
from functions.health.notices import Scope
from functions.health.pace import waits
from functions.health.settings import LANGUAGE, TOPIC, read_settings
from functions.health.state import State, StateError, TenantState
from functions.health.trouble import KINDS, TENANT
from functions.health.usage import Costs, buckets_a_page
from functions.shared.environment import HEALTH_BUCKET, SettingError
from myflux_keys.admin_budget import CALLS_PER_MINUTE
from myflux_keys.key_life import READER_CACHE_SECONDS

VARIABLES = {
    "MYFLUX_CELL": "local",
    "MYFLUX_ADMIN_SECRET": "myflux-admin/local/openai",
    "OPENAI_BASE_URL": "https://api.openai.com/v1",
    "MYFLUX_ORGANIZATION_ID": "org-local",
    HEALTH_BUCKET: "a-bucket",
    TOPIC: "arn:aws:sns:us-east-1:000000000000:alarms",
    LANGUAGE: "es",
}
TROUBLE = Trouble("model_retiring", "gpt-5", 2, 5.0, {"days": "12"}, together=True)
FULL = State(
    tenants={
        "acme": TenantState(1.5, True, {date(2026, 11, 3): Decimal("0.10")}, 4, 500, 2.0, 3.0, 4.0, "v2", 5.0, 6.0),
        "new": TenantState(),
    },
    histories={Scope(TENANT, "acme"): History({TROUBLE.slot: TROUBLE}, {("rate_limited", ""): "101"})},
    together={("key_refused", ""): 7.0},
    cursor="acme",
    running_until=9.0,
    cycle_began=8.0,
    costs_as_of=6.0,
    unsent=(("subject", "body"),),
)


def test_the_bundle_runs_alone_and_cannot_mint(tmp_path: Path) -> None:
    held = {path.as_posix() for path in packer.modules("health")}
    assert not [path for path in held if "mint" in path or path.startswith("functions/provisioner")]
    archive = packer.build("health", tmp_path / "health.zip")
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "task")
    script = "import functions.health.handler as h; print(h.__file__)"
    environment = {"PYTHONPATH": str(tmp_path / "task"), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(tmp_path / "task"))


@pytest.mark.parametrize("name", [HEALTH_BUCKET, TOPIC, LANGUAGE])
def test_a_missing_setting_is_named_before_any_call(name: str) -> None:
    assert read_settings(VARIABLES).language == "es"
    with pytest.raises(SettingError, match=name):
        read_settings(VARIABLES | {name: " "})


def test_a_language_without_texts_is_refused() -> None:
    with pytest.raises(SettingError, match="en, es"):
        read_settings(VARIABLES | {LANGUAGE: "fr"})


def test_the_state_is_read_as_it_was_written() -> None:
    assert State.from_json(FULL.to_json()) == FULL
    assert State.from_json(State().to_json()) == State()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"schema": 2}', FULL.to_json().replace('"days":"12"', '"days":12,,')]
)
def test_a_state_that_cannot_be_read_is_an_error_and_not_an_empty_one(text: str) -> None:
    with pytest.raises(StateError):
        State.from_json(text)


@pytest.mark.parametrize("time", ["soon", None, -1, 1_764_500_000_000, float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["cycle_began", "costs_as_of", "running_until"])
def test_a_time_that_is_none_is_an_error_where_it_is_read(field: str, time: object) -> None:
    """Milliseconds would be a look that is always new."""
    with pytest.raises(StateError, match="is no time in Unix seconds"):
        State.from_json(json.dumps(json.loads(FULL.to_json()) | {field: time}))


def test_what_another_version_remembers_of_a_tenant_stops_nobody() -> None:
    """After a step back to an earlier version, and in a checkout that is older than the function."""
    more = FULL.to_json().replace('"called_at":', '"something_new":7,"called_at":')
    assert State.from_json(more) == FULL
    earlier = FULL.to_json().replace(',"key_version":"v2","key_minted_at":5.0,"key_expires_at":6.0', "")
    assert "key_version" in earlier, "the other tenant's are there"
    assert State.from_json(earlier).tenants["acme"].key_version is None


HOUR = 3600.0


@pytest.mark.parametrize(
    ("state", "every", "now", "waits_for"),
    [
        (State(), HOUR, 1e9, ""),
        (State(cycle_began=1000.0), HOUR, 1000.0 + HOUR - 5, ""),
        (State(cycle_began=1000.0), HOUR, 1000.0 + 600, "not due"),
        (State(cycle_began=1000.0), 0.0, 1001.0, ""),
        (State(cycle_began=1000.0, cursor="acme"), HOUR, 1600.0, ""),
        (State(cycle_began=1000.0, running_until=1630.0), HOUR, 1600.0, "another invocation"),
        (State(cycle_began=1000.0, running_until=1630.0), HOUR, 2200.0, ""),
    ],
    ids=[
        "the first cycle of all",
        "a call that comes five seconds early",
        "a call between two cycles",
        "a call by hand",
        "a cycle that ran out of time goes on",
        "one that is still running is left alone",
        "one whose invocation died is begun again",
    ],
)
def test_a_call_works_where_a_cycle_is_due_or_not_finished(
    state: State, every: float, now: float, waits_for: str
) -> None:
    reason = waits(state, every, now)
    assert waits_for in reason
    assert bool(reason) == bool(waits_for)


def test_metrics_are_a_fixed_number_a_cell_with_zeros() -> None:
    many = [History({TROUBLE.slot: TROUBLE})] * 2000
    data = {datum.metric: datum.value for datum in counted(many, watched=2000, silent=3)}
    assert data["ModelsRetiring"] == 2000
    assert data["KeyRefused"] == 0
    assert data["TenantsUnanswered"] == 3
    assert len(data) <= 20
    assert not [datum for datum in counted(many, watched=2000, silent=0) if datum.by], "none a tenant"


def test_each_kind_is_counted() -> None:
    assert all(kind.metric for kind in KINDS.values())


@pytest.mark.parametrize(
    ("projects", "days", "pages"), [(10, 3, 1), (200, 3, 1), (1000, 3, 2), (2000, 3, 3), (2000, 36, 36), (200, 36, 4)]
)
def test_a_cycle_reads_costs_in_a_few_pages(projects: int, days: int, pages: int) -> None:
    """An ordinary cycle of 2,000 tenants in one organization: three pages of costs and two of each family of usage,
    within one minute's calls to each endpoint."""
    size = buckets_a_page(projects, days)
    assert -(-days // size) == pages
    assert size * min(projects, 2000) <= 2000 or size == 1
    if days == 3:
        assert pages <= CALLS_PER_MINUTE


def test_the_live_key_is_used_no_later_than_a_readers_cache_may_hold_it() -> None:
    """So that these calls never make a replaced key look used: sweep and rotation leave that time to readers."""
    assert 2 * LIST_SECONDS + 2 * CALL_SECONDS < READER_CACHE_SECONDS


def test_costs_restate_days_and_leave_others_and_a_new_tenant_has_no_days_before_its_first() -> None:
    first, second, third = (date(2026, 11, day) for day in (1, 2, 3))
    costs = Costs(frozenset({second, third}), {"p": {third: Decimal(5)}}, Decimal(0))
    assert costs.of("p", {first: Decimal(1), second: Decimal(2)}) == {
        first: Decimal(1),
        second: Decimal(0),
        third: Decimal(5),
    }
    assert costs.of("p", None) == {third: Decimal(5)}
    assert costs.of("other", None) == {}


def test_limits_in_question_are_read_first_and_then_the_longest_unread() -> None:
    states = {f"t{number}": TenantState(limits_at=number) for number in range(10)}
    asked = {"t9": History({("project_spend_limit", ""): replace(TROUBLE, kind="project_spend_limit", subject="")})}
    assert turns(states, states, asked) == ["t9", "t0", "t1", "t2"]
    assert len(turns(states, states, {})) == TURNS
