"""Projects and service accounts through OpenAI's SDK."""

from __future__ import annotations

import openai
import pytest

from tests.openai_emulator.harness import Server


def test_a_project_is_created_retrieved_renamed_and_archived(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    made = projects.create(name="myflux-local-acme", residency="EU_STORAGE_PROCESSING")
    assert made.object == "organization.project"
    assert (made.name, made.status, made.archived_at) == ("myflux-local-acme", "active", None)
    assert projects.retrieve(made.id) == made, "what was created is what is retrieved"
    assert projects.update(made.id, name="renamed").name == "renamed"
    archived = projects.archive(made.id)
    assert archived.status == "archived"
    assert archived.archived_at is not None
    assert projects.retrieve(made.id).status == "archived", "an archived project can still be looked at"


def test_archiving_is_final_and_closes_everything_below(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    project = projects.create(name="gone")
    projects.archive(project.id)
    refused = [
        lambda: projects.update(project.id, name="back"),
        lambda: projects.archive(project.id),
        lambda: projects.service_accounts.create(project.id, name="late"),
        lambda: projects.api_keys.list(project.id),
        lambda: projects.rate_limits.list_rate_limits(project.id),
        lambda: projects.spend_limit.update(project.id, currency="USD", interval="month", threshold_amount=1),
    ]
    for call in refused:
        with pytest.raises(openai.BadRequestError, match="is archived"):
            call()


def test_lists_of_projects_are_paged_and_hide_archived_ones(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    made = [projects.create(name=f"tenant-{n:02}").id for n in range(45)]
    for identifier in made[::3]:
        projects.archive(identifier)
    active = [i for n, i in enumerate(made) if n % 3]
    assert [p.id for p in projects.list(limit=7)] == active, "seven at a time, in order, none lost"
    assert [p.id for p in projects.list(limit=100, include_archived=True)] == made
    assert len(projects.list().data) == 20, "20 is the default"
    assert [p.id for p in projects.list(after=made[42], limit=100)] == [made[43], made[44]]
    assert [p.id for p in projects.list(after=made[0], limit=1).data] == [made[1]], "an archived one is a cursor too"


def test_two_projects_may_share_a_name(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    assert projects.create(name="twin").id != projects.create(name="twin").id


def test_an_organization_holds_no_more_projects_than_its_limit(server: Server) -> None:
    server.control.settings(max_projects=2)
    projects = server.admin().admin.organization.projects
    projects.archive(projects.create(name="one").id)
    projects.create(name="two")
    with pytest.raises(openai.BadRequestError) as refusal:
        projects.create(name="three")
    assert refusal.value.code == "project_limit_exceeded", "archiving gives no place back"
    server.control.reset()
    assert server.control.settings()["max_projects"] == 2000, "OpenAI's default"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_required_parameter", "name"),
        ({"name": 5}, "invalid_type", "name"),
        ({"name": None}, "invalid_type", "name"),
        ({"name": "  "}, "string_below_min_length", "name"),
        ({"name": "x" * 257}, "string_above_max_length", "name"),
        ({"name": "x", "nmae": "y"}, "unknown_parameter", "nmae"),
        ({"name": "x", "residency": "MOON"}, "invalid_value", "residency"),
        ({"name": "x", "residency": "GLOBAL", "geography": "US"}, "invalid_value", "geography"),
    ],
)
def test_a_bad_project_is_refused_and_nothing_is_made(
    server: Server, body: dict[str, object], code: str, param: str
) -> None:
    client = server.admin()
    with pytest.raises(openai.BadRequestError) as refusal:
        client.post(
            "/organization/projects", body=body, cast_to=object, options={"security": {"admin_api_key_auth": True}}
        )
    assert (refusal.value.code, refusal.value.param, refusal.value.type) == (code, param, "invalid_request_error")
    assert server.control.projects() == []


def test_a_body_that_is_not_json_is_refused(server: Server) -> None:
    client = server.admin()
    with pytest.raises(openai.BadRequestError, match="could not parse the JSON"):
        client.post(
            "/organization/projects", content=b"{", cast_to=object, options={"security": {"admin_api_key_auth": True}}
        )


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_holds_1_to_100(server: Server, limit: int) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        server.admin().admin.organization.projects.list(limit=limit)
    assert refusal.value.param == "limit"


def test_what_is_not_there_is_404(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    project = projects.create(name="p")
    lookups = [
        lambda: projects.retrieve("proj_none"),
        lambda: projects.api_keys.list("proj_none"),
        lambda: projects.service_accounts.retrieve("svc_acct_none", project_id=project.id),
        lambda: projects.api_keys.retrieve("key_none", project_id=project.id),
        lambda: projects.model_permissions.retrieve(project.id),
        lambda: projects.spend_limit.retrieve(project.id),
        lambda: projects.spend_limit.delete(project.id),
        lambda: projects.spend_alerts.retrieve("alert_none", project_id=project.id),
    ]
    for lookup in lookups:
        with pytest.raises(openai.NotFoundError):
            lookup()


def test_a_service_account_comes_with_a_key_unless_told_otherwise(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    project = projects.create(name="p")
    full = projects.service_accounts.create(project.id, name="full", expires_in_seconds=60)
    assert full.role == "member"
    assert full.api_key is not None
    assert full.api_key.value.startswith("sk-" + "svcacct-")
    assert full.api_key.expires_at == full.created_at + 60
    bare = projects.service_accounts.create(project.id, name="bare", create_service_account_only=True)
    assert (bare.role, bare.api_key) == ("none", None)
    with pytest.raises(openai.BadRequestError) as refusal:
        projects.service_accounts.create(
            project.id, name="both", create_service_account_only=True, expires_in_seconds=60
        )
    assert refusal.value.param == "expires_in_seconds"
    assert [a.name for a in projects.service_accounts.list(project.id, limit=1)] == ["full", "bare"]


def test_a_role_can_be_given_but_not_taken_away(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    project = projects.create(name="p")
    account = projects.service_accounts.create(project.id, name="a", create_service_account_only=True)
    assert projects.service_accounts.update(account.id, project_id=project.id, role="member").role == "member"
    with pytest.raises(openai.BadRequestError):
        projects.service_accounts.update(account.id, project_id=project.id, role="none")  # pyright: ignore[reportArgumentType]
    assert projects.service_accounts.retrieve(account.id, project_id=project.id).role == "member"


def test_a_key_of_an_account_without_a_role_is_refused_until_it_has_one(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    project = projects.create(name="p")
    account = projects.service_accounts.create(project.id, name="a", create_service_account_only=True)
    key = projects.service_accounts.api_keys.create(account.id, project_id=project.id)
    client = server.client(key.value)
    with pytest.raises(openai.PermissionDeniedError):
        client.models.list()
    with pytest.raises(openai.AuthenticationError, match="Missing scopes"):
        client.responses.create(model="gpt-5-mini", input="hello")
    projects.service_accounts.update(account.id, project_id=project.id, role="member")
    assert client.models.list().data


def test_deleting_a_service_account_ends_its_keys(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    project = projects.create(name="p")
    account = projects.service_accounts.create(project.id, name="a")
    assert account.api_key is not None
    client = server.client(account.api_key.value)
    assert client.models.list().data
    assert projects.service_accounts.delete(account.id, project_id=project.id).deleted is True
    with pytest.raises(openai.AuthenticationError) as refusal:
        client.models.list()
    assert refusal.value.code == "invalid_api_key"
    assert server.control.live_keys() == []


def test_archiving_a_project_ends_its_keys(server: Server) -> None:
    projects = server.admin().admin.organization.projects
    project = projects.create(name="p")
    account = projects.service_accounts.create(project.id, name="a")
    assert account.api_key is not None
    projects.archive(project.id)
    with pytest.raises(openai.AuthenticationError):
        server.client(account.api_key.value).models.list()
    assert server.control.live_keys() == []
