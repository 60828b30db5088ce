"""Who may call what, in OpenAI's own words of refusal; admin keys."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable

import openai
import pytest

from tests.openai_emulator.harness import Server, Tenant


def test_a_wrong_key_is_named_with_stars_only(server: Server, tenant: Tenant) -> None:
    wrong = tenant.key[:-4] + "XXXX"
    with pytest.raises(openai.AuthenticationError) as refusal:
        server.client(wrong).models.list()
    error = refusal.value
    assert (error.status_code, error.code, error.type) == (401, "invalid_api_key", "invalid_request_error")
    stars = "*" * (len(wrong) - len("sk-" + "svcacct-") - 4)
    assert f"Incorrect API key provided: sk-{'svcacct-'}{stars}XXXX." in error.message


def test_a_call_without_a_key_is_told_how_to_send_one(server: Server) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{server.url}/models", timeout=60)
    with refusal.value as answer:
        assert answer.code == 401
        assert b"You didn't provide an API key" in answer.read()


def test_a_header_that_names_another_owner_is_refused(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    right = {"OpenAI-Organization": "org-local", "OpenAI-Project": tenant.project_id}
    assert client.with_options(default_headers=right).models.list().data
    for name, value in (("Organization", "org-other"), ("Project", "proj_other")):
        with pytest.raises(openai.AuthenticationError) as refusal:
            client.with_options(default_headers={f"OpenAI-{name}": value}).models.list()
        assert refusal.value.code == f"mismatched_{name.lower()}"


def test_organizations_are_apart_at_one_address(server: Server, tenant: Tenant) -> None:
    """A call's key says whose it is: neither side lists, names or ends what is the other's."""
    default = server.control.open_customer("org-theirs")
    assert server.control.open_customer("org-theirs") == default, "once"
    theirs = server.admin(server.control.create_admin_key("theirs", organization_id="org-theirs"))
    listed = theirs.admin.organization.projects.with_raw_response.list()
    assert listed.headers["openai-organization"] == "org-theirs"
    assert [project.id for project in listed.parse().data] == [default]
    ours = server.admin().admin.organization.projects
    assert [project.id for project in ours.list().data] == [tenant.project_id]
    with pytest.raises(openai.NotFoundError):
        theirs.admin.organization.projects.archive(tenant.project_id)
    with pytest.raises(openai.AuthenticationError) as refusal:
        theirs.with_options(default_headers={"OpenAI-Organization": "org-local"}).admin.organization.projects.list()
    assert refusal.value.code == "mismatched_organization"
    key = server.client(server.control.create_user_key(default))
    key.responses.create(model="gpt-4.1", input="hi")
    assert [project.spent_usd > 0 for project in server.control.projects("org-theirs")] == [True]
    assert server.control.live_keys(organization_id="org-theirs")[0].last_used_at
    assert [project.spent_usd for project in server.control.projects()] == [0]
    server.control.reset()
    with pytest.raises(openai.AuthenticationError):
        key.models.list()


def test_each_organization_has_a_pace_of_its_own(server: Server) -> None:
    server.control.settings(admin_requests_per_minute=1)
    server.control.open_customer("org-theirs")
    admins = [
        server.admin(value).admin.organization.projects
        for value in (
            server.control.create_admin_key(),
            server.control.create_admin_key(organization_id="org-theirs"),
        )
    ]
    for projects in admins:
        projects.list()
    for projects in admins:
        with pytest.raises(openai.RateLimitError):
            projects.list()


def test_an_admin_key_works_on_admin_endpoints_only(server: Server) -> None:
    value = server.control.create_admin_key("admin")
    assert server.admin(value).admin.organization.projects.list().data == []
    client = server.client(value)
    with pytest.raises(openai.PermissionDeniedError) as refusal:
        client.models.list()
    assert "Missing scopes: api.model.read" in str(refusal.value.response.json()["error"])
    with pytest.raises(openai.AuthenticationError, match=r"Missing scopes: model\.request"):
        client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "hi"}])


def test_a_project_key_does_not_open_admin_endpoints(server: Server, tenant: Tenant) -> None:
    admin = server.admin(tenant.key).admin.organization
    for call in (admin.projects.list, admin.admin_api_keys.list):
        with pytest.raises(openai.AuthenticationError, match=r"Missing scopes: api\.management\.read") as refusal:
            call()
        assert refusal.value.code is None, "a missing scope is not the 401 of a dead key"
    with pytest.raises(openai.AuthenticationError, match=r"Missing scopes: api\.usage\.read"):
        admin.usage.costs(start_time=0)


@pytest.mark.parametrize(
    ("scopes", "works"),
    [
        (["model.request", "api.responses.write", "api.model.read"], {"models", "chat", "responses"}),
        (["model.request", "api.responses.write"], {"chat", "responses"}),
        (["api.responses.write"], set[str]()),
        (["model.request"], {"chat"}),
        (["api.model.request"], {"chat"}),
        (["api.model.request", "api.responses.write"], {"chat", "responses"}),
        (["api.model.read"], {"models"}),
        (["api.all.read"], {"models"}),
        ([], {"models", "chat", "responses"}),
    ],
)
def test_a_key_can_do_what_its_scopes_say(
    server: Server, make_tenant: Callable[..., Tenant], scopes: list[str], works: set[str]
) -> None:
    client = server.client(make_tenant(scopes=scopes).key)
    calls: dict[str, Callable[[], object]] = {
        "models": client.models.list,
        "chat": lambda: client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "hi"}]),
        "responses": lambda: client.responses.create(model="gpt-4.1", input="hi"),
    }
    for name in works:
        calls.pop(name)()
    for name, refused in calls.items():
        with pytest.raises(openai.APIStatusError) as refusal:
            refused()
        assert refusal.value.status_code == (403 if name == "models" else 401)
        assert "Missing scopes" in refusal.value.response.text


def test_missing_scopes_on_models_are_a_403_whose_error_is_a_string(
    server: Server, make_tenant: Callable[..., Tenant]
) -> None:
    with pytest.raises(openai.PermissionDeniedError) as refusal:
        server.client(make_tenant(scopes=["model.request"]).key).models.list()
    assert isinstance(refusal.value.response.json()["error"], str), "as reports of the real endpoint show it"


def test_an_unknown_url_and_a_wrong_method_are_told_apart(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    with pytest.raises(openai.NotFoundError, match=r"Invalid URL \(GET /v1/nonsense\)"):
        client.get("/nonsense", cast_to=object)
    with pytest.raises(openai.APIStatusError) as refusal:
        client.get("/chat/completions", cast_to=object)
    assert refusal.value.status_code == 405


def test_every_answer_says_whose_it_is_and_which_request_it_was(server: Server, tenant: Tenant) -> None:
    server.control.settings(organization_id="org-" + "abc")
    answer = server.client(tenant.key).models.with_raw_response.list()
    assert answer.headers["openai-organization"] == "org-abc"
    assert answer.headers["x-request-id"].startswith("req_")
    assert int(answer.headers["openai-processing-ms"]) >= 0


def test_admin_keys_are_made_listed_and_deleted_by_admin_keys(server: Server) -> None:
    keys = server.admin().admin.organization.admin_api_keys
    made = keys.create(name="next", expires_in_seconds=3600)
    assert made.value.startswith("sk-" + "admin-")
    assert made.expires_at == made.created_at + 3600
    assert server.admin(made.value).admin.organization.projects.list().data == []
    listed = keys.list(limit=1)
    assert [k.name for k in listed] == ["tests", "next"], "oldest first, page by page"
    assert [k.name for k in keys.list(order="desc")] == ["next", "tests"]
    assert made.value not in listed.model_dump_json()
    assert keys.retrieve(made.id).name == "next"
    assert keys.delete(made.id).deleted is True
    with pytest.raises(openai.AuthenticationError) as refusal:
        server.admin(made.value).admin.organization.projects.list()
    assert refusal.value.code == "invalid_api_key"


def test_an_admin_key_expires_by_the_cells_clock(server: Server) -> None:
    value = server.control.create_admin_key("short", expires_in_seconds=600)
    client = server.admin(value)
    assert client.admin.organization.projects.list().data == []
    server.advance(601)
    with pytest.raises(openai.AuthenticationError):
        client.admin.organization.projects.list()


def test_an_admin_key_that_may_only_read_changes_nothing(server: Server) -> None:
    for scopes in (["api.management.read"], ["api.all.read"]):
        organization = server.admin(server.control.create_admin_key("reader", scopes=scopes)).admin.organization
        assert organization.projects.list().data == []
        with pytest.raises(openai.AuthenticationError, match=r"Missing scopes: api\.management\.write"):
            organization.projects.create(name="no")
        with pytest.raises(openai.AuthenticationError, match=r"Missing scopes: api\.management\.write"):
            organization.admin_api_keys.create(name="no")
    assert server.control.projects() == []


def test_a_restricted_admin_key_makes_no_stronger_one(server: Server) -> None:
    scopes = ["api.management.read", "api.management.write"]
    organization = server.admin(server.control.create_admin_key("middle", scopes=scopes)).admin.organization
    child = server.admin(organization.admin_api_keys.create(name="child").value).admin.organization
    with pytest.raises(openai.AuthenticationError, match=r"Missing scopes: api\.audit_logs\.read"):
        child.audit_logs.list()


def test_admin_endpoints_are_paced_one_by_one_without_headers(server: Server) -> None:
    server.control.settings(admin_requests_per_minute=3)
    organization = server.admin().admin.organization
    project = organization.projects.create(name="p")
    for _ in range(3):
        organization.projects.retrieve(project.id)
    with pytest.raises(openai.RateLimitError) as refusal:
        organization.projects.retrieve(project.id)
    assert refusal.value.code == "rate_limit_exceeded"
    assert not [h for h in refusal.value.response.headers if "ratelimit" in h or h == "retry-after"]
    assert organization.projects.list().data, "another endpoint has its own count"
    server.advance(59)
    with pytest.raises(openai.RateLimitError):
        organization.projects.retrieve(project.id)
    server.advance(2)
    assert organization.projects.retrieve(project.id).id == project.id, "refilled after a minute"


def test_admin_endpoints_allow_ten_calls_a_minute_by_default(server: Server) -> None:
    server.control.reset()
    projects = server.admin().admin.organization.projects
    for _ in range(10):
        projects.list()
    with pytest.raises(openai.RateLimitError):
        projects.list()
