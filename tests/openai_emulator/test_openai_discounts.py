"""What a call costs less for, through OpenAI's SDK, and that the product's estimate is what is billed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import openai
import pytest

from ops.actions.estimate import DAYS, Load, estimate
from ops.prices import Call
from tests.openai_emulator.harness import Server, Tenant
from tests.tenancy.files import least

MODEL = "gpt-5.4-mini"
PROMPT = "You answer the calls of a hotel. " * 400
"""Some 3,300 tokens: long enough to be cached."""


def billed(server: Server, tenant: Tenant) -> Decimal:
    """Today, by the emulator's clock."""
    midnight = int(server.control.state()["now"]) // 86_400 * 86_400
    costs: Any = server.admin().admin.organization.usage.costs(
        start_time=midnight, limit=2, project_ids=[tenant.project_id], group_by=["project_id"]
    )
    return sum((Decimal(str(row.amount.value)) for day in costs.data for row in day.results), Decimal(0))


def test_a_prompt_that_was_read_shortly_before_is_cached_in_steps_of_128_tokens(
    server: Server, make_tenant: Callable[..., Tenant]
) -> None:
    tenant, neighbour = make_tenant("one"), make_tenant("two")
    client = server.client(tenant.key)

    def cached(*, by: openai.OpenAI = client, text: str = PROMPT) -> int:
        usage = by.responses.create(model=MODEL, input=text).usage
        assert usage is not None
        assert usage.input_tokens_details.cached_tokens <= usage.input_tokens
        return usage.input_tokens_details.cached_tokens

    assert cached() == 0
    again = cached()
    assert again >= 3072
    assert again % 128 == 0
    assert cached(text=PROMPT + "And now a question.") == again, "the beginning is the same"
    assert cached(text="Now. " + PROMPT) == 0, "the end alone is not"
    assert cached(by=server.client(neighbour.key)) == 0, "nobody reads another project's"
    assert (cached(text="short"), cached(text="short")) == (0, 0)
    server.advance(601)
    assert cached() == 0, "it is kept for ten minutes"


def test_usage_and_costs_tell_cached_tokens_apart(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    sent = [client.responses.create(model=MODEL, input=PROMPT).usage for _ in range(2)]
    usage = server.admin().admin.organization.usage.completions(
        start_time=int(server.control.state()["now"]) - 86_400, limit=2
    )
    (row,) = [result for bucket in usage.data for result in bucket.results]
    row_told: Any = row
    cached = sum(one.input_tokens_details.cached_tokens for one in sent if one)
    assert row_told.input_cached_tokens == cached > 0
    assert row_told.input_tokens == sum(one.input_tokens for one in sent if one), "cached ones are among them"
    whole = sum(one.input_tokens for one in sent if one) - cached
    answered = sum(one.output_tokens for one in sent if one)
    reckoned = (whole * Decimal("0.75") + cached * Decimal("0.075") + answered * Decimal("4.5")) / 1_000_000
    assert billed(server, tenant) == pytest.approx(reckoned, rel=Decimal("1e-9"))


def test_flex_costs_half_where_a_model_is_offered_so(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    client.responses.create(model=MODEL, input="hello")
    whole = billed(server, tenant)
    flex = client.responses.create(model=MODEL, input="hello", service_tier="flex")
    assert flex.service_tier == "flex"
    assert billed(server, tenant) == pytest.approx(whole * Decimal("1.5"), rel=Decimal("1e-9"))
    with pytest.raises(openai.BadRequestError, match="flex"):
        client.responses.create(model="gpt-4o", input="hello", service_tier="flex")


def test_reasoning_tokens_are_a_part_of_the_answer_and_are_billed_once(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    plain = client.responses.create(model=MODEL, input="hello").usage
    before = billed(server, tenant)
    thought = client.responses.create(model=MODEL, input="hello", reasoning={"effort": "high"}).usage
    assert plain is not None
    assert thought is not None
    more = thought.output_tokens_details.reasoning_tokens
    assert thought.output_tokens == plain.output_tokens + more
    assert more > 0
    assert billed(server, tenant) - before == pytest.approx(before + more * Decimal("4.5") / 1_000_000)
    with pytest.raises(openai.BadRequestError, match=r"reasoning\.effort"):
        client.responses.create(model=MODEL, input="hello", reasoning={"effort": "hardest"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "flex"),
    [("gpt-5.4-mini", False), ("gpt-5.4-mini", True), ("gpt-6.1-terra", False), ("gpt-4.1-mini", False)],
)
def test_the_estimate_is_what_the_emulator_bills_within_five_percent(
    server: Server, tenant: Tenant, model: str, flex: bool
) -> None:
    """For the same traffic, cached and reasoning tokens included. The emulator has prices of its own."""
    client = server.client(tenant.key)
    more: dict[str, Any] = {"service_tier": "flex"} if flex else {}
    if not model.startswith("gpt-4"):
        more["reasoning"] = {"effort": "medium"}
    client.responses.create(model=model, input=PROMPT, **more)
    before = billed(server, tenant)
    calls, usage = 5, None
    for _ in range(calls):
        usage = client.responses.create(model=model, input=PROMPT, **more).usage
    assert usage is not None
    call = Call(usage.input_tokens, usage.output_tokens, usage.input_tokens_details.cached_tokens)
    assert call.cached > 0
    made = estimate(least(model), Load(calls, call, "flex" if flex else "standard"), datetime.now(UTC).date())
    assert made.models[0].usd is not None
    assert made.models[0].usd / DAYS == pytest.approx(billed(server, tenant) - before, rel=Decimal("0.05"))


@pytest.mark.parametrize("model", ["gpt-5.4-mini", "gpt-6.1-terra", "gpt-4.1-mini"])
def test_the_estimate_of_a_batch_is_what_the_emulator_bills_within_five_percent(
    server: Server, make_tenant: Callable[..., Tenant], model: str
) -> None:
    """Cached and reasoning tokens included, where the model has them in a batch."""
    tenant, calls = make_tenant("batching", scopes=[]), 5
    client = server.client(tenant.key)
    asked: dict[str, Any] = {"model": model, "input": PROMPT}
    if not model.startswith("gpt-4"):
        asked["reasoning"] = {"effort": "medium"}
    lines = [{"custom_id": str(n), "method": "POST", "url": "/v1/responses", "body": asked} for n in range(calls)]
    content = "\n".join(map(json.dumps, lines)).encode()

    def worked_off() -> Any:
        file = client.files.create(file=("in.jsonl", content), purpose="batch")
        made = client.batches.create(input_file_id=file.id, endpoint="/v1/responses", completion_window="24h")
        return client.batches.retrieve(made.id).usage

    worked_off()  # Then each of the calls that are compared finds its prompt cached.
    before = billed(server, tenant)
    usage = worked_off()
    assert usage is not None
    cached = usage.input_tokens_details.cached_tokens
    assert (cached > 0) == (not model.startswith("gpt-4"))
    call = Call(usage.input_tokens // calls, usage.output_tokens // calls, cached // calls)
    estimated = estimate(least(model), Load(calls, call, "batch"), datetime.now(UTC).date()).models[0].usd
    assert estimated is not None
    assert estimated / DAYS == pytest.approx(billed(server, tenant) - before, rel=Decimal("0.05"))
