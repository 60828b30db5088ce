"""Batches of requests, worked off later at half the price: create, retrieve, list, cancel.

Owns `/v1/batches`. Leaves out how a batch is worked off (`batching.py`).
https://developers.openai.com/api/reference/resources/batches/methods/create
"""

from __future__ import annotations

from typing import Any, Final

from local.openai import echo, errors, keys
from local.openai.batching import HANDLERS, WINDOW_SECONDS
from local.openai.call import Call, model_route
from local.openai.paging import page
from local.openai.routes import chat, embeddings, responses
from local.openai.routes.files import expiry, find
from local.openai.state import Batch

_TIMES: Final = (
    *("cancelled_at", "cancelling_at", "completed_at", "expired_at", "failed_at", "finalizing_at", "in_progress_at"),
)
_WORKED: Final = {"/v1/responses": responses, "/v1/chat/completions": chat, "/v1/embeddings": embeddings}
"""OpenAI also takes completions, moderations, images and videos, which this emulator does not have."""
HANDLERS.update({endpoint: module.ROUTES[0].handler for endpoint, module in _WORKED.items()})


def _create(call: Call) -> dict[str, Any]:
    assert call.api_key is not None
    body = call.body()
    endpoint = body.choice("endpoint", _WORKED)
    body.choice("completion_window", ("24h",))
    identifier = body.text("input_file_id")
    assert identifier is not None
    metadata = echo.metadata(body, "metadata")
    seconds = expiry(body.nested("output_expires_after")) if body.given("output_expires_after") else None
    body.done()
    source = find(call, identifier)
    if source.purpose != "batch":
        raise errors.invalid_value(
            "input_file_id", f"the purpose of file '{identifier}' is '{source.purpose}', and must be 'batch'."
        )
    told: dict[str, Any] = {
        "id": keys.make_id("batch_", 32),
        "object": "batch",
        "endpoint": endpoint,
        "errors": None,
        "input_file_id": identifier,
        "completion_window": "24h",
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": call.at,
        "expires_at": call.at + WINDOW_SECONDS,
        **dict.fromkeys(_TIMES),
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": metadata,
        "model": None,
        "usage": None,
    }
    call.organization.batches[told["id"]] = Batch(call.api_key.project_id, call.api_key, told, seconds)
    return dict(told)


def _find(call: Call) -> Batch:
    assert call.api_key is not None
    identifier = call.parameters["batch_id"]
    found = call.organization.batches.get(identifier)
    if found is None or found.project_id != call.api_key.project_id:
        raise errors.ApiError(404, f"No batch found with id '{identifier}'.")
    return found


def _retrieve(call: Call) -> dict[str, Any]:
    return _find(call).told


def _list(call: Call) -> dict[str, Any]:
    assert call.api_key is not None
    project = call.api_key.project_id
    mine = [one.told for one in reversed(call.organization.batches.values()) if one.project_id == project]
    return page(mine, call.query(), lambda one: one, lambda one: one["id"])


def _cancel(call: Call) -> dict[str, Any]:
    """Requests that are under way may take ten minutes; here none is. The next call finds it cancelled."""
    call.body().done()
    batch = _find(call)
    if batch.told["status"] not in ("validating", "in_progress"):
        raise errors.ApiError(409, f"Cannot cancel a batch with status '{batch.told['status']}'.")
    batch.told |= {"status": "cancelling", "cancelling_at": call.at}
    return dict(batch.told)


ROUTES = [
    model_route("POST", "/batches", _create, "api.batch.write"),
    model_route("GET", "/batches", _list, "api.batch.read"),
    model_route("GET", "/batches/{batch_id}", _retrieve, "api.batch.read"),
    model_route("POST", "/batches/{batch_id}/cancel", _cancel, "api.batch.write"),
]
