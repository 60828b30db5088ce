"""What the health function answers to a command that asks for usage and costs, on a cell's AWS and OpenAI."""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bench.health import fill
from functions.health import handler, usage_answer
from functions.health.handler import ACTIONS
from functions.health.usage_answer import answer_usage
from functions.health.usage_request import UsageRequest, read_usage_request
from functions.health.usage_rows import Rows, window_days
from functions.sweep.request import RequestError
from myflux_keys import names
from myflux_keys.redaction import looks_like_key
from tests.health.world import World

DAY = 86_400
OTHER = "gpt-4.1-mini"
LONG = "word " * 4_000


def ask(world: World, **event: Any) -> dict[str, Any]:
    """As Lambda sends it: through JSON. From yesterday on unless `event` says otherwise, whatever the month does."""
    event = {"since": (world.today() - timedelta(days=1)).isoformat()} | event
    return json.loads(json.dumps(answer_usage(world.services(), event)))


def billed(answer: dict[str, Any], pick: Callable[[list[Any]], bool] = lambda _: True) -> Decimal:
    return sum((Decimal(row[4]) for one in answer["organizations"] for row in one["costs"] if pick(row)), Decimal(0))


def booked(world: World) -> dict[str, Decimal]:
    """What the emulator booked this month, by project."""
    return {one.id: Decimal(str(one.spent_usd)) for one in world.control.projects()}


def near(usd: Decimal) -> Any:
    return pytest.approx(usd, rel=Decimal("1e-9"))


@pytest.mark.cell
def test_few_calls_bring_every_projects_costs_and_what_is_nobodys(world: World) -> None:
    """Archived projects too, and more days than OpenAI's page has unless it is asked for more."""
    acme, globex, gone = (
        world.tenant("acme", models=("gpt-5.4-mini", OTHER)),
        world.tenant("globex"),
        world.tenant("gone"),
    )
    acme.call(LONG)
    globex.call()
    gone.call(LONG)
    before, first = booked(world), world.today()
    with world.admin() as client:
        client.admin.organization.projects.archive(gone.project_id)
    world.aws.secrets.delete_secret(SecretId=names.secret_name(world.slug, "gone"), RecoveryWindowInDays=7)
    world.cell.advance(12 * DAY)
    acme.call(LONG, OTHER)
    world.control.settings(unattributed_cents=150)
    world.control.clear_calls()
    answer = ask(world, since=first.isoformat(), by="model")
    [one] = answer["organizations"]
    assert one["days"] == [(first + timedelta(days=day)).isoformat() for day in range(13)]
    assert billed(answer, lambda row: row[1] == gone.project_id) == near(before[gone.project_id])
    assert billed(answer, lambda row: row[1] is None) == Decimal("19.5"), "1.50 on each of 13 days, of no project"
    of_acme = {row[2].split(", ")[0] for row in one["costs"] if row[1] == acme.project_id}
    assert of_acme == {"gpt-5.4-mini", OTHER}
    assert one["projects"] == {acme.project_id: "acme", globex.project_id: "globex"}
    assert {(row[1], row[2], row[9]) for row in one["usage"]} == {
        (acme.project_id, "gpt-5.4-mini", 1),
        (acme.project_id, OTHER, 1),
        (globex.project_id, "gpt-5.4-mini", 1),
        (gone.project_id, "gpt-5.4-mini", 1),
    }
    assert (answer["next"], answer["left_out"], answer["without"]) == (None, 0, {})
    assert answer["as_of"] == pytest.approx(world.now(), abs=60)
    assert len(world.control.calls()) == 4, "one for the time, one of costs, one for each kind of usage"
    assert not looks_like_key(json.dumps(answer))


@pytest.mark.cell
def test_tenants_that_are_named_are_the_only_ones_and_keys_are_told_by_their_ids(world: World) -> None:
    acme, globex = world.tenant("acme"), world.tenant("globex")
    world.customer("initech", "sk-" + "proj-" + "i" * 40)
    acme.call()
    globex.call(LONG)
    world.control.settings(unattributed_cents=150)
    answer = ask(world, tenants=["acme", "initech", "nobody"], by="key")
    [one] = answer["organizations"]
    assert {(row[1], row[3]) for row in one["costs"]} == {(acme.project_id, acme.key_id)}
    assert {(row[1], row[3]) for row in one["usage"]} == {(acme.project_id, acme.key_id)}
    assert "customer's own" in answer["without"]["initech"]
    assert "no secret" in answer["without"]["nobody"]
    assert answer["without"].keys() == {"initech", "nobody"}


@pytest.mark.cell
def test_more_named_tenants_than_an_address_holds_are_picked_from_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme, globex = world.tenant("acme"), world.tenant("globex")
    world.tenant("umbra").call()
    acme.call()
    globex.call()
    monkeypatch.setattr(usage_answer, "MOST_NAMED", 1)
    [one] = ask(world, tenants=["acme", "globex"])["organizations"]
    assert {row[1] for row in one["costs"] + one["usage"]} == {acme.project_id, globex.project_id}


@pytest.mark.cell
def test_a_day_without_costs_is_not_among_the_days(world: World) -> None:
    world.tenant().call()
    world.control.settings(costs_delay_seconds=2 * DAY)
    [one] = ask(world, since=world.today().isoformat())["organizations"]
    assert (one["days"], one["costs"]) == ([], [])
    assert one["usage_days"] == [world.today().isoformat()], "usage is there before its costs"


