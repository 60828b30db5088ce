"""The life of a project's key through OpenAI's SDK: minted, listed, changed, expired, revoked."""

from __future__ import annotations

import re
from collections.abc import Callable

import openai
import pytest

from tests.openai_emulator.harness import Server, Tenant


def test_a_minted_key_works_and_is_shaped_like_a_real_one(server: Server, tenant: Tenant) -> None:
    shape = "sk-" + r"svcacct-[A-Za-z0-9_-]{74}T3Blbk" + r"FJ[A-Za-z0-9_-]{74}"
    assert re.fullmatch(shape, tenant.key)
    assert server.client(tenant.key).responses.create(model="gpt-5-mini", input="hello").output_text


def test_a_mint_answers_with_the_value_and_the_expiry(server: Server, tenant: Tenant) -> None:
    create = server.admin().admin.organization.projects.service_accounts.api_keys.create
    key = create(tenant.service_account_id, project_id=tenant.project_id, name="second", expires_in_seconds=60)
    assert key.object == "organization.project.service_account.api_key"
    assert (key.name, key.expires_at) == ("second", key.created_at + 60)
    forever = create(tenant.service_account_id, project_id=tenant.project_id)
    assert forever.expires_at is None
    assert forever.name, "a key without a name is given one"


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"expires_in_seconds": 0}, "expires_in_seconds", "integer_below_min_value"),
        ({"expires_in_seconds": 31_536_001}, "expires_in_seconds", "integer_above_max_value"),
        ({"expires_in_seconds": "60"}, "expires_in_seconds", "invalid_type"),
        ({"expires_in_seconds": True}, "expires_in_seconds", "invalid_type"),
        ({"scopes": "model.request"}, "scopes", "invalid_type"),
        ({"scopes": [1]}, "scopes[0]", "invalid_type"),
        ({"scopes": ["api.nonsense"]}, "scopes[0]", "invalid_value"),
        ({"expires_at": 60}, "expires_at", "unknown_parameter"),
    ],
)
def test_a_bad_mint_is_refused_and_makes_no_key(
    server: Server, tenant: Tenant, fields: dict[str, object], param: str, code: str
) -> None:
    before = len(server.control.minted())
    create = server.admin().admin.organization.projects.service_accounts.api_keys.create
    with pytest.raises(openai.BadRequestError) as refusal:
        create(tenant.service_account_id, project_id=tenant.project_id, extra_body=fields)
    assert (refusal.value.param, refusal.value.code) == (param, code)
    minted = [m for m in server.control.minted()[before:] if m.kind != "admin"]
    assert minted == [], "a refused mint leaves nothing behind"


def test_a_list_of_keys_shows_owner_use_and_expiry_but_no_value(server: Server, tenant: Tenant) -> None:
    keys = server.admin().admin.organization.projects.api_keys
    [key] = keys.list(tenant.project_id, owner_project_access="any").data
    assert key.id == tenant.key_id
    assert key.owner.type == "service_account"
    assert key.owner.service_account is not None
    assert key.owner.service_account.id == tenant.service_account_id
    assert key.owner.service_account.role == "member"
    assert key.owner_project_access == "active"
    assert key.last_used_at is None
    assert key.redacted_value.endswith(tenant.key[-4:])
    assert tenant.key not in key.model_dump_json()
    server.client(tenant.key).models.list()
    used = keys.retrieve(tenant.key_id, project_id=tenant.project_id)
    assert used.last_used_at is not None, "using a key is seen"
    assert used.expires_at == used.created_at + 86_400


def test_a_list_without_owner_project_access_hides_some_enabled_keys(server: Server, tenant: Tenant) -> None:
    organization = server.admin().admin.organization
    projects = organization.projects
    joined = projects.service_accounts.create(tenant.project_id, name="joined")
    assert joined.api_key is not None
    server.control.create_user_key(tenant.project_id, "a person's")
    outside = projects.service_accounts.create(tenant.project_id, name="outside", create_service_account_only=True)
    idle = projects.service_accounts.api_keys.create(outside.id, project_id=tenant.project_id, name="idle")

    def names(**query: str) -> set[str]:
        listed = projects.api_keys.list(tenant.project_id, limit=2, **query)  # pyright: ignore[reportArgumentType]
        return {key.name for key in listed}

    assert names(owner_project_access="any") == {"first", "joined", "a person's", "idle"}
    assert names(owner_project_access="active") == {"first", "joined", "a person's"}
    assert names(owner_project_access="inactive") == {"idle"}
    assert names() == {"joined", "a person's"}, "the tenant's own key is among those that go missing"
    assert idle.id in {key.id for key in server.control.live_keys(tenant.project_id)}


