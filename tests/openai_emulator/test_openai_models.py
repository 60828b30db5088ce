"""Model calls through OpenAI's SDK: answers, streams, tokens, parameters, model permissions, rate limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import openai
import pytest
from openai.types.responses import ResponseCompletedEvent, ResponseTextDeltaEvent

from local.openai.catalogue import MODELS, count_tokens
from tests.openai_emulator.harness import Server, Tenant


def test_a_response_repeats_the_question_and_counts_its_tokens(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    response = client.responses.create(model="gpt-5-mini", input="Find me a flight", instructions="Be short")
    assert response.status == "completed"
    assert response.output_text == "This is gpt-5-mini. You said: Find me a flight"
    assert response.usage is not None
    assert response.usage.input_tokens == count_tokens("Be short") + count_tokens("Find me a flight") + 6
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    again = client.responses.create(model="gpt-5-mini", input="Find me a flight", instructions="Be short")
    assert (again.output_text, again.usage) == (response.output_text, response.usage), (
        "the same question, the same answer"
    )
    assert client.responses.retrieve(response.id) == response


def test_a_streamed_response_sends_the_sdk_event_shapes(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    events = list(client.responses.create(model="gpt-5-mini", input="one two three", stream=True))
    assert [e.type for e in events[:4]] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert [e.sequence_number for e in events] == list(range(len(events)))
    text = "".join(e.delta for e in events if isinstance(e, ResponseTextDeltaEvent))
    last = events[-1]
    assert isinstance(last, ResponseCompletedEvent)
    assert text == last.response.output_text == "This is gpt-5-mini. You said: one two three"
    with client.responses.stream(model="gpt-5-mini", input="one two three") as stream:
        assert stream.get_final_response().output_text == text, "the SDK's own accumulator agrees"


def test_a_chat_completion_answers_whole_and_streamed(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    whole = client.chat.completions.create(
        model="gpt-4.1",
        messages=[
            {"role": "system", "content": "You book travel."},
            {"role": "user", "content": [{"type": "text", "text": "Two to"}, {"type": "text", "text": "San José"}]},
        ],
    )
    text = "This is gpt-4.1. You said: Two to San José"
    assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == (text, "stop")
    assert whole.usage is not None
    stream = client.chat.completions.create(
        model="gpt-4.1",
        messages=[{"role": "user", "content": "Two to San José"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_the_async_client_streams_too(server: Server, tenant: Tenant) -> None:
    async def talk() -> str:
        async with openai.AsyncOpenAI(api_key=tenant.key, base_url=server.url, max_retries=0) as client:
            answer = await client.responses.create(model="gpt-5-mini", input="hi", stream=True)
            return "".join([e.delta async for e in answer if isinstance(e, ResponseTextDeltaEvent)])

    assert asyncio.run(talk()) == "This is gpt-5-mini. You said: hi"


def test_an_answer_stops_at_the_callers_limit(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    question = "word " * 50
    response = client.responses.create(model="gpt-5-mini", input=question, max_output_tokens=16)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.usage is not None
    assert response.usage.output_tokens <= 16
    chat = client.chat.completions.create(
        model="gpt-5-mini", messages=[{"role": "user", "content": question}], max_completion_tokens=5
    )
    assert chat.choices[0].finish_reason == "length"


@pytest.mark.parametrize(
    ("path", "body", "param", "code"),
    [
        ("/responses", {"input": "x"}, "model", "missing_required_parameter"),
        ("/responses", {"model": "gpt-5-mini"}, "input", "missing_required_parameter"),
        ("/responses", {"model": "gpt-5-mini", "input": []}, "input", "empty_array"),
        ("/responses", {"model": "gpt-5-mini", "input": 3}, "input", "invalid_type"),
        ("/responses", {"model": "gpt-5-mini", "input": "x", "max_output_tokens": 15}, "max_output_tokens",
         "integer_below_min_value"),
        ("/responses", {"model": "gpt-5-mini", "input": "x", "messages": []}, "messages", "unknown_parameter"),
        ("/responses", {"model": "gpt-5-mini", "input": "x", "temperature": 0}, "temperature", "unsupported_value"),
        ("/responses", {"model": "gpt-5-mini", "input": "x", "previous_response_id": "resp_x"},
         "previous_response_id", "previous_response_not_found"),
        ("/chat/completions", {"model": "gpt-5-mini"}, "messages", "missing_required_parameter"),
        ("/chat/completions", {"model": "gpt-5-mini", "messages": []}, "messages", "empty_array"),
        ("/chat/completions", {"model": "gpt-5-mini", "messages": [{"role": "me", "content": "x"}]},
         "messages[0].role", "invalid_value"),
        ("/chat/completions", {"model": "gpt-5-mini", "messages": [{"role": "user"}]}, "messages[0].content",
         "invalid_type"),
        ("/chat/completions", {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "x"}], "max_tokens": 5},
         "max_tokens", "unsupported_parameter"),
        ("/chat/completions", {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "x"}], "input": "y"},
         "input", "unknown_parameter"),
    ],
)  # fmt: skip
def test_a_bad_model_call_names_the_parameter(
    server: Server, tenant: Tenant, path: str, body: dict[str, object], param: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        server.client(tenant.key).post(path, body=body, cast_to=object)
    assert (refusal.value.param, refusal.value.code) == (param, code)
    [project] = server.control.projects()
    assert project.spent_usd == 0, "a refused call costs nothing"


def test_a_model_that_does_not_exist_is_404(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    for call in (
        lambda: client.models.retrieve("gpt-nonsense"),
        lambda: client.responses.create(model="gpt-nonsense", input="x"),
    ):
        with pytest.raises(openai.NotFoundError) as refusal:
            call()
        assert refusal.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError, match="not a chat model"):
        client.responses.create(model="text-embedding-3-small", input="x")


def test_an_allow_list_and_a_deny_list_are_enforced(server: Server, tenant: Tenant) -> None:
    permissions = server.admin().admin.organization.projects.model_permissions
    client = server.client(tenant.key)
    allowed = permissions.update(tenant.project_id, mode="allow_list", model_ids=["gpt-5-mini"])
    assert (allowed.mode, allowed.api_model_ids) == ("allow_list", ["gpt-5-mini"])
    assert [m.id for m in client.models.list()] == ["gpt-5-mini"]
    with pytest.raises(openai.PermissionDeniedError) as refusal:
        client.responses.create(model="gpt-4.1", input="x")
    assert refusal.value.code == "model_not_found"
    assert f"Project `{tenant.project_id}` does not have access to model `gpt-4.1`" in refusal.value.message
    assert client.responses.create(model="gpt-5-mini", input="x").output_text
    permissions.update(tenant.project_id, mode="deny_list", model_ids=["gpt-5-mini"])
    with pytest.raises(openai.PermissionDeniedError):
        client.responses.create(model="gpt-5-mini", input="x")
    assert client.responses.create(model="gpt-4.1", input="x").output_text
    assert permissions.retrieve(tenant.project_id).mode == "deny_list"
    assert permissions.delete(tenant.project_id).deleted is True
    assert len(client.models.list().data) == len(MODELS)
    with pytest.raises(openai.BadRequestError, match="not visible"):
        permissions.update(tenant.project_id, mode="allow_list", model_ids=["gpt-nonsense"])


def test_a_model_past_its_shutdown_date_is_gone_where_the_setting_says_so(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    assert client.models.retrieve("gpt-5-mini").shutdown_date == "2026-12-11"
    server.advance(400 * 86_400)
    keys = server.admin().admin.organization.projects.service_accounts.api_keys
    client = server.client(keys.create(tenant.service_account_id, project_id=tenant.project_id).value)
    assert client.responses.create(model="gpt-5-mini", input="x").output_text, "off by default"
    server.control.settings(shut_models_down=True)
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="gpt-5-mini", input="x")
    assert "gpt-5-mini" not in {m.id for m in client.models.list()}


def test_a_projects_rate_limits_are_listed_and_lowered(server: Server, tenant: Tenant) -> None:
    limits = server.admin().admin.organization.projects.rate_limits
    listed = {limit.model: limit for limit in limits.list_rate_limits(tenant.project_id, limit=10)}
    assert set(listed) == set(MODELS), "page by page, one for each model"
    mini = listed["gpt-5-mini"]
    changed = limits.update_rate_limit(mini.id, project_id=tenant.project_id, max_requests_per_1_minute=500)
    assert changed.max_requests_per_1_minute == 500
    assert changed.max_tokens_per_1_minute == mini.max_tokens_per_1_minute, "what was not named stays"
    with pytest.raises(openai.BadRequestError):
        limits.update_rate_limit(mini.id, project_id=tenant.project_id, max_requests_per_1_minute=1_000_000)
    with pytest.raises(openai.BadRequestError):
        limits.update_rate_limit(mini.id, project_id=tenant.project_id, max_images_per_1_minute=5)
    with pytest.raises(openai.NotFoundError):
        limits.update_rate_limit("rl-nonsense", project_id=tenant.project_id, max_requests_per_1_minute=5)


def test_requests_a_minute_are_enforced_with_headers(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    tenant, neighbour = make_tenant("one"), make_tenant("two")
    server.admin().admin.organization.projects.rate_limits.update_rate_limit(
        "rl-gpt-5-mini", project_id=tenant.project_id, max_requests_per_1_minute=2
    )
    client = server.client(tenant.key)
    first = client.responses.with_raw_response.create(model="gpt-5-mini", input="x")
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert first.headers["x-ratelimit-limit-tokens"] == "4000000"
    client.responses.create(model="gpt-5-mini", input="x")
    with pytest.raises(openai.RateLimitError) as refusal:
        client.responses.create(model="gpt-5-mini", input="x")
    error = refusal.value
    assert (error.code, error.type) == ("rate_limit_exceeded", "requests")
    assert "requests per min (RPM): Limit 2, Used 2, Requested 1" in error.message
    assert error.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert int(error.response.headers["retry-after"]) <= 30
    assert server.client(neighbour.key).responses.create(model="gpt-5-mini", input="x").output_text
    server.advance(31)
    assert client.responses.create(model="gpt-5-mini", input="x").output_text, "one every 30 seconds flows back"


def test_tokens_a_minute_are_enforced(server: Server, tenant: Tenant) -> None:
    server.admin().admin.organization.projects.rate_limits.update_rate_limit(
        "rl-gpt-5-mini", project_id=tenant.project_id, max_tokens_per_1_minute=60
    )
    client = server.client(tenant.key)
    with pytest.raises(openai.RateLimitError, match="Request too large") as refusal:
        client.responses.create(model="gpt-5-mini", input="word " * 100)
    assert refusal.value.type == "tokens"
    client.responses.create(model="gpt-5-mini", input="word " * 10)
    with pytest.raises(openai.RateLimitError, match=r"tokens per min \(TPM\)"):
        client.responses.create(model="gpt-5-mini", input="word " * 10)
