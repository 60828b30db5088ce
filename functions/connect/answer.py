"""Answers to a browser: the same strict headers on every status.

Owns the headers. https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from functions.connect import render


def policy(script_hash: str, style_hash: str) -> str:
    """Scripts and styles by their hashes: nothing that is injected runs."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{script_hash}'",
            f"style-src '{style_hash}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


POLICY: Final = policy(render.SCRIPT_HASH, render.STYLE_HASH)

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), clipboard-read=(), display-capture=(), geolocation=(), microphone=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


def of_page(accepts: str, *, body: bool) -> dict[str, Any]:
    """The page, compressed for a browser that accepts it; without `body`, its headers alone."""
    headers = {"Content-Type": "text/html; charset=utf-8", "Vary": "Accept-Encoding"}
    if "gzip" in accepts.lower():
        content = base64.b64encode(render.COMPRESSED).decode() if body else ""
        return _answer(200, content, headers | {"Content-Encoding": "gzip"}) | {"isBase64Encoded": body}
    return _answer(200, render.HTML if body else "", headers)


def of_json(
    status: int, content: Mapping[str, Any], *, cookies: tuple[str, ...] = (), headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    made = _answer(status, text, {"Content-Type": "application/json; charset=utf-8"} | dict(headers or {}))
    return made | {"cookies": list(cookies)} if cookies else made


def _answer(status: int, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {**HEADERS, **headers}, "body": body, "isBase64Encoded": False}
