"""Which requests are refused before anything of them is read. Pure.

Any program of this machine reaches the port, and so does any page that the browser shows: by the name of another host
that it made resolve to this machine (DNS rebinding), or by a request across sites. Browsers alone send these headers
truly, and pages cannot change them; what a program sends, the token decides.
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 1024
"""Bytes of a body: a token, or an answer of one word."""
ASKS: Final = frozenset({"/open", "/key", "/copied", "/clear", "/cleared", "/saved", "/later", "/left"})


@dataclass(frozen=True)
class Refusal:
    status: int
    error: str


def refusal(method: str, path: str, headers: Mapping[str, str], host: str) -> Refusal | None:
    """`headers` by names in small letters. `host` is ours, with its port. None: the request may be answered."""
    if headers.get("host", "") != host:
        return Refusal(421, "other_host")
    site = headers.get("sec-fetch-site")
    if site not in (None, "none", "same-origin"):
        return Refusal(403, "other_site")
    if path != "/" and path not in ASKS:
        return Refusal(404, "no_such_page")
    if method != ("GET" if path == "/" else "POST"):
        return Refusal(405, "other_method")
    return _of_page(headers) if path == "/" else _of_ask(headers, host)


def _of_page(headers: Mapping[str, str]) -> Refusal | None:
    if headers.get("sec-fetch-dest") not in (None, "document"):
        return Refusal(403, "not_a_page")
    return None


def _of_ask(headers: Mapping[str, str], host: str) -> Refusal | None:
    if headers.get("origin") != f"http://{host}" or headers.get("sec-fetch-site") == "none":
        return Refusal(403, "other_site")
    if headers.get("content-type") != "application/json":
        return Refusal(415, "not_json")
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit() or "transfer-encoding" in headers:
        return Refusal(411, "no_length")
    if int(length[:9]) > LONGEST or len(length) > 9:
        return Refusal(413, "too_large")
    return None
