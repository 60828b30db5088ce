"""Why OpenAI refuses a call, and what its costs show late, through OpenAI's SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest

from local.openai.control import ControlError
from tests.openai_emulator.harness import Server, Tenant

MODEL = "gpt-5-mini"
DAY = 86_400
LONG = "word " * 4_000


def ask(server: Server, tenant: Tenant, text: str = "x", model: str = MODEL) -> None:
    server.client(tenant.key).responses.create(model=model, input=text)


def refusal(server: Server, tenant: Tenant) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        ask(server, tenant)
    return caught.value


@pytest.mark.parametrize(
    ("fault", "status", "code", "word"),
    [
        ("balance_gone", 429, "credit_balance_exhausted", "quota"),
        ("project_limit", 429, "project_spend_limit_exceeded", "quota"),
        ("quota_unnamed", 429, "insufficient_quota", "quota"),
        ("country_refused", 403, "unsupported_country_region_territory", "Country"),
        ("address_refused", 401, None, "IP not authorized"),
        ("tier_refused", 400, None, "service tier"),
    ],
)
def test_a_refusal_of_one_project_leaves_its_neighbour_alone(
    server: Server, make_tenant: Callable[..., Tenant], fault: str, status: int, code: str | None, word: str
) -> None:
    tenant, neighbour = make_tenant("one"), make_tenant("two")
    server.control.fault(fault, count=None, project_id=tenant.project_id)
    refused = refusal(server, tenant)
    assert (refused.status_code, refused.code) == (status, code)
    assert word in str(refused)
    ask(server, neighbour)
    server.control.clear_faults()
    ask(server, tenant)


@pytest.mark.parametrize("fault", ["country_refused", "address_refused"])
def test_where_a_call_comes_from_decides_for_every_endpoint(server: Server, tenant: Tenant, fault: str) -> None:
    admin = server.admin()
    server.control.fault(fault, count=2, organization_id="org-local")
    with pytest.raises(openai.APIStatusError):
        server.client(tenant.key).models.list()
    with pytest.raises(openai.APIStatusError):
        admin.admin.organization.projects.list()
    assert server.client(tenant.key).models.list().data


def test_a_refusal_of_another_organization_does_not_match(server: Server, tenant: Tenant) -> None:
    server.control.fault("balance_gone", count=None, organization_id="org-other")
    ask(server, tenant)


def test_only_refusals_are_limited_to_somebody(server: Server) -> None:
    with pytest.raises(ControlError, match="project_id"):
        server.control.fault("429", project_id="proj_1")


def test_the_organizations_limits_refuse_every_project(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    one, two = make_tenant("one"), make_tenant("two")
    limit = server.admin().admin.organization.spend_limit
    made = limit.update(currency="USD", interval="month", threshold_amount=1)
    assert (made.threshold_amount, made.enforcement.status) == (1, "inactive")
    ask(server, one, LONG, "gpt-5-pro")
    assert limit.retrieve().enforcement.status == "enforcing"
    for tenant in (one, two):
        assert refusal(server, tenant).code == "organization_spend_limit_exceeded"
    assert limit.delete().deleted is True
    ask(server, two)
    server.control.settings(usage_limit_cents=1)
    assert refusal(server, two).code == "organization_usage_limit_exceeded"
    with pytest.raises(openai.NotFoundError):
        limit.retrieve()


def test_a_raised_limit_is_applied_after_a_while_and_a_lowered_one_at_once(server: Server, tenant: Tenant) -> None:
    limits = server.admin().admin.organization.projects.spend_limit
    common: Any = {"currency": "USD", "interval": "month"}
    limits.update(tenant.project_id, threshold_amount=1, **common)
    ask(server, tenant, LONG, "gpt-5-pro")
    server.control.settings(limit_propagation_seconds=600)
    assert limits.update(tenant.project_id, threshold_amount=100_000, **common).enforcement.status == "inactive"
    assert refusal(server, tenant).code == "project_spend_limit_exceeded", "raised, and not applied yet"
    server.advance(601)
    ask(server, tenant)
    limits.update(tenant.project_id, threshold_amount=1, **common)
    assert refusal(server, tenant).code == "project_spend_limit_exceeded"


def costs(server: Server, start: int, **query: Any) -> list[Any]:
    page = server.admin().admin.organization.usage.costs(start_time=start, group_by=["project_id"], limit=31, **query)
    return page.data


def test_costs_come_late_and_are_restated_a_day_after(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant(expires_in_seconds=10 * DAY)
    ask(server, tenant, LONG, "gpt-5-pro")
    today = int(server.control.state()["now"]) // DAY * DAY
    [whole] = costs(server, today)
    server.control.settings(costs_delay_seconds=2 * DAY, costs_early_percent=90)
    assert costs(server, today) == [], "no bucket of today: no data yet, and no zero"
    server.control.settings(costs_delay_seconds=0)
    [early] = costs(server, today)
    assert early.results[0].amount.value == pytest.approx(whole.results[0].amount.value * 0.9)
    server.advance(2 * DAY)
    assert costs(server, today)[0].results == whole.results


def test_archived_projects_and_costs_of_nobody_are_in_the_costs(server: Server, tenant: Tenant) -> None:
    ask(server, tenant, LONG, "gpt-5-pro")
    server.admin().admin.organization.projects.archive(tenant.project_id)
    server.control.settings(unattributed_cents=250)
    today = int(server.control.state()["now"]) // DAY * DAY
    [bucket] = costs(server, today)
    assert {row.project_id for row in bucket.results} == {tenant.project_id, None}
    assert next(row.amount.value for row in bucket.results if row.project_id is None) == 2.5
    [only] = costs(server, today, project_ids=[tenant.project_id])
    assert [row.project_id for row in only.results] == [tenant.project_id]


def test_embeddings_are_a_usage_family_of_their_own(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    made = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    assert [len(one.embedding) for one in made.data] == [8, 8]
    assert made.data[0].embedding != made.data[1].embedding
    again = client.embeddings.create(model="text-embedding-3-small", input="one", encoding_format="float")
    assert again.data[0].embedding == pytest.approx(made.data[0].embedding)
    ask(server, tenant)
    usage = server.admin().admin.organization.usage
    since = int(server.control.state()["now"]) - 3600
    page = usage.embeddings(start_time=since, group_by=["project_id", "model"])
    [row] = [row for bucket in page.data for row in bucket.results]
    assert (row.project_id, row.num_model_requests) == (tenant.project_id, 2)  # pyright: ignore[reportAttributeAccessIssue]
    chats = usage.completions(start_time=since, group_by=["model"])
    assert [row.model for bucket in chats.data for row in bucket.results] == [MODEL]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(openai.APIStatusError):
        client.embeddings.create(model=MODEL, input="one")


def test_the_date_of_a_models_end_can_be_set_and_left_out(server: Server, tenant: Tenant) -> None:
    server.control.settings(shutdown_dates={MODEL: "2026-12-02", "gpt-5": None, "gpt-4.1": "soon"})
    shown = {model.id: model.shutdown_date for model in server.client(tenant.key).models.list()}
    assert (shown[MODEL], shown["gpt-5"], shown["gpt-4.1"]) == ("2026-12-02", None, "soon")
    server.control.settings(hide_shutdown_dates=True)
    one = server.client(tenant.key).models.retrieve(MODEL)
    assert "shutdown_date" not in one.model_fields_set
    for wrong in ({"": None}, {MODEL: 5}, "soon"):
        with pytest.raises(ControlError, match="shutdown_dates"):
            server.control.settings(shutdown_dates=wrong)
