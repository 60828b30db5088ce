"""Exchanges AWS's token for one of OpenAI, as OpenAI's own client does.

Owns the HTTP request (RFC 8693, with JSON as openai/auth/_workload.py sends it) and its answer's form. One HTTP client
serves all tenants and keeps no cookies; a forked process has its own. Errors are returned, not raised, so that no
traceback has a frame with a token. Loaded for the first federated tenant.
"""

from __future__ import annotations

import json
import re
import time
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, NamedTuple, cast

import httpx2

from myflux_keys.errors import KeyReaderError
from myflux_keys.identity import TenantIdentity, exchange_url
from myflux_keys.identity_errors import Asking, not_exchanged, of_the_exchange
from myflux_keys.networks import Network
from myflux_keys.payload import SecretText
from myflux_keys.quiet import quiet

LIMITS: Final = httpx2.Timeout(4, connect=2)
ATTEMPTS: Final = 2
"""The second only if no answer came: a kept connection may have been closed at the other end."""
LONGEST_ANSWER: Final = 65_536
"""Bytes. A few thousand are needed."""
LONGEST_SECONDS: Final = 8.0
"""For a whole answer: `LIMITS` bounds each of its parts alone."""
_TOKEN: Final = re.compile(r"[!-~]+", re.ASCII)
"""What fits into a header. The error for anything else would have the header, and so the token, in its repr."""


class Granted(NamedTuple):
    access_token: SecretText
    seconds: float
    """For which OpenAI said that it is valid."""


class TokenExchange:
    """Thread-safe."""

    def __init__(self) -> None:
        """Raises ConfigurationError for a proxy or certificates that cannot be used."""
        self._network = Network[httpx2.Client](
            None,
            partial(
                httpx2.Client,
                timeout=LIMITS,
                follow_redirects=False,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                headers={"User-Agent": "myflux-keys"},
            ),
        )

    def __call__(self, identity: TenantIdentity, subject_token: SecretText, asking: Asking) -> Granted | KeyReaderError:
        url = exchange_url(identity.base_url)
        try:
            network = self._network.client()
        except KeyReaderError as error:
            return error.again()
        outcome = not_exchanged("no answer", "", asking, url)
        for _ in range(ATTEMPTS):
            with quiet():
                try:
                    with network.stream("POST", url, json=identity.exchange_request(subject_token)) as response:
                        content = _content(response)
                except Exception as error:  # noqa: BLE001 - returned, without its frames
                    outcome = not_exchanged(str(error) or "no answer", type(error).__name__, asking, url)
                    continue
            if content is None:
                return not_exchanged("the answer is too long, or takes too long", "BadAnswer", asking, url)
            return _read(response.status_code, content, asking, url)
        return outcome

    def close(self) -> None:
        if (network := self._network.made()) is not None:
            network.close()


def _content(response: httpx2.Response) -> bytes | None:
    """None if it exceeds a bound."""
    content, began = bytearray(), time.monotonic()
    for part in response.iter_bytes(4096):
        content += part
        if len(content) > LONGEST_ANSWER or time.monotonic() - began >= LONGEST_SECONDS:
            return None
    return bytes(content)


def _read(status: int, content: bytes, asking: Asking, url: str) -> Granted | KeyReaderError:
    try:
        parsed: Any = json.loads(content)
    except (ValueError, RecursionError):
        parsed = None
    fields = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
    if status != 200:
        code, description = (_text(fields.get(name)) for name in ("error", "error_description"))
        return of_the_exchange(status, code, description, asking)
    token: Any = fields.get("access_token")
    seconds: Any = fields.get("expires_in")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        return not_exchanged("the answer has no access_token that fits into a header", "BadAnswer", asking, url)
    if type(seconds) not in (int, float) or not 0 < seconds < float("inf"):
        return not_exchanged("the answer's expires_in is not a number of seconds", "BadAnswer", asking, url)
    return Granted(SecretText(token), seconds)


def _text(value: object) -> str:
    """OAuth's errors are texts; other APIs of OpenAI answer with an object."""
    return value if isinstance(value, str) else ""
