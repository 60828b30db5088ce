"""The current request, as every rule here reads it.

A request that can be read in two ways is refused: MiniStack authorizes the operation in the query string and performs
the one in the body.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class ServiceRequest:
    """`parameters` are a JSON body's, or a query-protocol call's, by AWS's names; nested where JSON is."""

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    request_id: str
    parameters: dict[str, Any]
    operation: str | None
    """What the handler will perform, where the request names it: in ``X-Amz-Target`` or ``Action``. REST names none."""


CURRENT: ContextVar[ServiceRequest | None] = ContextVar("myflux_service_request", default=None)


class AmbiguousRequest(ValueError):
    """The request can be read in two ways, or isn't in the protocol of its service."""


_QUERY_ONLY: Final = frozenset({"iam", "sts"})
"""Services that speak the query protocol alone; MiniStack would take JSON from them too."""

_REPEATED_IN_URL: Final = frozenset({"apigateway", "lambda", "s3", "scheduler"})
"""REST services, some of whose lists repeat a name in the URL, e.g. ``tagKeys``."""


def read(
    service: str, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
) -> ServiceRequest:
    """Raises AmbiguousRequest."""
    target = headers.get("x-amz-target", "")
    given = [(name, v) for name, values in query.items() for v in (values if isinstance(values, list) else [values])]
    if "form-urlencoded" in headers.get("content-type", ""):
        given += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    parameters: dict[str, Any] = {}
    for name, value in given:
        if parameters.setdefault(name, value) != value and service not in _REPEATED_IN_URL:
            raise AmbiguousRequest(f"{name} occurs twice with different values")
    if target and "Action" in parameters:
        raise AmbiguousRequest("Action and X-Amz-Target both name the operation")
    if target and service in _QUERY_ONLY:
        raise AmbiguousRequest(f"{service} uses the query protocol, which has no X-Amz-Target")
    named = target.rpartition(".")[2] if target else parameters.get("Action")
    return ServiceRequest(
        service, method, path, headers, body, request_id, {**parameters, **_json(body)}, named or None
    )


def _json(body: bytes) -> dict[str, Any]:
    if not body.startswith(b"{"):
        return {}
    try:
        data: Any = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
