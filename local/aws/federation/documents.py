"""The discovery document and key set of each account's issuer, over plain HTTP on the cell's port.

A real issuer uses HTTPS; on this machine no certificate authority vouches for its host. Where it answers is in the
cell's `addresses`. https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from local.aws.federation.accounts import PREFIX, Issuer, at_host
from local.aws.federation.issuer_keys import ALGORITHMS
from local.aws.iam.patching import replace

_CONFIGURATION: Final = "/.well-known/openid-configuration"
_KEYS: Final = "/.well-known/jwks.json"


def install(home: Path) -> None:
    del home
    replace("ministack.app", "_handle_pre_body_request", "method, path, headers, query_params, request_id", _serving)


def _serving(original: Callable[..., Any]) -> Callable[..., Any]:
    async def _handle_pre_body_request(method: str, path: str, headers: Any, query_params: Any, request_id: str) -> Any:
        if not path.startswith(PREFIX):
            return await original(method, path, headers, query_params, request_id)
        host, slash, rest = path.removeprefix(PREFIX).partition("/")
        issuer = at_host(host)
        found = _document(issuer, slash + rest) if issuer and method == "GET" else None
        return 200 if found else 404, {"Content-Type": "application/json"}, json.dumps(found or {}).encode()

    return _handle_pre_body_request


def _document(issuer: Issuer, path: str) -> dict[str, Any] | None:
    if path == _KEYS:
        return issuer.keys.published()
    if path == _CONFIGURATION:
        return {
            "issuer": issuer.url,
            "jwks_uri": issuer.url + _KEYS,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
        }
    return None
