"""What any program of the machine, and any page of the browser, gets from the port: nothing without our own headers."""

from __future__ import annotations

import http.client
import json
import socket
import threading

import pytest

from ops.handover_page import page
from ops.handover_page.asked import ASKS, LONGEST
from ops.handover_page.visit import RETURN_SECONDS
from tests.handover.person import Command

Header = dict[str, str | None]


def _opened(command: Command) -> str:
    """The secret of the page that holds the visit."""
    status, told = command.post("/open", token=command.visit.token)
    assert status == 200
    return told["tab"]


REFUSED: dict[str, tuple[str, str, Header, int]] = {
    "another name for this machine": ("GET", "/", {"Host": "localhost"}, 421),
    "a host that resolves to this machine (DNS rebinding)": ("GET", "/", {"Host": "rebind.example"}, 421),
    "the same, when it asks for the key": ("POST", "/key", {"Host": "rebind.example"}, 421),
    "no host": ("POST", "/key", {"Host": None}, 421),
    "another port's page": ("POST", "/key", {"Origin": "http://127.0.0.1:1"}, 403),
    "another site": ("POST", "/key", {"Origin": "https://evil.example"}, 403),
    "a sandboxed page": ("POST", "/key", {"Origin": "null"}, 403),
    "no origin": ("POST", "/key", {"Origin": None}, 403),
    "a request across sites": ("POST", "/key", {"Sec_Fetch_Site": "cross-site"}, 403),
    "a request from another port": ("POST", "/key", {"Sec_Fetch_Site": "same-site"}, 403),
    "a link on another site": ("GET", "/", {"Sec_Fetch_Site": "cross-site"}, 403),
    "a frame": ("GET", "/", {"Sec_Fetch_Dest": "iframe"}, 403),
    "a script": ("GET", "/", {"Sec_Fetch_Dest": "script"}, 403),
    "a form": ("POST", "/key", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
    "plain text, which needs no preflight": ("POST", "/key", {"Content_Type": "text/plain"}, 415),
    "no length": ("POST", "/key", {"Content_Length": None}, 411),
    "a length that is none": ("POST", "/key", {"Content_Length": "-1"}, 411),
    "chunks": ("POST", "/key", {"Transfer_Encoding": "chunked"}, 411),
    "7 MB": ("POST", "/key", {"Content_Length": "7000000"}, 413),
    "an endless length": ("POST", "/key", {"Content_Length": "9" * 400}, 413),
    "a preflight": ("OPTIONS", "/key", {"Access_Control_Request_Method": "POST"}, 405),
    "the key by GET": ("GET", "/key", {}, 405),
    "HEAD": ("HEAD", "/", {}, 405),
    "PUT": ("PUT", "/key", {}, 405),
    "TRACE": ("TRACE", "/", {}, 405),
    "a path that is none": ("GET", "/../etc/passwd", {}, 404),
    "a query": ("GET", "/?x=1", {}, 404),
    "the browser's own wish for an icon": ("GET", "/favicon.ico", {}, 404),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_is_not_our_pages_is_refused_and_gets_no_key(command: Command, case: str) -> None:
    tab = _opened(command)
    method, path, headers, expected = REFUSED[case]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = b"{}" if method == "POST" and "Content-Length" not in named else b""

    status, answered, content = command.ask(
        method, path, body, X_Tab=tab, **{name.replace("-", "_"): value for name, value in named.items()}
    )

    assert status == expected
    assert command.key.encode() not in content
    assert {name: answered[name] for name in page.HEADERS} == dict(page.HEADERS)
    assert command.post("/key", tab)[1]["key"] == command.key, (
        "the right request is answered, so the refusal is its own"
    )


@pytest.mark.parametrize("path", sorted(ASKS - {"/open"}))
@pytest.mark.parametrize("tab", ["", "0" * 64, "\u00fc", "x" * 5000])
def test_nothing_is_answered_without_the_pages_own_secret(command: Command, path: str, tab: str) -> None:
    _opened(command)
    status, told = command.post(path, tab, test="worked")
    assert (status, told["error"]) == (403, "other_tab")
    assert (command.visit.end, command.answers) == (None, [])


@pytest.mark.parametrize("token", ["", "0" * 64, "\u00fc", None, 7, ["x"]])
def test_a_wrong_token_opens_nothing_and_spends_nothing(command: Command, token: object) -> None:
    assert command.post("/open", token=token) == (403, {"error": "no_link", "text": ""})
    assert command.post("/open", token=command.link.partition("#")[2])[0] == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff\xfe", b"{", b"1" * LONGEST, b"[" * LONGEST])
def test_a_body_that_is_no_object_is_refused(command: Command, body: bytes) -> None:
    status, answered, content = command.ask("POST", "/open", body)
    assert (status, json.loads(content)) == (400, {"error": "not_json"})
    assert answered["Cache-Control"] == "no-store"


@pytest.mark.parametrize("test", [None, "failed", "", 1, "Worked"])
def test_a_confirmation_needs_the_answer_about_the_test_call(command: Command, test: object) -> None:
    tab = _opened(command)
    assert command.post("/saved", tab, test=test)[0] == 403
    assert (command.visit.end, command.answers) == (None, [])


def _raw(command: Command, sent: bytes) -> bytes:
    host, port = command.server.host.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["no HTTP", "no version of HTTP", "a long address", "many headers", "no method"],
)
def test_what_is_no_request_gets_the_same_headers_and_is_not_repeated(command: Command, sent: bytes) -> None:
    answered = _raw(command, sent).decode()
    head, _, body = answered.partition("\r\n\r\n")
    for name, value in page.HEADERS.items():
        assert f"{name}: {value}" in head
    assert set(json.loads(body)) == {"error"}


def test_the_oldest_http_has_no_headers_and_so_gets_nothing(command: Command) -> None:
    assert _raw(command, b"GET /\r\n\r\n") == b""


def test_the_headers_are_strict(command: Command) -> None:
    status, headers, body = command.ask("GET", "/")
    assert status == 200
    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers.get_all("Set-Cookie") is None, "every port of this machine would get a cookie"
    for secret in (command.key, command.visit.token, command.last_four, "Acm"):
        assert secret.encode() not in body, "the page is the same for everybody"


def test_the_port_is_of_the_loopback_address_alone(command: Command) -> None:
    host, port = command.server.host.split(":")
    assert host == "127.0.0.1"
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {host}
    for other in others - {one for one in others if str(one).startswith("127.")}:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((str(other), int(port)), timeout=10)


def test_nothing_answers_after_the_end(command: Command) -> None:
    tab = _opened(command)
    command.server.close()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        command.post("/key", tab)


def test_the_command_waits_until_the_page_was_closed_for_good(command: Command) -> None:
    tab = _opened(command)
    waiting = threading.Thread(target=command.server.wait)
    waiting.start()
    command.post("/left", tab)
    assert command.visit.end is None
    command.now += RETURN_SECONDS
    command.server.wake()
    waiting.join()
    assert command.visit.end == "closed"
