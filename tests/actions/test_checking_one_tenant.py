"""`myflux-keys verify` on a cell that the real engine deployed: all steps, and what somebody did by hand."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import openai
import pytest

from tests.actions.conftest import Operated
from tests.commands import client

pytestmark = [pytest.mark.engine, pytest.mark.cell]

STEPS = [
    "file",
    "account",
    "stack",
    "secret",
    "versions",
    "rotation",
    "copies",
    "functions",
    "resource policy",
    "the application reads",
    "nobody else reads",
    "last rotation",
    "health function",
    "value of the secret",
    "key",
    "project",
    "keys at OpenAI",
    "declaration and file",
    "declaration",
    "calls",
    "models",
    "limits",
    "money",
    "life of the key",
    "consumers",
]


UNSEEN = {"health function": "could not be asked", "money": "could not be asked"}
"""In a cell whose health function has not had a cycle yet."""


@pytest.fixture(autouse=True)
def _not_looked_yet(operated: Operated) -> None:
    operated.forget_health()


def steps(told: subprocess.CompletedProcess[str]) -> dict[str, dict[str, str]]:
    assert told.stdout, told.stderr
    return {one["step"]: one for one in json.loads(told.stdout)["steps"]}


def not_ok(told: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {name: one["state"] for name, one in steps(told).items() if one["state"] != "ok"}


def test_each_step_says_what_was_asked_and_what_came_back_and_nothing_is_changed(operated: Operated) -> None:
    control = operated.cell.openai
    minted = control.minted()
    control.clear_calls()
    told = operated.command("verify", "acme", "--json")
    assert (told.returncode, not_ok(told)) == (3, UNSEEN), told.stdout
    found = steps(told)
    assert list(found) == STEPS
    assert all(one["asked"] and one["answer"] for one in found.values())
    assert found["the application reads"]["answer"] == "allowed"
    assert "an administrator" in found["nobody else reads"]["answer"]
    assert found["money"]["answer"] == "no cycle of the health function has read the costs yet"
    for key in minted:
        assert key.value not in told.stdout + told.stderr
    assert len(control.minted()) == len(minted)
    wrote = {(call.method, call.path) for call in control.calls() if call.method != "GET"}
    assert wrote == {("POST", "/v1/responses")}, "the billed call, and nothing else"
    client = operated.cell.client("administrator", "cloudtrail")
    try:
        pages = client.get_paginator("lookup_events").paginate()
        events = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    finally:
        client.close()
    asked = {event["eventName"] for event in events if "myflux-keys/verify" in event.get("userAgent", "")}
    assert "DescribeSecret" in asked
    assert {name for name in asked if not name.startswith(("Describe", "Get", "Invoke", "List", "Lookup"))} == set()
    assert "GetSecretValue" not in asked


def test_before_the_health_function_has_looked_status_calls_nobody_fine(operated: Operated) -> None:
    told = operated.command("status", "acme", "fjord", "--json")
    assert told.returncode == 3, "nothing that was seen is wrong, and not everything was seen"
    (cell,) = json.loads(told.stdout)["fleet"]["cells"]
    assert [one["kind"] for one in cell["troubles"]] == ["health_not_run"]
    assert {(one["state"], one["severity"]) for one in cell["tenants"]} == {("not checked", "unknown")}
    assert "not everything was seen" in told.stderr


def test_what_somebody_did_by_hand_is_named_each_with_the_command_that_mends_it(operated: Operated) -> None:
    secret, project = operated.names.tenant("fjord").secret, _project(operated)
    deployer = operated.cell.client("deployer", "secretsmanager")
    kept = deployer.get_resource_policy(SecretId=secret)["ResourcePolicy"]
    try:
        document: dict[str, Any] = json.loads(kept)
        document["Statement"] = [one for one in document["Statement"] if one["Sid"] != "OnlyRuntimeAndFunctionsRead"]
        deployer.put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(document))
        with _admin(operated) as client:
            projects = client.admin.organization.projects
            for key in operated.cell.openai.live_keys(project):
                projects.api_keys.delete(key.id, project_id=project)
            projects.model_permissions.update(project, mode="allow_list", model_ids=["gpt-5.4-mini"])
        shown = operated.command("verify", "fjord")
        assert shown.returncode == 1
        assert max(map(len, shown.stdout.splitlines())) <= 80
        told = operated.command("verify", "fjord", "--json")
        found = steps(told)
        wrong = {name: one["mend"] for name, one in found.items() if one["state"] == "wrong"}
        assert wrong == {
            "resource policy": "myflux-keys up fjord",
            "nobody else reads": "myflux-keys up fjord",
            "key": "myflux-keys rotate fjord --wait",
            "project": "myflux-keys sweep fjord --dry-run",
            "keys at OpenAI": "myflux-keys sweep fjord --dry-run",
            "calls": "myflux-keys rotate fjord --wait",
            "limits": "myflux-keys up fjord --refresh",
            "consumers": "myflux-keys handover fjord --consumer cinnox",
        }
        assert found["resource policy"]["answer"] == "it lacks OnlyRuntimeAndFunctionsRead"
        assert "deployer (deploys the cell)" in found["nobody else reads"]["answer"]
        assert "gpt-6-luna" in found["limits"]["answer"]
        assert found["models"]["state"] == "could not be asked", "what needs the key is not called ok"
        for name in ("resource policy", "key"):
            assert f"to do: {wrong[name]}\n" in shown.stdout
    finally:
        deployer.put_resource_policy(SecretId=secret, ResourcePolicy=kept)
        with _admin(operated) as client:
            projects = client.admin.organization.projects
            projects.model_permissions.update(project, mode="allow_list", model_ids=["gpt-6-luna", "gpt-5.4-mini"])
        deployer.close()
    assert operated.command("rotate", "fjord", "--wait", "--yes").returncode == 0
    due = {"consumers": "wrong"}
    assert not_ok(operated.command("verify", "fjord", "--json")) == UNSEEN | due, "a person hands the new key over"


def test_a_tenant_that_was_never_deployed_is_wrong_and_what_follows_was_not_asked(operated: Operated) -> None:
    told = operated.command("verify", "initech", "--json")
    assert told.returncode == 1
    states = not_ok(told)
    assert [name for name, state in states.items() if state == "wrong"] == ["stack", "secret", "declaration"]
    assert states["calls"] == "could not be asked"
    assert not {"limits", "money"} & steps(told).keys(), "a customer's own key does not show them"


def test_who_may_not_ask_learns_what_could_not_be_asked(operated: Operated) -> None:
    environment = operated.cell.environment("runtime") | {"MYFLUX_FLEET": str(operated.fleet)}
    told = client.run(["verify", "acme", "--json"], environment)
    states = not_ok(told)
    assert told.returncode == 3, told.stdout
    assert set(states.values()) == {"could not be asked"}
    assert states.keys() >= {"secret", "resource policy", "OpenAI now"}
    assert steps(told)["secret"]["answer"] == "AWS denied secretsmanager:DescribeSecret"


def _project(operated: Operated) -> str:
    return next(tag["Value"] for tag in operated.describe("fjord")["Tags"] if tag["Key"].endswith("project-id"))


def _admin(operated: Operated) -> openai.OpenAI:
    admin = operated.cell.openai.create_admin_key("somebody's", expires_in_seconds=3600)
    return openai.OpenAI(admin_api_key=admin, base_url=operated.cell.openai_url, max_retries=0)
