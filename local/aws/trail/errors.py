"""The error of a response, as CloudTrail records it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "AuthorizationError", "UnauthorizedOperation"})


def error_of(body: bytes, headers: Mapping[str, Any]) -> tuple[str, str]:
    """(errorCode, errorMessage). A denial's code is ``AccessDenied`` for every service."""
    text = body.decode("utf-8", "replace")
    code, message = _json(text) if text.lstrip().startswith("{") else _xml(text)
    code = code or str(headers.get("x-amzn-errortype", "")).partition(":")[0] or "InternalFailure"
    return ("AccessDenied" if code in _DENIED else code), message


def _json(text: str) -> tuple[str, str]:
    try:
        data: Any = json.loads(text)
    except ValueError:
        return "", ""
    code = str(data.get("__type") or data.get("code") or data.get("Code") or "").rpartition("#")[2]
    return code, str(data.get("Message") or data.get("message") or "")


def _xml(text: str) -> tuple[str, str]:
    code, message = (re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("Code", "Message"))
    return (unescape(code[1]) if code else ""), (unescape(message[1]) if message else "")
