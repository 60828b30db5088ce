"""Faults by name: what the caller sees, and whether the call was applied."""

from __future__ import annotations

import time

import openai
import pytest

from local.openai.control import ControlError
from tests.openai_emulator.harness import Server, Tenant


@pytest.mark.parametrize(
    ("name", "after", "error", "applied"),
    [
        ("429", False, openai.RateLimitError, False),
        ("429", True, openai.RateLimitError, True),
        ("500", False, openai.InternalServerError, False),
        ("500", True, openai.InternalServerError, True),
        ("dropped", False, openai.APIConnectionError, False),
        ("dropped_after_apply", False, openai.APIConnectionError, True),
        ("truncated", False, openai.APIConnectionError, True),
        ("timeout", False, openai.APIConnectionError, False),
        ("timeout", True, openai.APIConnectionError, True),
    ],
)
def test_a_mint_that_goes_wrong_makes_a_key_or_not_as_named(
    server: Server, tenant: Tenant, name: str, after: bool, error: type[Exception], applied: bool
) -> None:
    create = server.admin().admin.organization.projects.service_accounts.api_keys.create
    server.control.fault(name, method="POST", path=r"/api_keys$", seconds=0.2, after=after)
    with pytest.raises(error):
        create(tenant.service_account_id, project_id=tenant.project_id, name="struck")
    struck = [k for k in server.control.live_keys(tenant.project_id) if k.name == "struck"]
    assert len(struck) == applied, "the key exists exactly where the call was applied"
    call = server.control.calls()[-1]
    assert (call.fault, call.applied) == (name, applied)
    assert create(tenant.service_account_id, project_id=tenant.project_id).value, "one fault strikes once"
    assert server.control.faults() == []


def test_a_client_that_gives_up_sees_a_timeout(server: Server, tenant: Tenant) -> None:
    server.control.fault("timeout", seconds=2)
    with pytest.raises(openai.APITimeoutError):
        server.client(tenant.key).with_options(timeout=0.3).models.list()


def test_a_slow_answer_is_late_and_right(server: Server, tenant: Tenant) -> None:
    server.control.fault("slow", seconds=0.4)
    began = time.monotonic()
    assert server.client(tenant.key).models.list().data
    assert time.monotonic() - began >= 0.4


def test_a_stream_can_be_cut_in_the_middle(server: Server, tenant: Tenant) -> None:
    server.control.fault("truncated", path="responses")
    stream = server.client(tenant.key).responses.create(model="gpt-5-mini", input="a b c d e f", stream=True)
    received: list[str] = []
    with pytest.raises(openai.APIConnectionError):
        received.extend(event.type for event in stream)
    assert "response.created" in received
    assert "response.completed" not in received


def test_faults_match_by_method_path_and_count(server: Server, tenant: Tenant) -> None:
    server.control.fault("500", method="POST", path="responses", count=2)
    client = server.client(tenant.key)
    assert client.models.list().data, "another method and path"
    for _ in range(2):
        with pytest.raises(openai.InternalServerError):
            client.responses.create(model="gpt-5-mini", input="x")
    assert client.responses.create(model="gpt-5-mini", input="x").output_text
    server.control.fault("429", count=None)
    for _ in range(3):
        with pytest.raises(openai.RateLimitError) as refusal:
            client.models.list()
        assert not [h for h in refusal.value.response.headers if "ratelimit" in h], "a 429 without headers"
    server.control.clear_faults()
    assert client.models.list().data


def test_a_new_key_can_take_seconds_to_be_accepted(server: Server, tenant: Tenant) -> None:
    server.control.fault("propagation_delay", seconds=40)
    create = server.admin().admin.organization.projects.service_accounts.api_keys.create
    late = server.client(create(tenant.service_account_id, project_id=tenant.project_id).value)
    with pytest.raises(openai.AuthenticationError) as refusal:
        late.models.list()
    assert refusal.value.code == "invalid_api_key", "it looks like a dead key for a while"
    assert server.client(tenant.key).models.list().data, "older keys are not touched"
    server.advance(41)
    assert late.models.list().data


def test_the_old_delete_rule_refuses_service_account_keys_only(server: Server, tenant: Tenant) -> None:
    server.control.create_user_key(tenant.project_id, "a person's")
    server.control.fault("old_delete_rule", count=None)
    keys = server.admin().admin.organization.projects.api_keys
    with pytest.raises(openai.BadRequestError, match="cannot be deleted for service accounts"):
        keys.delete(tenant.key_id, project_id=tenant.project_id)
    assert server.client(tenant.key).models.list().data
    listed = keys.list(tenant.project_id, owner_project_access="any").data
    person = next(k.id for k in listed if k.owner.type == "user")
    assert keys.delete(person, project_id=tenant.project_id).deleted is True


def test_a_delete_or_archive_that_is_answered_may_not_have_been_done(server: Server, tenant: Tenant) -> None:
    server.control.fault("not_done", count=None)
    admin = server.admin().admin.organization
    assert admin.projects.api_keys.delete(tenant.key_id, project_id=tenant.project_id).deleted is True
    spare = next(key.id for key in admin.admin_api_keys.list() if key.name == "tests")
    assert admin.admin_api_keys.delete(spare).deleted is True
    assert admin.projects.archive(tenant.project_id).status == "archived"
    assert server.client(tenant.key).models.list().data, "the answers said so, and nothing was done"
    assert spare in [key.id for key in admin.admin_api_keys.list()]
    assert admin.projects.retrieve(tenant.project_id).status == "active"


def test_a_deleted_key_may_be_accepted_for_a_while(server: Server, tenant: Tenant) -> None:
    server.control.fault("dies_late", seconds=30)
    keys = server.admin().admin.organization.projects.api_keys
    keys.delete(tenant.key_id, project_id=tenant.project_id)
    assert tenant.key_id not in [key.id for key in keys.list(tenant.project_id, owner_project_access="any")]
    assert server.client(tenant.key).models.list().data, "no list shows it, and it answers"
    server.advance(31)
    with pytest.raises(openai.AuthenticationError):
        server.client(tenant.key).models.list()


def test_a_fault_that_makes_no_sense_is_refused(server: Server) -> None:
    for fields in (
        {"name": "418"},
        {"name": "500", "count": 0},
        {"name": "slow", "seconds": -1},
        {"name": "500", "path": "("},
        {"name": "500", "method": "BREW"},
        {"name": "balance_gone", "after": True},
        {"name": "dropped", "after": True},
    ):
        with pytest.raises(ControlError, match="400"):
            server.control.fault(**fields)  # pyright: ignore[reportArgumentType]
    assert server.control.faults() == []
