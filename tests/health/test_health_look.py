"""A look at one tenant now, as `verify` asks for it: it tells what OpenAI answers, and changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from functions.health import handler
from functions.health.store import STATE
from myflux_keys.declaration import Budget
from tests.health.world import MODEL, World

pytestmark = pytest.mark.cell


@dataclass
class Time:
    """Lambda's context, as far as the function asks it."""

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def look(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in world.variables().items():
        monkeypatch.setenv(name, value)
    for name, value in world.cell.environment("administrator").items():
        monkeypatch.setenv(name, value)
    handler.warm.cache_clear()

    def asked(**event: Any) -> dict[str, Any]:
        return handler.handler(event, Time())

    yield asked
    handler.warm.cache_clear()


def test_a_tenant_that_is_well_is_shown_with_what_openai_answered(world: World, look: Any) -> None:
    tenant = world.tenant(budget=Budget(200, hard=True))
    told = look(action="look", tenant="acme")
    assert (told["declared"], told["secret"], told["organization"]) == (True, "there", "org-local")
    assert told["key"]["expires_at"] > told["key"]["minted_at"]
    assert (told["list"]["cause"], told["list"]["models"]) == ("ok", [MODEL])
    assert told["call"] == {"cause": "ok", "said": None, "model": MODEL}
    assert told["limits"] == {"spend_limit_cents": 20_000, "models": [MODEL], "rate_limits": {}}
    assert told["findings"] == []
    assert "key_refused" not in told["unknown"]
    assert tenant.key not in json.dumps(told)


def test_a_call_is_made_whenever_a_person_asks_and_nothing_is_remembered_or_sent(world: World, look: Any) -> None:
    tenant = world.tenant()
    world.cycle()
    before = world.raw_state()
    world.control.clear_calls()
    look(action="look", tenant="acme")
    look(action="look", tenant="acme")
    assert [call.path for call in world.control.calls()].count("/v1/responses") == 2, "traffic or not"
    with world.admin() as client:
        client.admin.organization.projects.api_keys.delete(tenant.key_id, project_id=tenant.project_id)
    told = look(action="look", tenant="acme")
    assert told["list"] == {"cause": "key_refused", "said": "401 invalid_api_key", "models": []}
    assert tenant.key[-4:] not in json.dumps(told), "OpenAI's own message quotes the end of the key"
    assert [one["kind"] for one in told["findings"]] == ["key_refused"]
    assert told["call"] is None, "what refuses the free list refuses the call"
    assert world.raw_state() == before
    assert world.messages() == [], "the next cycle tells it"


def test_a_disabled_tenants_key_is_not_used(world: World, look: Any) -> None:
    world.tenant(enabled=False)
    world.control.clear_calls()
    told = look(action="look", tenant="acme")
    assert (told["key"], told["list"], told["call"]) == (None, None, None)
    assert "key_refused" in told["unknown"], "what was not asked is not fine"
    assert {call.path.partition("/v1/organization/")[0] for call in world.control.calls()} == {""}


def test_without_a_declaration_or_a_secret_it_says_so(world: World, look: Any) -> None:
    world.put("declarations/acme.json", "{")
    told = look(action="look", tenant="acme")
    assert (told["declared"], told["secret"]) == (False, "none")
    assert told["declaration_problem"] == "the declaration is not JSON"


@pytest.mark.parametrize(
    "event",
    [
        {"action": "lok"},
        {"action": "look"},
        {"action": "look", "tenant": "../x"},
        {"action": "look", "tenant": "acme", "all": True},
    ],
)
def test_a_request_that_it_does_not_know_is_refused_before_anything(world: World, look: Any, event: Any) -> None:
    world.tenant()
    with pytest.raises(handler.HealthFailed, match="RequestError: "):
        look(**event)
    listed = world.aws.s3.list_objects_v2(Bucket=world.bucket, Prefix=STATE)
    assert listed.get("KeyCount", 0) == 0, "no cycle began"
