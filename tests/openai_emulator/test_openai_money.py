"""Money through OpenAI's SDK: spend limits and alerts, usage, costs, the audit log."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openai
import pytest

from local.openai.catalogue import MODELS
from tests.openai_emulator.harness import Server, Tenant

LONG = "word " * 4_000
"""About 5,000 tokens each way: half a dollar cent and more on an expensive model."""


def spend(server: Server, tenant: Tenant, times: int = 1, model: str = "gpt-5-pro") -> None:
    client = server.client(tenant.key)
    for _ in range(times):
        client.responses.create(model=model, input=LONG)


def test_a_hard_spend_limit_blocks_the_project_when_reached(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    tenant, neighbour = make_tenant("one"), make_tenant("two")
    limit = server.admin().admin.organization.projects.spend_limit
    made = limit.update(tenant.project_id, currency="USD", interval="month", threshold_amount=60)
    assert (made.threshold_amount, made.enforcement.status) == (60, "inactive")
    spend(server, tenant)
    with pytest.raises(openai.RateLimitError) as refusal:
        spend(server, tenant)
    assert (refusal.value.code, refusal.value.type) == ("project_spend_limit_exceeded", "insufficient_quota")
    assert limit.retrieve(tenant.project_id).enforcement.status == "enforcing"
    assert server.client(tenant.key).models.list().data, "what costs nothing still works"
    spend(server, neighbour)
    assert limit.delete(tenant.project_id).deleted is True
    spend(server, tenant)


def test_a_spend_limit_starts_afresh_each_month(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant(expires_in_seconds=60 * 86_400)
    limit = server.admin().admin.organization.projects.spend_limit
    limit.update(tenant.project_id, currency="USD", interval="month", threshold_amount=1)
    spend(server, tenant)
    with pytest.raises(openai.RateLimitError):
        spend(server, tenant)
    server.advance(32 * 86_400)
    spend(server, tenant)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"currency": "EUR", "interval": "month", "threshold_amount": 5}, "currency"),
        ({"currency": "USD", "interval": "day", "threshold_amount": 5}, "interval"),
        ({"currency": "USD", "interval": "month", "threshold_amount": 0}, "threshold_amount"),
        ({"currency": "USD", "interval": "month", "threshold_amount": 1.5}, "threshold_amount"),
    ],
)
def test_a_bad_spend_limit_is_refused(server: Server, tenant: Tenant, body: dict[str, Any], param: str) -> None:
    limit = server.admin().admin.organization.projects.spend_limit
    with pytest.raises(openai.BadRequestError) as refusal:
        limit.update(tenant.project_id, **body)
    assert refusal.value.param == param
    with pytest.raises(openai.NotFoundError):
        limit.retrieve(tenant.project_id)


def test_spend_alerts_are_kept_and_go_out_once_when_crossed(server: Server, tenant: Tenant) -> None:
    alerts = server.admin().admin.organization.projects.spend_alerts
    channel: Any = {"type": "email", "recipients": ["ops@acme.example"], "subject_prefix": "[acme]"}
    common: Any = {"currency": "USD", "interval": "month", "notification_channel": channel}
    low = alerts.create(tenant.project_id, threshold_amount=1, **common)
    high = alerts.create(tenant.project_id, threshold_amount=1_000_000, **common)
    assert low.notification_channel.recipients == ["ops@acme.example"]
    assert [a.id for a in alerts.list(tenant.project_id, limit=1)] == [low.id, high.id]
    assert [a.id for a in alerts.list(tenant.project_id, order="desc")] == [high.id, low.id]
    spend(server, tenant, times=2)
    sent = server.control.alerts_sent()
    assert [(a["alert_id"], a["recipients"]) for a in sent] == [(low.id, ["ops@acme.example"])]
    raised = alerts.update(low.id, project_id=tenant.project_id, threshold_amount=2, **common)
    assert raised.threshold_amount == 2
    assert alerts.retrieve(low.id, project_id=tenant.project_id).threshold_amount == 2
    assert alerts.delete(high.id, project_id=tenant.project_id).deleted is True
    assert [a.id for a in alerts.list(tenant.project_id)] == [low.id]


@pytest.mark.parametrize(
    ("channel", "param"),
    [
        ({"type": "email", "recipients": []}, "notification_channel.recipients"),
        ({"type": "email", "recipients": ["nobody"]}, "notification_channel.recipients[0]"),
        ({"type": "pager", "recipients": ["a@b.example"]}, "notification_channel.type"),
        ({"type": "email", "recipients": ["a@b.example"], "cc": "x"}, "notification_channel.cc"),
    ],
)
def test_a_bad_spend_alert_is_refused(server: Server, tenant: Tenant, channel: Any, param: str) -> None:
    alerts = server.admin().admin.organization.projects.spend_alerts
    with pytest.raises(openai.BadRequestError) as refusal:
        alerts.create(
            tenant.project_id, currency="USD", interval="month", threshold_amount=5, notification_channel=channel
        )
    assert refusal.value.param == param
    assert alerts.list(tenant.project_id).data == []


def test_an_empty_balance_is_told_by_its_code(server: Server, tenant: Tenant) -> None:
    server.control.fault("balance_gone", count=None)
    for _ in range(2):
        with pytest.raises(openai.RateLimitError) as refusal:
            server.client(tenant.key).responses.create(model="gpt-5-mini", input="x")
        assert (refusal.value.code, refusal.value.type) == ("credit_balance_exhausted", "insufficient_quota")
    server.control.clear_faults()
    assert server.client(tenant.key).responses.create(model="gpt-5-mini", input="x").output_text


def test_usage_and_costs_add_up_by_project_key_and_model(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    one, two = make_tenant("one"), make_tenant("two")
    first = server.client(one.key).responses.create(model="gpt-5-mini", input="a b c d e f").usage
    server.client(one.key).responses.create(model="gpt-4.1", input="a b c")
    server.client(two.key).responses.create(model="gpt-4.1", input="a b c d")
    assert first is not None
    usage = server.admin().admin.organization.usage
    since = int(server.control.state()["now"]) - 3600
    page = usage.completions(start_time=since, group_by=["project_id", "api_key_id", "model"], bucket_width="1h")
    rows: list[Any] = [r for bucket in page.data for r in bucket.results]
    assert {(r.project_id, r.api_key_id, r.model, r.num_model_requests) for r in rows} == {
        (one.project_id, one.key_id, "gpt-5-mini", 1),
        (one.project_id, one.key_id, "gpt-4.1", 1),
        (two.project_id, two.key_id, "gpt-4.1", 1),
    }
    mini = next(r for r in rows if r.model == "gpt-5-mini")
    assert (mini.input_tokens, mini.output_tokens) == (first.input_tokens, first.output_tokens)
    only = usage.completions(start_time=since, project_ids=[two.project_id], models=["gpt-4.1"])
    assert sum(r.num_model_requests for b in only.data for r in b.results) == 1  # pyright: ignore[reportAttributeAccessIssue]

    day = since // 86_400 * 86_400
    costs = usage.costs(start_time=day, limit=180, group_by=["project_id", "line_item"])
    lines: list[Any] = [r for bucket in costs.data for r in bucket.results]
    line = next(r for r in lines if r.line_item == "gpt-5-mini, output_tokens")
    assert (line.project_id, line.quantity, line.quantity_unit) == (one.project_id, first.output_tokens, "tokens")
    assert line.amount.value == pytest.approx(
        float(MODELS["gpt-5-mini"].output_price * first.output_tokens / 1_000_000)
    )
    total = sum(r.amount.value for r in lines)
    assert total == pytest.approx(sum(p.spent_usd for p in server.control.projects())), "books and bills agree"


def test_usage_comes_in_buckets_page_by_page(server: Server, tenant: Tenant) -> None:
    server.client(tenant.key).responses.create(model="gpt-5-mini", input="x")
    usage = server.admin().admin.organization.usage
    since = int(server.control.state()["now"]) - 10 * 3600
    requests, buckets, page = 0, 0, None
    while True:
        extra: Any = {} if page is None else {"page": page}
        answer = usage.completions(start_time=since, bucket_width="1h", limit=4, **extra)
        buckets += len(answer.data)
        requests += sum(r.num_model_requests for b in answer.data for r in b.results)  # pyright: ignore[reportAttributeAccessIssue]
        page = answer.next_page
        if not answer.has_more:
            break
    assert (requests, page) == (1, None)
    assert buckets in (11, 12), "empty buckets are listed too; the hour may turn meanwhile"
    for bad in ({"bucket_width": "1w"}, {"group_by": ["colour"]}, {"limit": 32}, {"end_time": 1}, {"colour": "red"}):
        with pytest.raises(openai.BadRequestError):
            usage.completions(start_time=since, extra_query=bad)


def test_prices_are_exact_to_the_smallest_part() -> None:
    model = MODELS["gpt-5-mini"]
    assert model.cost(1, 0) == Decimal("0.00000025")
    assert model.cost(3, 7) * 1_000_000 == Decimal("14.75")


def test_the_audit_log_tells_who_did_what(server: Server, tenant: Tenant) -> None:
    organization = server.admin().admin.organization
    projects = organization.projects
    projects.api_keys.update(tenant.key_id, project_id=tenant.project_id, expires_in_seconds=60)
    projects.api_keys.delete(tenant.key_id, project_id=tenant.project_id)
    projects.service_accounts.delete(tenant.service_account_id, project_id=tenant.project_id)
    projects.archive(tenant.project_id)
    listed = list(organization.audit_logs.list(project_ids=[tenant.project_id], limit=2))
    assert [e.type for e in listed] == [
        "project.archived",
        "service_account.deleted",
        "api_key.deleted",
        "api_key.updated",
        "api_key.created",
        "service_account.updated",
        "service_account.created",
        "project.created",
    ], "newest first"
    made = listed[4]
    assert made.api_key_created is not None
    assert made.api_key_created.id == tenant.key_id
    assert made.actor is not None
    assert made.actor.type == "api_key"
    [deleted] = organization.audit_logs.list(event_types=["api_key.deleted"]).data
    assert deleted.api_key_deleted is not None
    assert deleted.api_key_deleted.id == tenant.key_id
    assert organization.audit_logs.list(effective_at={"lt": 1000}).data == []
    assert tenant.key not in str([e.model_dump() for e in listed])