def test_an_expiry_counts_from_the_update(server: Server, tenant: Tenant) -> None:
    keys = server.admin().admin.organization.projects.api_keys
    server.advance(1_000)
    changed = keys.update(tenant.key_id, project_id=tenant.project_id, expires_in_seconds=500)
    assert changed.expires_at is not None
    assert 1_500 <= changed.expires_at - changed.created_at <= 1_510, "from the request, not from the creation"
    client = server.client(tenant.key)
    server.advance(480)
    assert client.models.list().data, "still inside its life"
    server.advance(30)
    with pytest.raises(openai.AuthenticationError) as refusal:
        client.models.list()
    assert refusal.value.code == "invalid_api_key"
    assert server.control.live_keys() == []


def test_an_expired_key_stays_listed_and_cannot_be_brought_back(server: Server, tenant: Tenant) -> None:
    keys = server.admin().admin.organization.projects.api_keys
    server.advance(90_000)
    assert [k.id for k in keys.list(tenant.project_id, owner_project_access="any")] == [tenant.key_id]
    with pytest.raises(openai.BadRequestError, match="expired"):
        keys.update(tenant.key_id, project_id=tenant.project_id, expires_in_seconds=500)
    assert keys.delete(tenant.key_id, project_id=tenant.project_id).deleted is True
    assert keys.list(tenant.project_id, owner_project_access="any").data == []


def test_an_update_needs_something_to_change(server: Server, tenant: Tenant) -> None:
    keys = server.admin().admin.organization.projects.api_keys
    with pytest.raises(openai.BadRequestError, match="at least one"):
        keys.update(tenant.key_id, project_id=tenant.project_id)


def test_empty_scopes_mean_all_permissions(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant(scopes=["api.model.read"])
    client = server.client(tenant.key)
    with pytest.raises(openai.AuthenticationError, match=r"Missing scopes: model\.request, api\.responses\.write"):
        client.responses.create(model="gpt-5-mini", input="hello")
    keys = server.admin().admin.organization.projects.api_keys
    keys.update(tenant.key_id, project_id=tenant.project_id, scopes=[])
    assert client.responses.create(model="gpt-5-mini", input="hello").output_text


def test_a_revoked_key_is_dead_at_once_and_the_others_live(server: Server, tenant: Tenant) -> None:
    projects = server.admin().admin.organization.projects
    second = projects.service_accounts.api_keys.create(tenant.service_account_id, project_id=tenant.project_id)
    assert projects.api_keys.delete(tenant.key_id, project_id=tenant.project_id).deleted is True
    with pytest.raises(openai.AuthenticationError):
        server.client(tenant.key).models.list()
    assert server.client(second.value).models.list().data
    with pytest.raises(openai.NotFoundError):
        projects.api_keys.delete(tenant.key_id, project_id=tenant.project_id)


def test_a_key_is_found_in_its_own_project_only(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    one, other = make_tenant("one"), make_tenant("other")
    keys = server.admin().admin.organization.projects.api_keys
    with pytest.raises(openai.NotFoundError):
        keys.delete(one.key_id, project_id=other.project_id)
    assert server.client(one.key).models.list().data


def test_a_maximum_lifetime_binds_mints_and_updates(server: Server, tenant: Tenant) -> None:
    server.control.settings(max_key_lifetime_seconds=100)
    projects = server.admin().admin.organization.projects
    create = projects.service_accounts.api_keys.create
    account = tenant.service_account_id
    for seconds in (None, 101):
        with pytest.raises(openai.PermissionDeniedError) as refusal:
            create(account, project_id=tenant.project_id, expires_in_seconds=seconds)
        assert refusal.value.param == "expires_in_seconds"
    with pytest.raises(openai.PermissionDeniedError):
        projects.service_accounts.create(tenant.project_id, name="without an expiry")
    with pytest.raises(openai.PermissionDeniedError):
        projects.api_keys.update(tenant.key_id, project_id=tenant.project_id, expires_in_seconds=101)
    assert create(account, project_id=tenant.project_id, expires_in_seconds=100).value


def test_an_organization_can_forbid_new_keys_while_old_ones_work(server: Server, tenant: Tenant) -> None:
    server.control.settings(forbid_new_keys=True)
    create = server.admin().admin.organization.projects.service_accounts.api_keys.create
    with pytest.raises(openai.PermissionDeniedError, match="does not allow new API keys"):
        create(tenant.service_account_id, project_id=tenant.project_id, expires_in_seconds=60)
    assert server.client(tenant.key).models.list().data


def test_an_organization_can_allow_service_account_keys_only(server: Server, tenant: Tenant) -> None:
    server.control.settings(only_service_account_keys=True)
    with pytest.raises(Exception, match="service accounts only"):
        server.control.create_user_key(tenant.project_id)
    create = server.admin().admin.organization.projects.service_accounts.api_keys.create
    assert create(tenant.service_account_id, project_id=tenant.project_id).value
