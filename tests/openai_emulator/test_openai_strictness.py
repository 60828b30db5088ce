"""Whatever is sent to whichever endpoint, the answer is an answer or a refusal in OpenAI's shape, never a crash."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from local.openai.call import Answer, Call, Emulator, Route
from local.openai.errors import ApiError, BareError, OAuthRefusal
from local.openai.federation.records import FederationRule, IdentityProvider
from local.openai.minting import mint_admin_key, mint_project_key
from local.openai.routes import ALL
from local.openai.settings import changed
from local.openai.state import Batch, Project, ServiceAccount, SpendAlert

FIELDS = (
    "attribute_matchers", "attribute_transformations", "audience", "completion_window",
    "create_service_account_only", "currency", "description", "enabled",
    "endpoint", "expires_in_seconds", "geography", "grant_type", "identity_provider_id",
    "input", "input_file_id", "instructions", "interval", "issuer", "max_output_tokens", "max_requests_per_1_minute",
    "max_tokens", "messages", "mode", "model", "model_ids", "n", "name", "notification_channel", "permissions",
    "project_id", "service_account_id", "subject_token", "subject_token_type", "verification",
    "previous_response_id", "role", "scopes", "stream", "stream_options", "temperature", "threshold_amount",
)  # fmt: skip
PARAMETERS = (
    "after", "api_key_ids[]", "before", "bucket_width", "effective_at[gt]", "end_time", "group_by[]",
    "include_archived", "limit", "order", "owner_project_access", "page", "start_time",
)  # fmt: skip
SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300)
KNOWN = st.sampled_from(
    [
        "gpt-4.1",
        "gpt-5-mini",
        "USD",
        "month",
        "allow_list",
        "member",
        "email",
        "user",
        "a@b.cc",
        "oidc",
        "https://x",
        "p",
        "s",
        "i",
        1,
        16,
    ]
)
VALUES = st.recursive(
    SIMPLE | KNOWN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "attribute", "content", "expression", "jwks", "type", "recipients", "text", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def filled() -> tuple[Emulator, dict[str, str], dict[bool, str]]:
    """An organization with one of everything; path parameters; the key for admin (True) and for model routes."""
    emulator = Emulator()
    organization = emulator.organization
    organization.settings = changed(organization.settings, {"admin_requests_per_minute": 0})
    call = Call(emulator, "POST", "/", {}, QueryParams(), b"", {}, time.time())
    admin, admin_value = mint_admin_key(call, "a", [], None)
    project = organization.projects["p"] = Project("p", "p", call.at)
    account = project.service_accounts["s"] = ServiceAccount("s", "s", call.at, "member", False)
    project.spend_alerts["l"] = SpendAlert("l", 5, ["a@b.cc"], None)
    key, value = mint_project_key(call, project, account, "k", [], None)
    file = organization.add_file("p", "in.jsonl", b"{}", call.at, purpose="batch", seconds=None)
    organization.batches["b"] = Batch("p", key, {"id": "b", "status": "in_progress"}, None)
    provider = organization.identity_providers["i"] = IdentityProvider("i", "i", "https://x", "a", call.at, call.at)
    provider.rules["r"] = FederationRule("r", "i", {"sub": "x"}, "p", "s", call.at, call.at)
    parameters = {
        "project_id": "p", "service_account_id": "s", "api_key_id": key.id, "alert_id": "l", "key_id": admin.id,
        "model": "gpt-4.1", "rate_limit_id": "rl-gpt-4.1", "response_id": "r",
        "file_id": file.id, "batch_id": "b",
        "workload_identity_provider_id": "i", "workload_identity_federation_rule_id": "r",
    }  # fmt: skip
    return emulator, parameters, {True: admin_value, False: value}


def answer(route: Route, raw: bytes, query: QueryParams) -> Answer | ApiError:
    emulator, parameters, keys = filled()
    headers = {"authorization": f"Bearer {keys[route.admin]}", "content-type": "application/json"}
    try:
        done = route.run(Call(emulator, route.method, route.template, parameters, query, raw, headers, time.time()))
    except ApiError as refusal:
        return refusal
    list(done.events or ())
    return done


def assert_shaped(outcome: Answer | ApiError) -> None:
    if isinstance(outcome, Answer):
        assert json.loads(outcome.body()) is not None
        return
    assert 400 <= outcome.status < 500
    if isinstance(outcome, OAuthRefusal):
        assert set(outcome.body) == {"error", "error_description"}
    elif not isinstance(outcome, BareError):
        assert set(outcome.body["error"]) == {"message", "type", "param", "code"}
        assert outcome.body["error"]["message"]


@settings(max_examples=400)
@given(
    st.sampled_from([r for r in ALL if r.method == "POST"]),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
)
def test_no_body_breaks_an_endpoint(route: Route, fields: dict[str, Any]) -> None:
    assert_shaped(answer(route, json.dumps(fields).encode(), QueryParams()))


@settings(max_examples=300)
@given(
    st.sampled_from([r for r in ALL if r.method == "GET"]),
    st.dictionaries(st.sampled_from(PARAMETERS), st.text(max_size=20) | st.integers().map(str), max_size=3),
)
def test_no_query_breaks_an_endpoint(route: Route, fields: dict[str, str]) -> None:
    assert_shaped(answer(route, b"", QueryParams(urlencode(fields))))


@settings(max_examples=100)
@given(st.sampled_from([r for r in ALL if r.method == "POST"]), st.binary(max_size=50))
def test_no_bytes_break_an_endpoint(route: Route, raw: bytes) -> None:
    assert_shaped(answer(route, raw, QueryParams()))


@pytest.mark.parametrize("route", [r for r in ALL if not r.open], ids=lambda r: f"{r.method} {r.template}")
def test_no_endpoint_answers_without_the_right_kind_of_key(route: Route) -> None:
    emulator, parameters, keys = filled()
    for headers in ({}, {"authorization": f"Bearer {keys[not route.admin]}"}, {"authorization": "Basic x"}):
        call = Call(emulator, route.method, route.template, parameters, QueryParams(), b"", headers, time.time())
        with pytest.raises(ApiError) as refusal:
            route.run(call)
        assert refusal.value.status in (401, 403)


def test_only_the_token_endpoint_is_open() -> None:
    """It asks for a subject token in the place of a key."""
    assert [route.template for route in ALL if route.open] == ["/oauth/token"]
