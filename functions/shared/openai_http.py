"""One request to OpenAI's API over HTTPS, with limited time and size.

Owns URLs, headers, time-outs, the answer's largest size and the error type. Leaves out retries, pacing and the admin
key (`openai_admin.py`), and what a status means for a key (`rotation/proof.py`). Uses http.client, since the OpenAI SDK
is large and slow to start, and repeats a POST twice by default: a repeated mint creates a second key. One connection a
call: if a stale kept-alive connection fails, it is unknown whether a POST was applied. Redirects are not followed, so
that a key is sent only to the base URL.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from functools import lru_cache
from threading import Timer
from typing import Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

from functions.shared.deadline import Deadline
from myflux_keys.payload import SecretText
from myflux_keys.redaction import redact

MAX_BODY_BYTES: Final = 1_000_000
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 20.0
_MAX_MESSAGE: Final = 500
_ORGANIZATION: Final = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_ADDRESS: Final = re.compile(r"\bip\b.*\b(not authori[sz]ed|not allowed|allow ?list)", re.IGNORECASE | re.DOTALL)


class OpenAIError(Exception):
    """A request that gave no usable answer.

    `status`, `code`, `type` and `message` are OpenAI's, with anything key-shaped redacted; `status` is None without an
    answer. `explained`: the answer held OpenAI's error object, so it is not from a proxy. `maybe_applied`: the request
    may have taken effect, so a POST must not simply be repeated. `retry_after` is in seconds, if the answer had it.
    """

    def __init__(
        self,
        request: str,
        message: str,
        *,
        maybe_applied: bool,
        status: int | None = None,
        code: str | None = None,
        type: str | None = None,
        explained: bool = False,
        retry_after: float | None = None,
    ) -> None:
        self.request = request
        self.message = redact(message)[:_MAX_MESSAGE]
        self.maybe_applied = maybe_applied
        self.status = status
        self.code = redact(code) if code else None
        self.type = redact(type) if type else None
        self.explained = explained
        self.retry_after = retry_after
        label = " ".join(str(part) for part in (status, self.code or self.type) if part)
        super().__init__(f"{request}: {label + ': ' if label else ''}{self.message}")


def refuses_address(message: str) -> bool:
    """Whether a 401 is an IP allowlist's, which says nothing about the key. OpenAI documents no code for it."""
    return _ADDRESS.search(message) is not None


def path(template: str, **ids: str) -> str:
    """`template` with each ``{name}`` replaced by its percent-encoded id: no id can lead to another endpoint."""
    return template.format(**{name: quote(value, safe="") for name, value in ids.items()})


class OpenAIHTTP:
    """Requests below `base_url` (checked by `environment.py`). `calls` counts those that were sent, for the log.

    `server_time` is the Date header of the last answer, in Unix seconds by OpenAI's clock (RFC 9110). None until an
    answer had one. `named_organizations` are those that answers with a status of 2xx named: short names such as
    ``acme-travel-x1y2z3``, which are not the id ``org-…``.

    `rate_limits`: ``requests`` and ``tokens`` a minute, if the last answer named any.

    With `organization` OpenAI refuses a key of any other (401, ``mismatched_organization``).
    """

    def __init__(self, base_url: str, deadline: Deadline, organization: str | None = None) -> None:
        self.base_url = base_url
        self.calls = 0
        self.server_time: float | None = None
        self.rate_limits: Mapping[str, int] = {}
        self.named_organizations: set[str] = set()
        self._organization = organization
        self._deadline = deadline
        self._parts = urlsplit(base_url)

    def send(
        self,
        method: str,
        path: str,
        bearer: SecretText | None,
        *,
        query: Mapping[str, str | list[str]] | None = None,
        body: Mapping[str, Any] | None = None,
        seconds: float = READ_SECONDS,
        largest: int = MAX_BODY_BYTES,
    ) -> dict[str, Any]:
        """One request, never repeated; the answer's JSON object. `seconds` bounds the whole of it. `bearer` None: the
        request proves itself by its body.

        Raises OpenAIError: no connection, time-out, any status but 2xx, an answer that is cut short, not a JSON
        object, or larger than `largest` bytes.
        """
        request = f"{method} {path}"
        key = "" if bearer is None else bearer.reveal()
        if not (key.isascii() and key.isprintable() and " " not in key):
            # http.client would refuse such a header too, with the value in its message.
            raise OpenAIError(request, "the key holds characters that no OpenAI key has", maybe_applied=False)
        end = self._deadline.now() + min(seconds, max(self._deadline.remaining() - 1.0, 0.1))
        target = self._parts.path + path + (f"?{urlencode(query, doseq=True)}" if query else "")
        headers = {"Accept": "application/json", "Connection": "close"}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {key}"
        if self._organization is not None:
            headers["OpenAI-Organization"] = self._organization
        data = json.dumps(body).encode() if body is not None else None
        if data is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connection(min(CONNECT_SECONDS, end - self._deadline.now()))
        try:
            try:
                connection.connect()
            except OSError as error:
                reason = f"no connection to {self._parts.hostname}: {type(error).__name__}: {error}"
                raise OpenAIError(request, reason, maybe_applied=False) from None
            self.calls += 1
            try:
                with _ending(connection.sock, max(end - self._deadline.now(), 0.1)):
                    connection.request(method, target, data, headers)
                    with connection.getresponse() as response:
                        self.server_time = _moment(response.getheader("Date")) or self.server_time
                        self.rate_limits = _limits(response)
                        content = _read(request, response, largest)
            except (OSError, http.client.HTTPException) as error:
                late = "out of time: " if self._deadline.now() >= end else ""
                reason = f"the answer is incomplete: {late}{type(error).__name__}: {error}"
                raise OpenAIError(request, reason, maybe_applied=True) from None
        finally:
            connection.close()
        answer = _understood(request, response, content)
        if name := _name(response.getheader("openai-organization")):
            self.named_organizations.add(name)
        return answer

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=max(seconds, 0.1))
        return http.client.HTTPSConnection(host, port, timeout=max(seconds, 0.1), context=_tls())


