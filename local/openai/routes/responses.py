"""Responses: create (whole or streamed), retrieve, delete.

Owns `/v1/responses`. Leaves out the answer itself (`answering.py`). Parameters that influence the text of a real model
are accepted, told again in the answer, and have no effect; tools are never called; a conversation is not continued.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from local.openai import echo, errors, keys
from local.openai.answering import Asked, Completion, complete, usable_model
from local.openai.call import Answer, Call, model_route
from local.openai.fields import Body
from local.openai.routes.chat import check_temperature

SHORTEST_OUTPUT: Final = 16
"""Tokens: the API's own minimum for `max_output_tokens`."""

_NOT_TOLD: Final = (
    "background_options",
    "context_management",
    "include",
    "moderation",
    "stream_options",
)
"""Taken, without effect, and not in the answer: the moderation is its result."""


def _input(body: Body) -> list[str]:
    raw: Any = body.anything("input")
    if raw is None:
        raise errors.missing_parameter("input")
    if isinstance(raw, str):
        return [raw]
    if not isinstance(raw, list):
        raise errors.invalid_type("input", "one of a string or array of input items", "an object")
    if not raw:
        raise errors.ApiError(
            400,
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="input",
            code="empty_array",
        )
    return [_text(item, f"input[{index}]") for index, item in enumerate(raw)]


def _text(item: Any, path: str) -> str:
    if not isinstance(item, dict):
        raise errors.invalid_type(path, "an input item", "a string" if isinstance(item, str) else "an array")
    content = item.get("content", item.get("output", ""))
    if isinstance(content, str):
        return content
    parts = [part.get("text", "") for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return " ".join(part for part in parts if isinstance(part, str))


def _create(call: Call) -> Answer:
    body = call.body()
    name = body.text("model")
    assert name is not None
    project, model = usable_model(call, name)
    messages = _input(body)
    instructions = body.text("instructions", required=False, nullable=True, longest=1_000_000, shortest=0)
    longest = body.integer(
        "max_output_tokens", minimum=SHORTEST_OUTPUT, maximum=1_000_000, required=False, nullable=True
    )
    settings = echo.told(body, echo.RESPONSE)
    check_temperature(settings["temperature"], model)
    previous = body.text("previous_response_id", required=False, nullable=True)
    if previous is not None and call.organization.responses.get(previous, ("", {}))[0] != project.id:
        raise errors.ApiError(
            400,
            f"Previous response with id '{previous}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    store = body.anything("store")
    stream = body.boolean("stream", nullable=True)
    for field in _NOT_TOLD:
        body.anything(field)
    priced = Asked(echo.effort(settings["reasoning"]), echo.tier(body))
    body.done()
    done = complete(call, project, model, [instructions, *messages] if instructions else messages, longest, priced)
    asked = {"instructions": instructions, "max_output_tokens": longest, "previous_response_id": previous}
    response = _response(call, done, settings | asked, store is not False)
    if store is not False:
        call.organization.store_response(project.id, response)
    if stream:
        return Answer(headers=done.headers, events=_events(response, done))
    return Answer(response, headers=done.headers)


def _response(call: Call, done: Completion, asked: dict[str, Any], store: bool) -> dict[str, Any]:
    status = "incomplete" if done.cut else "completed"
    part = {"type": "output_text", "text": done.text, "annotations": [], "logprobs": []}
    message = {"id": keys.make_id("msg_", 48), "type": "message", "role": "assistant", "status": status}
    return asked | {
        "id": keys.make_id("resp_", 48),
        "object": "response",
        "created_at": call.at,
        "completed_at": None if done.cut else call.at,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if done.cut else None,
        "model": done.model.id,
        "output": [message | {"content": [part]}],
        "service_tier": done.tier,
        "store": store,
        "usage": {
            "input_tokens": done.input_tokens,
            "input_tokens_details": {"cached_tokens": done.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": done.output_tokens,
            "output_tokens_details": {"reasoning_tokens": done.reasoning_tokens},
            "total_tokens": done.input_tokens + done.output_tokens,
        },
    }


def _events(response: dict[str, Any], done: Completion) -> Iterator[bytes]:
    message = response["output"][0]
    part = message["content"][0]
    begun = response | {"status": "in_progress", "output": [], "usage": None, "completed_at": None}
    item = {"output_index": 0, "item_id": message["id"], "content_index": 0}
    opened = message | {"status": "in_progress", "content": []}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": opened}),
        ("response.content_part.added", item | {"part": part | {"text": ""}}),
    ]
    steps += [("response.output_text.delta", item | {"delta": piece, "logprobs": []}) for piece in done.pieces]
    steps += [
        ("response.output_text.done", item | {"text": done.text, "logprobs": []}),
        ("response.content_part.done", item | {"part": part}),
        ("response.output_item.done", {"output_index": 0, "item": message}),
        (f"response.{response['status']}", {"response": response}),
    ]
    for number, (kind, data) in enumerate(steps):
        event = {"type": kind, "sequence_number": number} | data
        yield f"event: {kind}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


def _stored(call: Call) -> tuple[str, dict[str, Any]]:
    assert call.api_key is not None
    identifier = call.parameters["response_id"]
    project_id, response = call.organization.responses.get(identifier, ("", {}))
    if project_id != call.api_key.project_id:
        raise errors.ApiError(404, f"Response with id '{identifier}' not found.")
    return identifier, response


def _retrieve(call: Call) -> dict[str, Any]:
    return _stored(call)[1]


def _delete(call: Call) -> dict[str, Any]:
    identifier, _ = _stored(call)
    del call.organization.responses[identifier]
    return {"id": identifier, "object": "response", "deleted": True}


ROUTES = [
    # Both scopes are needed: reports show that a key with only the second is refused because the first is missing.
    model_route("POST", "/responses", _create, "model.request", "api.responses.write"),
    model_route("GET", "/responses/{response_id}", _retrieve, "api.responses.read"),
    model_route("DELETE", "/responses/{response_id}", _delete, "api.responses.write"),
]
