"""Refuses MiniStack's own endpoints under ``/_ministack/``, where anybody could reset an account, read queues or change
settings.

Health, readiness and the links in services' answers stay.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from local.aws.iam.patching import replace

_PREFIX: Final = "/_ministack/"
_KEPT: Final = ("health", "ready", "lambda-code/", "lambda-layers/")


def install() -> None:
    replace("ministack.app", "_handle_pre_body_request", "method, path, headers, query_params, request_id", _refusing)


def _refusing(original: Callable[..., Any]) -> Callable[..., Any]:
    async def _handle_pre_body_request(method: str, path: str, headers: Any, query_params: Any, request_id: str) -> Any:
        if path.startswith(_PREFIX) and not path.removeprefix(_PREFIX).startswith(_KEPT):
            body = {"message": f"{path} is no operation of AWS, and the local cell serves only those."}
            return 403, {"Content-Type": "application/json"}, json.dumps(body).encode()
        return await original(method, path, headers, query_params, request_id)

    return _handle_pre_body_request
