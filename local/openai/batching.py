"""Validates the input of batches, and works their requests off when their time has come.

Owns a batch's life: validating, in_progress, completed; failed for a bad input, expired after a day, cancelled. Leaves
out its endpoints (`routes/batches.py`) and each request's own endpoint, whose handler answers it at half the price.
The codes of a bad input are those that OpenAI's guide names: https://developers.openai.com/api/docs/guides/batch
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from starlette.datastructures import QueryParams

from local.openai import errors, keys
from local.openai.call import Answer, Call, Handler
from local.openai.state import Batch, Organization

HANDLERS: Final[dict[str, Handler]] = {}
"""What answers a request, by the endpoint of a batch. Their routes fill it."""
MOST_REQUESTS: Final = 50_000
WINDOW_SECONDS: Final = 86_400
_FIELDS: Final = ("custom_id", "method", "url", "body")


def work_off(call: Call) -> None:
    """Before each call: batches whose time has come are done, at that time. Nobody needs to look at them."""
    for organization in call.emulator.organizations:
        for batch in organization.batches.values():
            if batch.pending:
                due = batch.told["created_at"] + organization.settings.batch_seconds
                _go_on(_for(call, organization, api_key=batch.key, batch=True), batch, due)


def _go_on(call: Call, batch: Batch, due: int) -> None:
    told = batch.told
    if told["status"] == "cancelling":
        told |= {"status": "cancelled", "cancelled_at": call.at}
        return
    source = call.organization.files.get(told["input_file_id"])
    requests, wrong = read_input(source.content if source else b"", told["endpoint"])
    if told["status"] == "validating":
        if wrong:
            told |= {"status": "failed", "failed_at": call.at, "errors": {"object": "list", "data": wrong}}
            return
        model = requests[0]["body"]["model"]
        counts = {"total": len(requests), "completed": 0, "failed": 0}
        told |= {"status": "in_progress", "in_progress_at": call.at, "model": model, "request_counts": counts}
    over = min(due, told["expires_at"])
    if call.now >= over:
        _finish(_for(call, call.organization, now=float(over)), batch, requests, expired=due > told["expires_at"])


def _for(call: Call, organization: Organization, **changes: Any) -> Call:
    """A copy, which finds no organization by a key: a batch has none in its hands."""
    mine = replace(call, **changes)
    mine.organization = organization
    return mine


def _finish(call: Call, batch: Batch, requests: list[dict[str, Any]], *, expired: bool) -> None:
    told = batch.told
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for request in requests:
        line = {"id": keys.make_id("batch_req_"), "custom_id": request["custom_id"], "response": None, "error": None}
        if expired:
            message = "This request could not be executed before the completion window expired."
            failed.append(line | {"error": {"code": "batch_expired", "message": message}})
            continue
        status, body = _answered(call, request)
        answer = {"status_code": status, "request_id": keys.request_id(), "body": body}
        (done if status == 200 else failed).append(line | {"response": answer})
    for lines, ending, place in ((done, "output", "output_file_id"), (failed, "error", "error_file_id")):
        if lines:
            content = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
            name, kept = f"{told['id']}_{ending}.jsonl", batch.output_seconds
            told[place] = call.organization.add_file(
                batch.project_id, name, content, call.at, purpose="batch_output", seconds=kept
            ).id
    end = {"status": "expired", "expired_at": call.at} if expired else {"status": "completed", "completed_at": call.at}
    counts = {"total": len(requests), "completed": len(done), "failed": len(failed)}
    told |= {"finalizing_at": call.at, "request_counts": counts, "usage": _usage(done)} | end


def _answered(call: Call, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status and body of one request, as its endpoint gives them."""
    one = _for(
        call,
        call.organization,
        method="POST",
        path=request["url"],
        parameters={},
        params=QueryParams(),
        raw=json.dumps(request["body"]).encode(),
    )
    try:
        if request["body"].get("stream"):
            raise errors.invalid_value("stream", "it is not supported in a batch.")
        answer = HANDLERS[request["url"]](one)
    except errors.ApiError as refusal:
        return refusal.status, refusal.body
    return (answer.status, answer.content) if isinstance(answer, Answer) else (200, answer)


def _usage(done: list[dict[str, Any]]) -> dict[str, Any]:
    used = [line["response"]["body"]["usage"] for line in done]
    sent = sum(one.get("input_tokens", one.get("prompt_tokens", 0)) for one in used)
    answered = sum(one.get("output_tokens", one.get("completion_tokens", 0)) for one in used)
    cached = sum(_detail(one, "input_tokens_details", "prompt_tokens_details", "cached_tokens") for one in used)
    thought = sum(
        _detail(one, "output_tokens_details", "completion_tokens_details", "reasoning_tokens") for one in used
    )
    return {
        "input_tokens": sent,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": sent + answered,
    }


def _detail(used: Mapping[str, Any], responses: str, chat: str, name: str) -> int:
    return (used.get(responses) or used.get(chat) or {}).get(name, 0)


def read_input(content: bytes, endpoint: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The requests, and what is wrong, as a batch's errors."""
    lines = [line for line in content.decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        return [], [_error("empty_file", "The file is empty. Please ensure that your batch contains a request.")]
    if len(lines) > MOST_REQUESTS:
        return [], [_error("too_many_tasks", f"The batch has {len(lines)} requests, and {MOST_REQUESTS} are allowed.")]
    requests: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        try:
            request: Any = json.loads(line)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            wrong.append(_error("invalid_json_line", "This line is not parseable as valid JSON.", line=number))
            continue
        first = requests[0]["body"]["model"] if requests else None
        problem = next(_problems(request, endpoint, seen, first), None)
        if problem is None:
            seen.add(request["custom_id"])
            requests.append(request)
        else:
            wrong.append(problem | {"line": number})
    return requests, wrong


def _problems(request: dict[str, Any], endpoint: str, seen: set[str], model: str | None) -> Iterator[dict[str, Any]]:
    for name in _FIELDS:
        if name not in request:
            yield _error("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
    for name in request:
        if name not in _FIELDS:
            yield _error("unknown_parameter", f"Unknown parameter: '{name}'.", name)
    custom, body = request.get("custom_id"), request.get("body")
    if not isinstance(custom, str) or not custom:
        yield _error("invalid_type", "'custom_id' must be a string that is not empty.", "custom_id")
    if custom in seen:
        yield _error(
            "duplicate_custom_id",
            f"The custom_id '{custom}' for this request is a duplicate of another request. The custom_id parameter "
            "must be unique for each request in a batch.",
            "custom_id",
        )
    if request.get("method") != "POST":
        yield _error("invalid_method", "The method must be POST.", "method")
    if request.get("url") != endpoint:
        yield _error(
            "url_mismatch",
            f"The URL provided for this request does not match the batch endpoint ({endpoint}).",
            "url",
        )
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        yield _error("missing_required_parameter", "Missing required parameter: 'body.model'.", "body.model")
    elif model is not None and body["model"] != model:
        yield _error(
            "model_mismatch",
            f"The provided model '{body['model']}' does not match the other requests of the batch ('{model}').",
            "body.model",
        )


def _error(code: str, message: str, param: str | None = None, line: int | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": param, "line": line}
