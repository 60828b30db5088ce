"""OpenAI's Batch API through its SDK: files, a batch's life, half the price, and how strictly its input is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openai
import pytest
from openai.types import Batch

from local.openai.routes.files import BATCH_DAYS
from tests.openai_emulator.harness import Server, Tenant
from tests.openai_emulator.test_openai_discounts import MODEL, PROMPT, billed

RESPONSES = "/v1/responses"


def line(number: int, text: str = "hello", url: str = RESPONSES, **body: Any) -> dict[str, Any]:
    asked = {"messages": [{"role": "user", "content": text}]} if "chat" in url else {"input": text}
    return {"custom_id": f"call-{number}", "method": "POST", "url": url, "body": {"model": MODEL} | asked | body}


def upload(client: openai.OpenAI, *lines: dict[str, Any] | str, name: str = "in.jsonl") -> str:
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    return client.files.create(file=(name, text.encode()), purpose="batch").id


def batch(client: openai.OpenAI, *lines: dict[str, Any] | str, url: Any = RESPONSES, **more: Any) -> Batch:
    return client.batches.create(input_file_id=upload(client, *lines), endpoint=url, completion_window="24h", **more)


def output(client: openai.OpenAI, file: str | None) -> list[dict[str, Any]]:
    assert file is not None
    return [json.loads(text) for text in client.files.content(file).text.splitlines()]


@pytest.fixture
def client(server: Server, make_tenant: Callable[..., Tenant]) -> openai.OpenAI:
    """Of a key with every permission: one for batches and files needs them by name."""
    return server.client(make_tenant("batching", scopes=[]).key)


def test_a_batch_is_worked_off_and_its_answers_are_found_by_their_ids(client: openai.OpenAI) -> None:
    made = batch(client, line(1, "one"), line(2, "two"), metadata={"night": "1"})
    assert (made.status, made.errors, made.output_file_id) == ("validating", None, None)
    assert made.expires_at == made.created_at + 86_400
    done = client.batches.retrieve(made.id)
    assert (done.status, done.model, done.metadata, done.error_file_id) == ("completed", MODEL, {"night": "1"}, None)
    assert done.request_counts is not None
    assert (done.request_counts.total, done.request_counts.completed, done.request_counts.failed) == (2, 2, 0)
    lines = output(client, done.output_file_id)
    assert [one["custom_id"] for one in lines] == ["call-1", "call-2"]
    assert [one["response"]["status_code"] for one in lines] == [200, 200]
    assert "You said: two" in json.dumps(lines[1]["response"]["body"]["output"])
    assert done.usage is not None
    assert done.usage.total_tokens == sum(one["response"]["body"]["usage"]["total_tokens"] for one in lines)
    assert [one.id for one in client.batches.list()] == [done.id]


@pytest.mark.parametrize("url", ["/v1/chat/completions", "/v1/embeddings"])
def test_other_endpoints_are_worked_off_too(client: openai.OpenAI, url: str) -> None:
    model = "text-embedding-3-small" if "embeddings" in url else MODEL
    done = client.batches.retrieve(batch(client, line(1, url=url, model=model), url=url).id)
    assert done.status == "completed"
    [one] = output(client, done.output_file_id)
    assert one["response"]["body"]["usage"]["prompt_tokens"] > 0


def test_it_costs_half_and_usage_tells_it_apart(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("batching", scopes=[])
    client = server.client(tenant.key)
    whole = client.responses.create(model=MODEL, input="hello").usage
    once = billed(server, tenant)
    batch(client, line(1), line(2))
    assert billed(server, tenant) == pytest.approx(once * 2, rel=Decimal("1e-9")), "billed though nobody looked at it"
    usage = server.admin().admin.organization.usage
    since = int(server.control.state()["now"]) - 86_400
    page = usage.completions(start_time=since, limit=2, group_by=["batch"])
    rows: dict[Any, Any] = {row.batch: row for bucket in page.data for row in bucket.results}  # type: ignore[union-attr]
    assert whole is not None
    assert (rows[False].num_model_requests, rows[True].num_model_requests) == (1, 2)
    assert rows[True].output_tokens == 2 * whole.output_tokens
    for asked, requests in ((True, 2), (False, 1)):
        only: Any = usage.completions(start_time=since, limit=2, batch=asked)
        assert sum(row.num_model_requests for bucket in only.data for row in bucket.results) == requests


@pytest.mark.parametrize(("model", "cached"), [(MODEL, True), ("gpt-4.1-mini", False)])
def test_cached_tokens_are_cheaper_in_a_batch_only_where_openai_has_such_a_price(
    client: openai.OpenAI, model: str, cached: bool
) -> None:
    done = client.batches.retrieve(batch(client, *(line(n, PROMPT, model=model) for n in range(2))).id)
    assert done.usage is not None
    assert (done.usage.input_tokens_details.cached_tokens > 0) == cached


def test_a_request_that_fails_does_not_stop_the_others(server: Server, client: openai.OpenAI) -> None:
    done = client.batches.retrieve(
        batch(client, line(1), line(2, temperature=0.5), line(3, stream=True), line(4, colour="red")).id
    )
    assert done.status == "completed"
    assert done.request_counts is not None
    assert (done.request_counts.completed, done.request_counts.failed) == (1, 3)
    failed = {one["custom_id"]: one["response"] for one in output(client, done.error_file_id)}
    assert {one["status_code"] for one in failed.values()} == {400}
    assert failed["call-2"]["body"]["error"]["param"] == "temperature"
    assert failed["call-3"]["body"]["error"]["param"] == "stream"
    assert failed["call-4"]["body"]["error"]["code"] == "unknown_parameter"
    server.control.fault("balance_gone", count=1, path=RESPONSES)
    poor = client.batches.retrieve(batch(client, line(1)).id)
    assert output(client, poor.error_file_id)[0]["response"]["status_code"] == 429


@pytest.mark.parametrize(
    ("lines", "code", "number"),
    [
        (["{"], "invalid_json_line", 1),
        (["[1]"], "invalid_json_line", 1),
        ([line(1), line(1)], "duplicate_custom_id", 2),
        ([line(1, url="/v1/embeddings")], "url_mismatch", 1),
        ([line(1), line(2, model="gpt-4.1")], "model_mismatch", 2),
        ([line(1) | {"colour": "red"}], "unknown_parameter", 1),
        ([{name: value for name, value in line(1).items() if name != "method"}], "missing_required_parameter", 1),
        ([line(1) | {"method": "GET"}], "invalid_method", 1),
        ([line(1) | {"custom_id": 5}], "invalid_type", 1),
        ([line(1) | {"body": {}}], "missing_required_parameter", 1),
        ([" "], "empty_file", None),
    ],
)
def test_a_bad_input_fails_the_whole_batch_and_names_the_line(
    client: openai.OpenAI, lines: list[Any], code: str, number: int | None
) -> None:
    failed = client.batches.retrieve(batch(client, *lines).id)
    assert failed.status == "failed"
    assert failed.errors is not None
    assert failed.errors.data is not None
    assert [(one.code, one.line) for one in failed.errors.data] == [(code, number)]
    assert failed.output_file_id is None


def test_too_many_requests_are_refused_together(client: openai.OpenAI) -> None:
    failed = client.batches.retrieve(batch(client, *["{}"] * 50_001).id)
    assert failed.errors is not None
    assert failed.errors.data is not None
    assert [one.code for one in failed.errors.data] == ["too_many_tasks"]


def test_it_takes_its_time_and_can_be_cancelled_meanwhile(server: Server, client: openai.OpenAI) -> None:
    server.control.settings(batch_seconds=3600)
    made, other = batch(client, line(1)), batch(client, line(1))
    assert client.batches.retrieve(made.id).status == "in_progress"
    assert client.batches.cancel(made.id).status == "cancelling"
    cancelled = client.batches.retrieve(made.id)
    assert (cancelled.status, cancelled.output_file_id) == ("cancelled", None)
    server.advance(3700)
    done = client.batches.retrieve(other.id)
    assert (done.status, done.completed_at) == ("completed", other.created_at + 3600)
    for over in (made.id, other.id):
        with pytest.raises(openai.ConflictError, match="Cannot cancel"):
            client.batches.cancel(over)


def test_what_is_not_done_within_a_day_expires_unbilled(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    server.control.settings(batch_seconds=90_000)
    tenant = make_tenant("batching", scopes=[], expires_in_seconds=10 * 86_400)
    client = server.client(tenant.key)
    made = batch(client, line(1))
    server.advance(86_500)
    expired = client.batches.retrieve(made.id)
    assert (expired.status, expired.expired_at) == ("expired", made.created_at + 86_400)
    [one] = output(client, expired.error_file_id)
    assert (one["response"], one["error"]["code"]) == (None, "batch_expired")
    assert server.control.projects()[-1].spent_usd == 0


@pytest.mark.parametrize(
    ("bad", "param"),
    [
        ({"endpoint": "/v1/moderations"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 60}}, "output_expires_after.seconds"),
        ({"output_expires_after": {"anchor": "deleted_at", "seconds": 3600}}, "output_expires_after.anchor"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_batch_is_refused_at_once(client: openai.OpenAI, bad: dict[str, Any], param: str) -> None:
    usual: dict[str, Any] = {
        "endpoint": RESPONSES,
        "completion_window": "24h",
        "input_file_id": upload(client, line(1)),
    }
    with pytest.raises(openai.BadRequestError) as refusal:
        client.post("/batches", body=usual | bad, cast_to=object)
    assert refusal.value.param == param
    assert client.batches.list().data == []


def test_files_are_their_projects_and_expire(server: Server, make_tenant: Callable[..., Tenant]) -> None:
    client, neighbour = (server.client(make_tenant(name, scopes=[]).key) for name in ("one", "two"))
    kept = upload(client, line(1))
    short = client.files.create(
        file=("b.jsonl", b"{}"), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    told = client.files.retrieve(kept)
    assert (told.purpose, told.filename, told.expires_at) == (
        "batch",
        "in.jsonl",
        told.created_at + BATCH_DAYS * 86_400,
    )
    assert [one.id for one in client.files.list()] == [short.id, kept]
    assert client.files.list(purpose="user_data").data == []
    with pytest.raises(openai.NotFoundError):
        neighbour.files.retrieve(kept)
    with pytest.raises(openai.NotFoundError):
        neighbour.batches.create(input_file_id=kept, endpoint=RESPONSES, completion_window="24h")
    server.advance(3700)
    with pytest.raises(openai.NotFoundError):
        client.files.content(short.id)
    assert client.files.delete(kept).deleted is True
    assert client.files.list().data == []


@pytest.mark.parametrize(
    ("upload_of", "says"),
    [
        ({"file": ("in.txt", b"{}"), "purpose": "batch"}, "Must be .jsonl"),
        ({"file": ("in.jsonl", b""), "purpose": "batch"}, "empty"),
        ({"file": ("in.jsonl", b"{}"), "purpose": "colour"}, "purpose"),
        (
            {
                "file": ("in.jsonl", b"{}"),
                "purpose": "batch",
                "expires_after": {"anchor": "created_at", "seconds": 5},
            },
            "expires_after.seconds",
        ),
    ],
)
def test_a_bad_upload_is_refused(client: openai.OpenAI, upload_of: Any, says: str) -> None:
    with pytest.raises(openai.BadRequestError, match=says):
        client.files.create(**upload_of)


def test_a_file_for_another_purpose_is_no_batch(client: openai.OpenAI) -> None:
    other = client.files.create(file=("in.jsonl", b"{}"), purpose="user_data").id
    with pytest.raises(openai.BadRequestError, match="must be 'batch'"):
        client.batches.create(input_file_id=other, endpoint=RESPONSES, completion_window="24h")


def test_a_key_of_ours_cannot_make_batches(server: Server, tenant: Tenant) -> None:
    """It has the scopes of model calls alone."""
    with pytest.raises(openai.AuthenticationError, match=r"api\.files\.write"):
        upload(server.client(tenant.key), line(1))
