"""The provisioner against an OpenAI emulator: it makes, adopts, changes and archives, and writes only where it must."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.provisioner import handler
from functions.provisioner.handler import ProvisioningFailed
from functions.provisioner.project import ProjectError, ServiceAccounts
from functions.provisioner.request import BadRequest, read_request
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError
from myflux_keys.payload import SecretText
from tests.functions.world import CELL, FUNCTION, MODEL, World, provisioner_input

BUDGET: dict[str, Any] = {
    "monthly_usd": 200,
    "hard": True,
    "alert_percent": [50, 80, 100],
    "emails": ["ops@acme.example", "cfo@acme.example"],
}
LIMITS = {MODEL: {"requests_per_minute": 400, "tokens_per_minute": 100_000}}


def _writes(world: World) -> list[str]:
    return [f"{call.method} {call.endpoint}" for call in world.control.calls() if call.method != "GET"]


def _project(world: World, path: str) -> dict[str, Any]:
    return world.api().send("GET", f"/organization/projects/{world.project_id}{path}")


def _alerts(world: World) -> dict[int, list[str]]:
    return {
        alert["threshold_amount"]: alert["notification_channel"]["recipients"]
        for alert in _project(world, "/spend_alerts")["data"]
    }


def test_a_tenant_gets_project_account_models_limits_and_budget(world: World) -> None:
    made = world.provision("update", rate_limits=LIMITS, budget=BUDGET)
    assert made == {
        "organization_id": "org-local",
        "project_id": world.project_id,
        "service_account_id": world.account_id,
    }, "ids only: this lands in Pulumi's state"
    assert _project(world, f"/service_accounts/{world.account_id}")["role"] == "member", "its keys would be refused"
    assert _project(world, "/model_permissions")["model_ids"] == [MODEL, "gpt-5"]
    limit = next(item for item in _project(world, "/rate_limits")["data"] if item["model"] == MODEL)
    assert (limit["max_requests_per_1_minute"], limit["max_tokens_per_1_minute"]) == (400, 100_000)
    assert _project(world, "/spend_limit")["threshold_amount"] == 20_000, "cents"
    assert set(_alerts(world)) == {10_000, 16_000, 20_000}, "percents of the month's budget, in cents"
    assert not world.live_keys(), "no key exists before the first rotation"


def test_an_unchanged_update_writes_nothing(world: World) -> None:
    world.provision("update", rate_limits=LIMITS, budget=BUDGET)
    world.control.clear_calls()
    world.provision("update", rate_limits=LIMITS, budget=BUDGET)
    assert _writes(world) == []


def test_a_change_writes_just_that(world: World) -> None:
    world.provision("update", rate_limits=LIMITS, budget=BUDGET)
    world.control.clear_calls()
    world.provision("update", rate_limits=LIMITS, budget=BUDGET | {"alert_percent": [80, 90, 100]})
    assert sorted(write.split("/")[-1] for write in _writes(world)) == ["spend_alerts", "{alert_id}"]
    assert set(_alerts(world)) == {16_000, 18_000, 20_000}


def test_new_recipients_replace_the_alerts(world: World) -> None:
    world.provision("update", budget=BUDGET)
    world.provision("update", budget=BUDGET | {"emails": ["new@acme.example"]})
    assert _alerts(world) == {cents: ["new@acme.example"] for cents in (10_000, 16_000, 20_000)}


def test_a_soft_budget_alerts_and_does_not_block(world: World) -> None:
    world.provision("update", budget=BUDGET)
    world.provision("update", budget=BUDGET | {"hard": False})
    with pytest.raises(OpenAIError, match="404"):
        _project(world, "/spend_limit")
    assert len(_alerts(world)) == 3
    world.provision("update", budget=None)
    assert not _alerts(world)


def test_alerts_of_people_stay(world: World) -> None:
    theirs = {
        "currency": "USD",
        "interval": "month",
        "threshold_amount": 123,
        "notification_channel": {"type": "email", "recipients": ["boss@acme.example"]},
    }
    world.api().send("POST", f"/organization/projects/{world.project_id}/spend_alerts", body=theirs)
    world.provision("update", budget=BUDGET)
    world.provision("update", budget=None)
    assert set(_alerts(world)) == {123}


def test_what_exists_by_name_is_adopted_on_any_page(world: World) -> None:
    for number in range(130):
        world.api().send("POST", "/organization/projects", body={"name": f"other-{number}"})
    world.control.clear_calls()
    assert world.provision("create")["project_id"] == world.project_id
    pages = [call for call in world.control.calls() if call.path.split("?")[0] == "/v1/organization/projects"]
    assert len(pages) == 2, "131 projects are two pages, and a twin on the second would be seen"
    assert _writes(world) == []


def test_an_archived_name_is_not_used_again(world: World) -> None:
    world.provision("delete")
    with pytest.raises(ProjectError, match="is archived"):
        world.provision("create")


def test_two_projects_of_one_name_are_refused_by_id(world: World) -> None:
    twin = world.api().send("POST", "/organization/projects", body={"name": f"myflux-{CELL}-{world.tenant}"})
    with pytest.raises(ProjectError, match=twin["id"]):
        world.provision("update")


@pytest.mark.parametrize("fault", ["dropped_after_apply", "truncated"])
@pytest.mark.parametrize("path", ["/projects$", "/service_accounts$"])
def test_a_create_whose_answer_is_lost_makes_no_twin(new_world: Callable[..., World], fault: str, path: str) -> None:
    world = new_world()
    world.provision("delete")
    world.tenant += "-2"
    world.control.fault(fault, method="POST", path=path)
    made = world.provision("create")
    state = [project for project in world.control.projects() if project.name == f"myflux-{CELL}-{world.tenant}"]
    assert [project.id for project in state] == [made["project_id"]]
    assert list(state[0].service_accounts) == [made["service_account_id"]]


@pytest.mark.parametrize("old_delete_rule", [False, True], ids=["deletes", "old-delete-rule"])
def test_off_boarding_ends_every_key_before_it_archives(world: World, old_delete_rule: bool) -> None:
    world.rotate()
    world.rotate()
    current = world.payload().api_key
    if old_delete_rule:
        world.control.fault("old_delete_rule", count=None)
    world.time.patient = True
    result = world.provision("delete")
    assert result["archived"] is True
    assert not world.accepted(current)
    order = [write.split(" ", 1) for write in _writes(world)]
    ended = [n for n, (_, path) in enumerate(order) if "{api_key_id}" in path]
    assert ended
    assert max(ended) < len(order) - 1
    assert order[-1][1].endswith("/archive"), "what is final comes last"
    world.control.clear_calls()
    again = world.provision("delete")
    assert again["archived"] is True
    assert _writes(world) == [], "off-boarding twice is no error and changes nothing"


def test_off_boarding_stops_while_a_key_lives(world: World) -> None:
    world.rotate()
    world.control.fault("500", method="DELETE", count=None)
    with pytest.raises(OpenAIError, match="500"):
        world.provision("delete")
    assert not next(project for project in world.control.projects() if project.id == world.project_id).archived
    assert world.accepted(world.payload().api_key), "nothing final was done"


def test_off_boarding_ends_a_second_account_of_the_name_too(world: World) -> None:
    world.rotate()
    twin = world.api().send(
        "POST", f"/organization/projects/{world.project_id}/service_accounts", body={"name": "myflux-runtime"}
    )
    value = next(key.value for key in world.control.minted() if key.id == twin["api_key"]["id"])
    assert world.provision("delete")["archived"] is True
    world.control.clear_calls()
    assert not world.accepted(SecretText(value))


def test_off_boarding_believes_no_answer(world: World) -> None:
    world.rotate()
    world.control.fault("not_done", method="DELETE", path="api_keys", count=None)
    with pytest.raises(ProjectError, match="still valid"):
        world.provision("delete")
    world.control.clear_faults()
    world.control.fault("not_done", path="/archive$")
    with pytest.raises(ProjectError, match="it is not: run it again"):
        world.provision("delete")
    assert world.provision("delete")["archived"] is True


def test_off_boarding_a_tenant_that_never_was_is_no_error(world: World) -> None:
    world.tenant = "never-was"
    assert world.provision("delete") == {
        "organization_id": "org-local",
        "project_id": None,
        "service_account_id": None,
        "archived": True,
    }


def test_the_provisioner_never_causes_a_key(world: World) -> None:
    world.provision("update", rate_limits=LIMITS, budget=BUDGET)
    world.provision("delete")
    assert not [key.id for key in world.control.minted() if key.project_id == world.project_id]


def test_an_account_that_comes_with_a_key_unasked_has_it_ended_unread(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenAI may one day ignore the flag that keeps an account without a key."""
    api, send = world.api(), AdminAPI.send

    def ignoring(self: AdminAPI, method: str, path: str, **named: Any) -> dict[str, Any]:
        if named.get("body", {}).get("create_service_account_only"):
            named["body"] = {"name": named["body"]["name"]}
        return send(self, method, path, **named)

    monkeypatch.setattr(AdminAPI, "send", ignoring)
    ServiceAccounts(api, world.project_id, world.time.deadline()).ensure("another")
    assert [key.project_id for key in world.control.minted() if key.kind == "service_account"][-1] == world.project_id
    assert world.live_keys() == {}


