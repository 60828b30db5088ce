"""The HTTPS client: what it sends, what it refuses to believe, and what its errors say."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from functions.shared.deadline import Deadline
from functions.shared.environment import SettingError, checked_base_url, read_environment
from functions.shared.openai_http import MAX_BODY_BYTES, OpenAIError, OpenAIHTTP, path
from myflux_keys.payload import SecretText
from tests.functions.wire import http, wire

KEY = "sk-" + "svcacct-" + "K3y" * 12


def _fails(url: str, method: str = "POST", seconds: float = 2.0, key: str = KEY) -> OpenAIError:
    with pytest.raises(OpenAIError) as caught:
        OpenAIHTTP(url, Deadline(60)).send(method, "/things", SecretText(key), body={"a": 1}, seconds=seconds)
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value.__dict__)
    return caught.value


def test_a_good_answer_is_its_json_object() -> None:
    with wire(http("200 OK", b'{"id": "key_1"}')) as server:
        answer = OpenAIHTTP(server.url, Deadline(60)).send("GET", "/things", SecretText(KEY), query={"limit": "100"})
    assert answer == {"id": "key_1"}
    head = server.requests[0].decode()
    assert head.startswith("GET /v1/things?limit=100 HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}\r\n" in head


def test_openais_refusal_keeps_status_code_type_and_message() -> None:
    body = b'{"error": {"message": "No %s here", "type": "invalid_request_error", "code": "nope"}}' % KEY.encode()
    with wire(http("403 Forbidden", body)) as server:
        error = _fails(server.url)
    assert (error.status, error.code, error.type) == (403, "nope", "invalid_request_error")
    assert error.message == "No [redacted] here", "a key in a message is redacted"
    assert error.explained
    assert not error.maybe_applied, "a 4xx is OpenAI's own no"


def test_an_error_that_is_only_a_text_is_understood() -> None:
    with wire(http("403 Forbidden", b'{"error": "Missing scopes: api.model.read."}')) as server:
        error = _fails(server.url)
    assert error.explained
    assert error.message == "Missing scopes: api.model.read."


def test_a_proxys_page_is_not_taken_for_openai() -> None:
    with wire(http("403 Forbidden", b"<html>no</html>")) as server:
        assert not _fails(server.url).explained


def test_no_redirect_is_followed() -> None:
    with wire(http("200 OK", b"{}")) as other, wire(http("307 X", b"", f"Location: {other.url}/things")) as server:
        error = _fails(server.url)
        assert "redirect" in error.message
        assert not other.requests, "the key went nowhere else"


def test_an_oversized_answer_is_refused() -> None:
    with wire(http("200 OK", b'"' + b"x" * MAX_BODY_BYTES + b'"')) as server:
        error = _fails(server.url)
    assert "larger than" in error.message
    assert error.maybe_applied


def _cut() -> Iterator[tuple[str, bytes]]:
    yield "body shorter than announced", http("200 OK", b'{"id": "key', length=400)
    yield "no body at all", http("200 OK", b"", length=10)
    yield "half a JSON object", http("200 OK", b'{"value": "' + KEY.encode())
    yield "not an object", http("200 OK", b"[1]")
    yield "chunks that stop", b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"id"'
    yield "headers that stop", b"HTTP/1.1 200 O"
    yield "nothing", b""


@pytest.mark.parametrize(("name", "answer"), list(_cut()))
def test_an_answer_that_is_cut_short_may_have_been_applied(name: str, answer: bytes) -> None:
    with wire(answer) as server:
        assert _fails(server.url).maybe_applied, name


def test_a_reset_may_have_been_applied() -> None:
    with wire(b"", reset=True) as server:
        assert _fails(server.url).maybe_applied


@pytest.mark.parametrize("how", ["silence", "a byte now and then"])
def test_a_slow_answer_ends_at_its_time_limit(how: str) -> None:
    began = time.monotonic()
    silent, drip = (60.0, 0.0) if how == "silence" else (0.0, 0.05)
    with wire(http("200 OK", b'{"id": "key_1"}' + b" " * 1200), silent=silent, drip=drip) as server:
        assert _fails(server.url, seconds=0.5).maybe_applied
    assert time.monotonic() - began < 30, "each byte that trickles in must not start the limit anew: that takes 60 s"


def test_a_server_error_may_have_been_applied_and_a_refused_connection_was_not() -> None:
    with wire(http("500 X", b'{"error": {"message": "oops"}}')) as server:
        assert _fails(server.url).maybe_applied
        gone = server.url
    assert not _fails(gone).maybe_applied, "nobody was there to apply it"


def test_a_credential_that_would_break_the_header_is_refused_without_being_shown() -> None:
    for bad in (KEY + "\r\nX: y", KEY + " x", "ключ"):
        assert "characters" in _fails("http://127.0.0.1:9/v1", key=bad).message


def test_ids_cannot_lead_to_another_endpoint() -> None:
    assert path("/projects/{p}/api_keys", p="../../x?y=z") == "/projects/..%2F..%2Fx%3Fy%3Dz/api_keys"


@pytest.mark.parametrize(
    "url", ["https://api.openai.com/v1", "https://api.openai.com/v1/", "http://127.0.0.1:9/v1", "http://[::1]:9/v1"]
)
def test_https_and_loopback_are_addresses_of_the_api(url: str) -> None:
    assert checked_base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1",
        "http://127.0.0.1.example.com/v1",
        "ftp://127.0.0.1/v1",
        "https://user:pass@api.openai.com/v1",
        "https://api.openai.com/v1?x=1",
        "api.openai.com/v1",
    ],
)
def test_addresses_that_would_carry_keys_in_the_open_are_refused(url: str) -> None:
    with pytest.raises(SettingError, match="OPENAI_BASE_URL"):
        checked_base_url(url)


@pytest.mark.parametrize("name", ["MYFLUX_CELL", "MYFLUX_ADMIN_SECRET", "OPENAI_BASE_URL", "MYFLUX_ORGANIZATION_ID"])
def test_a_missing_variable_is_named(name: str) -> None:
    whole = {
        "MYFLUX_CELL": "local",
        "MYFLUX_ADMIN_SECRET": "myflux-admin/local/openai",
        "OPENAI_BASE_URL": "https://api.openai.com/v1",
        "MYFLUX_ORGANIZATION_ID": "org-1",
    }
    assert read_environment(whole).cell == "local"
    with pytest.raises(SettingError, match=name):
        read_environment(whole | {name: ""})
