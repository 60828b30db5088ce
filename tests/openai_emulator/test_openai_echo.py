"""What a model call asks for is told again in its answer, as OpenAI does: each field that the official SDK has in both.

Source: the SDK's own types of requests and answers, openai.types.responses and openai.types.chat.
"""

from __future__ import annotations

from typing import Any, get_args

import openai
import pytest
from openai.types.chat import ChatCompletion, completion_create_params
from openai.types.responses import Response, response_create_params

from tests.openai_emulator.harness import Server, Tenant

MODEL = "gpt-4.1"
"""It takes any temperature; a model that reasons takes 1 alone."""
RESPONSES: dict[str, Any] = {
    "access_programs": {"cyber": "standard"},
    "background": True,
    "conversation": {"id": "conv_1"},
    "image": {"context_compression": "disabled"},
    "instructions": "Be short.",
    "max_output_tokens": 99,
    "max_tool_calls": 3,
    "metadata": {"order": "7"},
    "model": MODEL,
    "parallel_tool_calls": False,
    "prompt": {"id": "pmpt_1", "version": "2", "variables": None},
    "prompt_cache_key": "acme",
    "prompt_cache_options": {"mode": "explicit", "ttl": "12h"},
    "prompt_cache_retention": "24h",
    "reasoning": {"effort": "low", "summary": "auto"},
    "safety_identifier": "someone",
    "temperature": 0.25,
    "text": {"format": {"type": "text"}, "verbosity": "low"},
    "tool_choice": "none",
    "tools": [{"type": "function", "name": "look", "parameters": {}, "strict": True}],
    "top_logprobs": 5,
    "top_p": 0.5,
    "truncation": "auto",
    "user": "someone",
}
NOT_RESPONSES = {
    "moderation": "the answer's is the result of a moderation, and the emulator moderates nothing",
    "service_tier": "the answer's is the tier that was used, and the emulator has one",
    "previous_response_id": "needs a response before it: a test of its own",
}
CHAT: dict[str, Any] = {"metadata": {"order": "7"}, "model": MODEL}
NOT_CHAT = {
    "moderation": NOT_RESPONSES["moderation"],
    "service_tier": NOT_RESPONSES["service_tier"],
}


def asked(module: Any) -> set[str]:
    """The fields of both forms of the request, streamed and whole."""
    (union,) = [value for name, value in vars(module).items() if name.endswith("CreateParams")]
    return {field for form in get_args(union) for field in form.__required_keys__ | form.__optional_keys__}


@pytest.mark.parametrize(
    ("module", "answer", "told", "reasons"),
    [
        (response_create_params, Response, RESPONSES, NOT_RESPONSES),
        (completion_create_params, ChatCompletion, CHAT, NOT_CHAT),
    ],
)
def test_every_field_of_request_and_answer_is_told_or_has_a_reason(
    module: Any, answer: Any, told: dict[str, Any], reasons: dict[str, str]
) -> None:
    both = asked(module) & set(answer.model_fields)
    assert len(both) >= 4
    assert both == told.keys() | reasons.keys()
    assert not told.keys() & reasons.keys()


@pytest.mark.parametrize("field", RESPONSES)
def test_a_response_tells_the_setting_that_was_asked_for(server: Server, tenant: Tenant, field: str) -> None:
    client = server.client(tenant.key)
    request: dict[str, Any] = {"model": MODEL, "input": "x"} | {field: RESPONSES[field]}
    made: Any = client.responses.create(**request)
    found = made.to_dict()[field]
    assert found == RESPONSES[field]
    plain = client.responses.create(model=MODEL, input="x").to_dict()
    if field != "model":
        assert plain.get(field) != found, "what is told comes from the request"
    assert client.responses.retrieve(made.id).to_dict()[field] == found, "and is stored"


def test_a_streamed_response_tells_them_from_the_beginning(server: Server, tenant: Tenant) -> None:
    with server.client(tenant.key).responses.stream(model=MODEL, input="x", metadata={"a": "b"}, top_p=0.5) as events:
        every: list[Any] = list(events)
    seen = [event.response for event in every if event.type in ("response.created", "response.completed")]
    assert [(one.metadata, one.top_p) for one in seen] == [({"a": "b"}, 0.5)] * 2


def test_a_conversations_id_and_an_earlier_response_are_told(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant.key)
    first = client.responses.create(model=MODEL, input="x", conversation="conv_2")
    assert first.conversation is not None
    assert first.conversation.id == "conv_2"
    assert (
        client.responses.create(model=MODEL, input="x", previous_response_id=first.id).previous_response_id == first.id
    )


def test_what_is_not_asked_for_has_openais_default(server: Server, tenant: Tenant) -> None:
    made = server.client(tenant.key).responses.create(model=MODEL, input="x", service_tier="auto")
    told = (made.temperature, made.top_p, made.truncation, made.parallel_tool_calls, made.user, made.metadata)
    assert told == (1.0, 1.0, "disabled", True, None, {})
    assert (made.tool_choice, made.tools, made.background, made.top_logprobs) == ("auto", [], False, 0)
    assert made.service_tier == "default", "the tier that was used"


@pytest.mark.parametrize("field", CHAT)
def test_a_completion_tells_what_was_asked_for(server: Server, tenant: Tenant, field: str) -> None:
    messages = [{"role": "user", "content": "x"}]
    request: dict[str, Any] = {"model": MODEL, "messages": messages} | {field: CHAT[field]}
    made: Any = server.client(tenant.key).chat.completions.create(**request)
    assert made.to_dict()[field] == CHAT[field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 2.5),
        ("temperature", "hot"),
        ("top_p", -0.1),
        ("truncation", "sometimes"),
        ("parallel_tool_calls", "yes"),
        ("metadata", ["a"]),
        ("metadata", {"a": 1}),
        ("metadata", {"a": "b" * 513}),
        ("metadata", {str(number): "" for number in range(17)}),
        ("user", 7),
        ("tools", {}),
        ("top_logprobs", 21),
        ("reasoning", "low"),
    ],
)
def test_a_setting_that_openai_refuses_is_refused_by_its_name(
    server: Server, tenant: Tenant, field: str, value: Any
) -> None:
    """The limits are in the SDK's docstrings of these parameters."""
    with pytest.raises(openai.BadRequestError) as refusal:
        server.client(tenant.key).responses.create(model=MODEL, input="x", extra_body={field: value})
    assert str(refusal.value.param).startswith(field)