def test_the_admin_apis_pace_is_kept_by_waiting(world: World) -> None:
    world.control.settings(admin_requests_per_minute=9)
    world.control.fault("429", path="/rate_limits", count=3)
    world.provision("update", rate_limits=LIMITS)
    assert world.time.slept == [5.0, 10.0, 20.0]


def test_an_unknown_model_in_the_limits_is_named_before_any_limit_is_written(world: World) -> None:
    world.control.clear_calls()
    with pytest.raises((ProjectError, OpenAIError), match="gpt-nonesuch"):
        world.provision("update", models=[MODEL, "gpt-nonesuch"], rate_limits={"gpt-nonesuch": LIMITS[MODEL]})
    assert not [write for write in _writes(world) if "rate_limit" in write]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"schema": 2}, "`schema`"),
    ({"tenant": "Acme!"}, "`tenant`"),
    ({"cell": "other"}, "serves cell"),
    ({"project": "myflux-local-globex"}, "another tenant's"),
    ({"service_account": "root"}, "`service_account`"),
    ({"models": []}, "`models`"),
    ({"models": [MODEL, MODEL]}, "`models`"),
    ({"models": MODEL}, "`models` must be a list"),
    ({"rate_limits": {"gpt-4": {"requests_per_minute": 1}}}, "not in `models`"),
    ({"rate_limits": {MODEL: {"per_hour": 1}}}, "requests_per_minute and tokens_per_minute"),
    ({"rate_limits": {MODEL: {"requests_per_minute": 0}}}, "above 0"),
    ({"rate_limits": {MODEL: {"requests_per_minute": True}}}, "whole number"),
    ({"budget": {"monthly_usd": -1}}, "monthly_usd"),
    ({"budget": {"monthly_usd": "200"}}, "monthly_usd"),
    ({"budget": BUDGET | {"alert_percent": [0]}}, "alert_percent"),
    ({"budget": BUDGET | {"emails": ["nobody"]}}, "emails"),
    ({"budget": BUDGET | {"hard": "yes"}}, "hard"),
    ({"budget": BUDGET | {"currency": "CRC"}}, "`budget`"),
    ({"colour": "red"}, "unknown fields: colour"),
]