@contextmanager
def _ending(connected: socket.socket, seconds: float) -> Generator[None]:
    """Closes the connection after `seconds`. A socket's own time-out starts again with every byte, so a slow server
    could block the function for ever."""

    def cut() -> None:
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    connected.settimeout(seconds)
    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _read(request: str, response: http.client.HTTPResponse, largest: int) -> bytes:
    content = response.read(largest + 1)
    if len(content) > largest:
        reason = f"the answer is larger than {largest} bytes"
        raise OpenAIError(request, reason, maybe_applied=True, status=response.status)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return content


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _understood(request: str, response: http.client.HTTPResponse, content: bytes) -> dict[str, Any]:
    """The JSON object of a 2xx answer. Nothing of an answer that can't be parsed is shown: it may hold a minted key."""
    status = response.status
    parsed = _json_object(content)
    if 200 <= status < 300:
        if parsed is None:
            raise OpenAIError(request, "the answer is not a JSON object", maybe_applied=True, status=status)
        return parsed
    if 300 <= status < 400:
        reason = "the answer is a redirect, which is not followed: OPENAI_BASE_URL must be the API's own URL"
        raise OpenAIError(request, reason, maybe_applied=False, status=status)
    error: Any = (parsed or {}).get("error")
    explained = bool(error)
    # Some endpoints answer with a text where others answer with an object.
    fields = cast("dict[str, Any]", error) if isinstance(error, dict) else {"message": error}
    message = _text(fields.get("message"))
    raise OpenAIError(
        request,
        message or "no error message in the answer",
        # A 4xx is OpenAI's own refusal; a 5xx may come from a proxy after the work was done.
        maybe_applied=status >= 500,
        status=status,
        code=_text(fields.get("code")),
        type=_text(fields.get("type")),
        explained=explained,
        retry_after=_seconds(response.getheader("Retry-After")),
    )


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        parsed: Any = json.loads(content)
    except ValueError:
        return None
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _name(header: str | None) -> str | None:
    # http.client keeps blanks after a value, which RFC 9110 does not count to it.
    name = (header or "").strip(" \t")
    return name if _ORGANIZATION.fullmatch(name) else None


def _seconds(header: str | None) -> float | None:
    """Retry-After as seconds; its other form, a date, is ignored, since the local clock may be wrong."""
    return float(header) if header is not None and header.isascii() and header.isdigit() else None


def _limits(response: http.client.HTTPResponse) -> Mapping[str, int]:
    named = {kind: response.getheader(f"x-ratelimit-limit-{kind}", "") for kind in ("requests", "tokens")}
    return {kind: int(text) for kind, text in named.items() if re.fullmatch("[0-9]{1,15}", text)}


def _moment(header: str | None) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except ValueError:
        return None