@pytest.mark.cell
def test_many_days_come_in_several_answers_that_add_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant, first = world.tenant(), world.today()
    for _ in range(6):
        tenant.call()
        world.cell.advance(DAY)
    since = first.isoformat()
    whole = ask(world, since=since)
    monkeypatch.setattr(usage_answer, "window_days", lambda _: 1)
    monkeypatch.setattr(usage_answer, "AT_ONCE", 3)
    parts: list[dict[str, Any]] = []
    following: str | None = None
    while True:
        parts.append(ask(world, since=since, before=following))
        following = parts[-1]["next"]
        if following is None:
            break
    assert [len(part["organizations"][0]["days"]) for part in parts] == [3, 3, 1]
    found = sorted(day for part in parts for day in part["organizations"][0]["days"])
    assert found == whole["organizations"][0]["days"]
    assert sum(map(billed, parts)) == billed(whole) > 0


@pytest.mark.cell
def test_rows_that_do_not_fit_into_lambdas_answer_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        world.tenant(f"t{number}").call()
    whole = ask(world)
    rows = sum(len(one["costs"]) + len(one["usage"]) for one in whole["organizations"])
    monkeypatch.setattr(usage_answer, "MOST_BYTES", 900)
    cut = ask(world)
    kept = sum(len(one["costs"]) + len(one["usage"]) for one in cut["organizations"])
    assert kept + cut["left_out"] == rows
    assert 0 < cut["left_out"] < rows


@pytest.mark.cell
def test_an_answer_ends_with_the_days_that_still_fit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant, first = world.tenant(), world.today()
    for _ in range(4):
        tenant.call()
        world.cell.advance(DAY)
    monkeypatch.setattr(usage_answer, "window_days", lambda _: 1)
    monkeypatch.setattr(usage_answer, "MOST_BYTES", 800)
    answer = ask(world, since=first.isoformat())
    [one] = answer["organizations"]
    assert (answer["left_out"], answer["next"]) == (0, min(one["days"])), "the rest is for the next answer"


@pytest.mark.cell
def test_a_customers_organization_is_asked_for_its_tenants_alone(world: World) -> None:
    theirs = "org-theirs"
    world.control.open_customer(theirs)
    admin = world.control.create_admin_key("ours", organization_id=theirs)
    fill(world, ["one", "two"], admin, theirs)
    world.aws.secrets.put_secret_value(SecretId=names.customer_admin_secret(world.slug, "one"), SecretString="lost")
    world.control.settings(unattributed_cents=100)
    answer = ask(world)
    own, customers = answer["organizations"]
    assert (own["id"], customers["id"]) == ("org-local", theirs)
    assert set(customers["projects"].values()) == {"one", "two"}
    assert customers["failed"] is None, "one lost admin key of two costs nothing"
    assert {row[1] for row in customers["costs"]} == set(customers["projects"])


@pytest.mark.cell
def test_an_organization_that_does_not_answer_is_named_and_has_no_day(world: World) -> None:
    world.tenant().call()
    world.aws.secrets.delete_secret(SecretId=world.settings.common.admin_secret, ForceDeleteWithoutRecovery=True)
    [one] = ask(world)["organizations"]
    assert one["days"] == []
    assert "admin" in one["failed"]


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"colour": "red"}, "usage has no field 'colour'"),
        ({"tenants": []}, "at least one slug"),
        ({"tenants": ["A/B"]}, "tenants' slugs"),
        ({"tenants": "acme"}, "a list"),
        ({"by": "day"}, "by must be"),
        ({"since": "yesterday"}, "YYYY-MM-DD"),
        ({"since": 5}, "YYYY-MM-DD"),
        ({"since": "2026-11-05", "before": "2026-11-05"}, "after since"),
    ],
)
def test_a_request_is_read_strictly(event: dict[str, Any], says: str) -> None:
    with pytest.raises(RequestError, match=says):
        read_usage_request({"action": "usage"} | event)


def test_a_request_without_fields_is_this_month_of_all() -> None:
    assert read_usage_request({"action": "usage"}) == UsageRequest(None, None, None, None)
    asked = read_usage_request({"tenants": ["acme"], "by": "key", "since": "2026-11-01", "before": None})
    assert asked == UsageRequest(("acme",), "key", date(2026, 11, 1), None)


def test_an_action_that_the_function_does_not_know_names_those_that_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "MYFLUX_CELL": "local",
        "MYFLUX_ADMIN_SECRET": "myflux-admin/local/openai",
        "OPENAI_BASE_URL": "https://api.openai.com/v1",
        "MYFLUX_ORGANIZATION_ID": "org-local",
        "MYFLUX_HEALTH_BUCKET": "a-bucket",
        "MYFLUX_ALARM_TOPIC": "arn:aws:sns:us-east-1:000000000000:alarms",
        "MYFLUX_LANGUAGE": "en",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "warm", lambda _: (None,) * 6)
    context: Any = types.SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
    with pytest.raises(handler.HealthFailed, match=r"RequestError: action must be one of .*usage"):
        handler.handler({"action": "colour"}, context)
    assert ACTIONS["usage"] is answer_usage


def test_a_call_asks_for_fewer_days_the_more_projects_there_are() -> None:
    assert [window_days(projects) for projects in (0, 1, 30, 100, 500, 2000)] == [31, 31, 31, 10, 2, 1]


def test_what_is_left_out_is_counted_exactly() -> None:
    rows = Rows(costs=[["2026-11-01", "p", None, None, "1"]] * 10, usage=[["2026-11-01", "p", "m"]] * 10)
    left_out = rows.cut(500)
    assert rows.size() <= 500
    assert len(rows.costs) + len(rows.usage) + left_out == 20