@pytest.mark.parametrize(("change", "reason"), BAD)
def test_bad_input_is_refused_with_field_and_rule_before_any_call(change: dict[str, Any], reason: str) -> None:
    event = provisioner_input("acme") | {"tf": {"action": "create", "prev_input": None}} | change
    with pytest.raises(BadRequest, match=reason):
        read_request(event, CELL, FUNCTION)


@pytest.mark.parametrize("tf", [None, {}, {"action": "read"}, "create"])
def test_a_call_from_outside_pulumi_is_refused(tf: Any) -> None:
    with pytest.raises(BadRequest, match=r"tf\.action"):
        read_request(provisioner_input("acme") | {"tf": tf}, CELL, FUNCTION)


@pytest.mark.parametrize("as_text", [False, True])
def test_a_limit_that_left_the_file_is_refused_since_openai_cannot_take_it_back(as_text: bool) -> None:
    before: Any = provisioner_input("acme", rate_limits=LIMITS)
    tf = {"action": "update", "prev_input": json.dumps(before) if as_text else before}
    with pytest.raises(BadRequest, match="cannot remove a limit"):
        read_request(provisioner_input("acme") | {"tf": tf}, CELL, FUNCTION)
    gone = provisioner_input("acme", models=["gpt-5"])
    assert read_request(gone | {"tf": tf}, CELL, FUNCTION).rate_limits == {}, (
        "a model that left too cannot be called at all"
    )


def test_deleting_needs_only_names() -> None:
    event = provisioner_input("acme", models=[], budget={"nonsense": 1}, rate_limits={"x": 1})
    assert read_request(event | {"tf": {"action": "delete", "prev_input": None}}, CELL, FUNCTION).action == "delete"


def test_the_handler_answers_ids_and_fails_with_a_redacted_text(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        invoked_function_arn = FUNCTION

        def get_remaining_time_in_millis(self) -> int:
            return 60_000

    for name, value in {
        "MYFLUX_CELL": CELL,
        "MYFLUX_ADMIN_SECRET": world.environment.admin_secret,
        "OPENAI_BASE_URL": world.url,
        "MYFLUX_ORGANIZATION_ID": "org-local",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "warm", lambda admin_secret: world.kept.admin_key)
    event = provisioner_input(world.tenant) | {"tf": {"action": "update", "prev_input": None}}
    assert handler.handler(event, Context())["project_id"] == world.project_id
    leak = "sk-" + "proj-" + "z" * 30
    with pytest.raises(ProvisioningFailed) as caught:
        handler.handler(event | {"cell": leak}, Context())
    assert leak not in str(caught.value)
    assert caught.value.__suppress_context__
