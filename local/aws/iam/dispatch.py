"""Reads each request, refuses it if it is ambiguous, serves and records it.

Also MiniStack's control endpoints, which AWS does not have.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core.router import detect_service

from local.aws.iam import denials, missing_objects, request
from local.aws.iam.patching import replace
from local.aws.trail import history

_APP = "ministack.app"
_PARAMETERS = "method, path, headers, body, query_params, request_id"


AFTER: list[Callable[[request.ServiceRequest], None]] = []
"""Called with each request that was served, before its answer is sent."""


def install() -> None:
    replace(_APP, "_dispatch_service_request", _PARAMETERS, _around)


def _around(original: Callable[..., Any]) -> Callable[..., Any]:
    async def _dispatch_service_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any], request_id: str
    ) -> Any:
        routing = app._routing_params(method, path, headers, body, query_params)
        service = detect_service(method, path, headers, routing)
        plain = body if service == "s3" else app._decompress_request_body(body, headers)
        try:
            current = request.read(service, method, path, headers, plain, query_params, request_id)
        except request.AmbiguousRequest as problem:
            return (
                400,
                {"Content-Type": "application/json"},
                json.dumps(
                    {"__type": "ValidationException", "message": f"The request is ambiguous: {problem}."}
                ).encode(),
            )
        token = request.CURRENT.set(current)
        denial = denials.LAST.set(None)
        try:
            answer = missing_objects.as_told(
                current, await original(method, path, headers, body, query_params, request_id)
            )
            history.record(current, answer)
            for act in AFTER:
                act(current)
            return answer
        finally:
            denials.LAST.reset(denial)
            request.CURRENT.reset(token)

    return _dispatch_service_request
