"""Chat completions, whole or streamed.

Owns `/v1/chat/completions`. Leaves out the answer itself (`answering.py`). Parameters that influence the text of a real
model are accepted and have no effect; tools are never called.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from local.openai import echo, errors, keys
from local.openai.answering import Asked, Completion, complete, usable_model
from local.openai.call import Answer, Call, model_route
from local.openai.catalogue import Model
from local.openai.fields import Body

_NO_EFFECT: Final = (
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "modalities",
    "moderation",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "response_format",
    "safety_identifier",
    "seed",
    "stop",
    "store",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
)
_ROLES: Final = ("developer", "system", "user", "assistant", "tool", "function")


def _messages(body: Body) -> list[str]:
    raw: Any = body.anything("messages")
    if raw is None:
        raise errors.missing_parameter("messages")
    if not isinstance(raw, list):
        raise errors.invalid_type(
            "messages", "an array of objects", "a string" if isinstance(raw, str) else "an object"
        )
    if not raw:
        raise errors.ApiError(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="messages",
            code="empty_array",
        )
    return [_text(message, f"messages[{index}]") for index, message in enumerate(raw)]


def _text(message: Any, path: str) -> str:
    if not isinstance(message, dict):
        raise errors.invalid_type(path, "an object", "a string" if isinstance(message, str) else "an array")
    role, content = message.get("role"), message.get("content")
    if role is None:
        raise errors.missing_parameter(f"{path}.role")
    if role not in _ROLES:
        listed = ", ".join(f"'{r}'" for r in _ROLES)
        raise errors.invalid_value(f"{path}.role", f"'{role}'. Supported values are: {listed}.")
    if isinstance(content, list):
        parts = [part.get("text", "") for part in content if isinstance(part, dict)]
        return " ".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str) and not (content is None and role == "assistant"):
        raise errors.invalid_type(f"{path}.content", "one of a string or array of objects", "null")
    return content or ""


def _longest(body: Body, model: Model) -> int | None:
    old = body.integer("max_tokens", minimum=1, maximum=1_000_000, required=False, nullable=True)
    new = body.integer("max_completion_tokens", minimum=1, maximum=1_000_000, required=False, nullable=True)
    if old is not None and model.reasons:
        raise errors.ApiError(
            400,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
            "instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    return new if new is not None else old


def check_temperature(value: float | None, model: Model) -> None:
    if value is not None and value != 1 and model.reasons:
        raise errors.ApiError(
            400,
            f"Unsupported value: 'temperature' does not support {value} with this model. Only the default (1) value is "
            "supported.",
            param="temperature",
            code="unsupported_value",
        )


def _create(call: Call) -> Answer:
    body = call.body()
    name = body.text("model")
    assert name is not None
    project, model = usable_model(call, name)
    messages = _messages(body)
    longest = _longest(body, model)
    check_temperature(body.number("temperature", minimum=0, maximum=2), model)
    settings = echo.told(body, echo.CHAT)
    choices = body.integer("n", minimum=1, maximum=1, required=False, nullable=True)
    assert choices in (None, 1)
    stream = body.boolean("stream", nullable=True)
    options: Any = body.anything("stream_options")
    if options is not None and not stream:
        raise errors.invalid_value("stream_options", "it is only allowed when 'stream' is enabled.")
    for field in _NO_EFFECT:
        body.anything(field)
    effort = body.choice("reasoning_effort", echo.EFFORTS, required=False, nullable=True)
    priced = Asked(effort, echo.tier(body))
    body.done()
    done = complete(call, project, model, messages, longest, priced)
    base = {"id": keys.make_id("chatcmpl-", 29), "created": call.at, "model": model.id, "service_tier": done.tier}
    if stream:
        with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        return Answer(headers=done.headers, events=_events(base, done, with_usage))
    message = {"role": "assistant", "content": done.text, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(done)}
    return Answer(
        base | settings | {"object": "chat.completion", "choices": [choice], "usage": _usage(done)},
        headers=done.headers,
    )


def _reason(done: Completion) -> str:
    return "length" if done.cut else "stop"


def _usage(done: Completion) -> dict[str, Any]:
    return {
        "prompt_tokens": done.input_tokens,
        "completion_tokens": done.output_tokens,
        "total_tokens": done.input_tokens + done.output_tokens,
        "prompt_tokens_details": {"cached_tokens": done.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": done.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _events(base: dict[str, Any], done: Completion, with_usage: bool) -> Iterator[bytes]:
    base = base | {"object": "chat.completion.chunk"}
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": "", "refusal": None}, None)]
    deltas += [({"content": piece}, None) for piece in done.pieces]
    deltas.append(({}, _reason(done)))
    for delta, reason in deltas:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        yield _event(base | {"choices": [choice]} | ({"usage": None} if with_usage else {}))
    if with_usage:
        yield _event(base | {"choices": [], "usage": _usage(done)})
    yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


ROUTES = [model_route("POST", "/chat/completions", _create, "model.request")]
