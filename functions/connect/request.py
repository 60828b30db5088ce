"""One request of a browser, from a function URL's event (payload 2.0), and whether it may be answered at all.

Pure. Owns the guards that look at a request's form: path, method, site, type, size. Leaves out who asks (`session`). A
refusal is a code, and nothing of the request goes into it.
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

LARGEST_BODY: Final = 16 * 1024
"""Bytes. The longest paste that is read, each of its characters escaped, fits."""
PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "/": ("GET", "HEAD"),
    "/session": ("POST",),
    "/check": ("POST",),
    "/save": ("POST",),
    "/state": ("POST",),
}
_OVERRIDES: Final = ("x-http-method-override", "x-http-method", "x-method-override")
_EMBEDDED: Final = ("embed", "fencedframe", "frame", "iframe", "object")
"""Sec-Fetch-Dest of a page inside another page."""


class Refusal(Exception):
    """`status` and `code` are the answer; `headers` are added to it. `about` names the link in the log, where a valid
    one was refused."""

    def __init__(
        self,
        status: int,
        code: str,
        headers: Mapping[str, str] | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code = status, code
        self.headers, self.about = headers or {}, about or {}


@dataclass(frozen=True)
class Request:
    """`headers` by lower-case name. `fields` is the JSON body of a POST."""

    method: str
    path: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Of the body; empty if there is no such text."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


def read(event: Mapping[str, Any]) -> Request:
    """Raises Refusal, in the order of a request's parts; its body is looked at last."""
    try:
        about = event["requestContext"]["http"]
        method, path = str(about["method"]), str(event["rawPath"])
        headers = {str(name).lower(): str(value) for name, value in event["headers"].items()}
        domain, prefix = str(event["requestContext"]["domainName"]), str(event["requestContext"]["domainPrefix"])
    except (KeyError, TypeError, AttributeError):
        raise Refusal(400, "not_a_request") from None
    if any(name in headers for name in _OVERRIDES):
        raise Refusal(400, "method_override")
    if path not in PATHS:
        raise Refusal(404, "no_such_page")
    if method not in PATHS[path]:
        raise Refusal(405, "method", {"Allow": ", ".join(PATHS[path])})
    if headers.get("sec-fetch-dest") in _EMBEDDED:
        raise Refusal(403, "framed")
    fields: Mapping[str, Any] = {}
    if method == "POST":
        _same_site(headers, domain, prefix)
        fields = _fields(headers, event)
    return Request(method, path, headers, _cookies(event, headers), fields)


def _same_site(headers: Mapping[str, str], domain: str, prefix: str) -> None:
    """Every browser sends Origin with a POST, and none lets a page forge it."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Refusal(403, "other_site")
    origin = headers.get("origin", "")
    if origin == f"https://{domain}":
        return
    # The local cell, by plain HTTP. Browsers resolve *.localhost to this machine alone.
    parts = urlsplit(origin) if origin.startswith("http://") else None
    host = (parts.hostname or "") if parts else ""
    if not (host.endswith(".localhost") and prefix and host.startswith(f"{prefix}.")):
        raise Refusal(403, "other_site")


def _fields(headers: Mapping[str, str], event: Mapping[str, Any]) -> Mapping[str, Any]:
    kind, _, parameter = headers.get("content-type", "").lower().partition(";")
    if kind.strip() != "application/json" or parameter.strip() not in ("", "charset=utf-8"):
        raise Refusal(415, "not_json")
    if headers.get("content-encoding", "identity") != "identity":
        raise Refusal(415, "encoded")
    text = event.get("body") or ""
    if not isinstance(text, str) or len(text) > 2 * LARGEST_BODY:
        raise Refusal(413, "too_large")
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        if len(body) > LARGEST_BODY:
            raise Refusal(413, "too_large")
        fields: Any = json.loads(body)
    except (ValueError, RecursionError, binascii.Error):
        fields = None
    if not isinstance(fields, dict):
        raise Refusal(400, "not_json")
    return cast("dict[str, Any]", fields)


def _cookies(event: Mapping[str, Any], headers: Mapping[str, str]) -> Mapping[str, str]:
    """AWS takes them out of the headers."""
    listed: Any = event.get("cookies")
    pairs = [str(one) for one in cast("list[Any]", listed)] if isinstance(listed, list) else []
    pairs = pairs or headers.get("cookie", "").split(";")
    return {name.strip(): value.strip() for name, _, value in (pair.partition("=") for pair in pairs)}
