"""What the function refuses, and that every answer has the same strict headers, whatever its status.

The page's own requests are in test_saving. Here: scanners, forged and ended links, other sites, frames, wrong methods
and sizes, and an AWS that is away.
"""

from __future__ import annotations

import base64
import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from functions.connect import handler as function
from functions.connect import render
from functions.connect.answer import HEADERS, POLICY
from functions.connect.request import LARGEST_BODY
from functions.shared.link import message, token
from tests.connect_page.serving import Context, Served, event
from tests.connect_page.world import Browser, Given, Intake
from tests.customer_key.theirs import TheirOpenAI

KEY = "sk-" + "svcacct-" + "Canary9" * 9


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def _good(served: Served, given: Given) -> dict[str, str]:
    """The headers of a good POST."""
    return {
        "Origin": served.url,
        "Content_Type": "application/json",
        "Sec_Fetch_Site": "same-origin",
        "Cookie": f"__Host-link={given.token}",
    }


def _body(given: Given, key: str = KEY) -> bytes:
    return json.dumps({"link": given.link.id, "key": key}).encode()


REFUSED: dict[str, tuple[str, str, dict[str, str], int, str]] = {
    "another site": ("POST", "/save", {"Origin": "https://evil.example"}, 403, "other_site"),
    "another site's form in the browser's words": (
        "POST",
        "/save",
        {"Sec_Fetch_Site": "cross-site"},
        403,
        "other_site",
    ),
    "a neighbour's function": ("POST", "/save", {"Sec_Fetch_Site": "same-site"}, 403, "other_site"),
    "no Origin": ("POST", "/save", {"Origin": ""}, 403, "other_site"),
    "a null Origin, of a sandboxed frame": ("POST", "/save", {"Origin": "null"}, 403, "other_site"),
    "our host without TLS": (
        "POST",
        "/save",
        {"Origin": f"http://{'u' * 32}.lambda-url.us-east-1.on.aws"},
        403,
        "other_site",
    ),
    "our host as a part of theirs": (
        "POST",
        "/save",
        {"Origin": f"https://{'u' * 32}.lambda-url.us-east-1.on.aws.evil.example"},
        403,
        "other_site",
    ),
    "a local page of another name": ("POST", "/save", {"Origin": "http://other.localhost:1"}, 403, "other_site"),
    "inside a frame": ("GET", "/", {"Sec_Fetch_Dest": "iframe"}, 403, "framed"),
    "a form's type": ("POST", "/save", {"Content_Type": "application/x-www-form-urlencoded"}, 415, "not_json"),
    "text, which needs no preflight": ("POST", "/save", {"Content_Type": "text/plain"}, 415, "not_json"),
    "no type": ("POST", "/save", {"Content_Type": ""}, 415, "not_json"),
    "a compressed body": ("POST", "/save", {"Content_Encoding": "gzip"}, 415, "encoded"),
    "a method in a header": ("POST", "/save", {"X_HTTP_Method_Override": "GET"}, 400, "method_override"),
    "a method in a header of a GET": ("GET", "/", {"X_Method_Override": "POST"}, 400, "method_override"),
    "GET of a POST's path": ("GET", "/save", {}, 405, "method"),
    "POST of the page": ("POST", "/", {}, 405, "method"),
    "PUT": ("PUT", "/save", {}, 405, "method"),
    "DELETE": ("DELETE", "/session", {}, 405, "method"),
    "OPTIONS, a preflight": ("OPTIONS", "/save", {}, 405, "method"),
    "an unknown path": ("GET", "/favicon.ico", {}, 404, "no_such_page"),
    "a path that climbs": ("GET", "/../etc/passwd", {}, 404, "no_such_page"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_of_the_wrong_form_is_refused_and_nothing_of_it_is_logged(
    case: str, served: Served, given: Given, intake: Intake, logged: pytest.LogCaptureFixture
) -> None:
    method, path, headers, status, code = REFUSED[case]
    before = intake.state()

    answered, sent, content = served.ask(method, path, _body(given), **(_good(served, given) | headers))

    assert (answered, json.loads(content)) == (status, {"error": code})
    assert {name: sent[name] for name in HEADERS} == HEADERS
    assert intake.state() == before
    assert KEY not in logged.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{", 400),
        (b'"text"', 400),
        (b"[" * 5000, 400),
        (b"\xff\xfe", 400),
        (b'{"key": "' + b"x" * LARGEST_BODY + b'"}', 413),
        (b"x" * 200_000, 413),
    ],
    ids=["nothing", "a list", "cut", "a text", "deep", "not UTF-8", "too large", "far too large"],
)
def test_a_body_that_is_not_ours_is_refused_with_the_same_headers(
    body: bytes, status: int, served: Served, given: Given
) -> None:
    answered, sent, _ = served.ask("POST", "/check", body, **_good(served, given))

    assert answered == status
    assert {name: sent[name] for name in HEADERS} == HEADERS


def test_every_status_has_the_same_headers(browser: Browser, intake: Intake, given: Given, served: Served) -> None:
    """200 of the page and of JSON, 403, 409, 410, 429 and 503; the test above has 400, 404, 405, 413 and 415."""
    answers: dict[int, Any] = {}
    for path, fields, cookie in (
        ("/state", {"link": given.link.id}, given.token),
        ("/state", {"link": given.link.id}, "forged"),
        ("/save", {"link": given.link.id, "key": KEY}, given.token),
    ):
        headers = _good(served, given) | {"Cookie": f"__Host-link={cookie}"}
        status, sent, _ = served.ask("POST", path, json.dumps(fields).encode(), **headers)
        answers[status] = sent
    given.revoke()
    status, sent, _ = served.ask("POST", "/state", _body(given), **_good(served, given))
    answers[status] = sent
    status, sent, _ = served.ask("GET", "/")
    answers[status] = sent

    assert sorted(answers) == [200, 403, 409, 410]
    for sent in answers.values():
        assert {name: sent[name] for name in HEADERS} == HEADERS


def test_the_policy_lets_no_script_run_but_ours() -> None:
    assert f"script-src '{render.SCRIPT_HASH}'" in POLICY
    assert "default-src 'none'" in POLICY
    assert "require-trusted-types-for 'script'" in POLICY
    assert "trusted-types 'none'" in POLICY
    assert "frame-ancestors 'none'" in POLICY
    assert "unsafe" not in POLICY


def test_the_page_is_the_same_for_all_and_says_nothing_of_a_link(served: Served, given: Given, intake: Intake) -> None:
    """Scanners and previews: GET and HEAD, with and without a cookie, change nothing."""
    before = intake.state()
    pages = set[bytes]()
    for _ in range(20):
        pages.add(served.ask("GET", "/")[2])
        pages.add(
            served.ask("GET", "/?utm_source=mail", Cookie=f"__Host-link={given.token}", Sec_Fetch_Dest="document")[2]
        )
        status, sent, content = served.ask("HEAD", "/", Cookie=f"__Host-link={given.token}")
        assert (status, content) == (200, b"")
        assert {name: sent[name] for name in HEADERS} == HEADERS

    assert pages == {render.HTML.encode()}
    assert intake.state() == before


def test_a_browser_gets_the_page_compressed(served: Served) -> None:
    _, sent, content = served.ask("GET", "/", Accept_Encoding="gzip, br")

    assert (sent["Content-Encoding"], sent["Vary"], content) == ("gzip", "Accept-Encoding", render.COMPRESSED)


def _forged(intake: Intake, given: Given) -> dict[str, str]:
    """Tokens that nobody issued for this cell, as an attacker would make them."""
    signed, _, mac = given.token.partition(".")
    other = replace(given.link, tenant="someone-else")
    longer = replace(given.link, expires=given.link.expires + 3600)
    english = replace(given.link, language="es")
    elsewhere = replace(given.link, cell="other")
    real_mac = intake.sign(message(given.link))
    return {
        "nothing": "",
        "nonsense": "nonsense",
        "no MAC": signed,
        "another MAC": signed + "." + mac[:-4] + ("AAAA" if mac[-4:] != "AAAA" else "BBBB"),
        "another tenant": token(other, real_mac),
        "a later end": token(longer, real_mac),
        "another language": token(english, real_mac),
        "another cell, its own": token(elsewhere, intake.sign(message(elsewhere))),
        "another purpose, truly signed": _signed(intake, message(given.link).replace(b"connect", b"confirm")),
        "a very long text": "a" * 5000,
    }


def _signed(intake: Intake, content: bytes) -> str:
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (content, intake.sign(content)))
    return ".".join(parts)


def test_unknown_tampered_and_foreign_links_look_alike_and_cost_one_verification(
    served: Served, given: Given, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, kms = function.warm()
    verified: list[Any] = []
    real = kms.verify_mac
    monkeypatch.setattr(kms, "verify_mac", lambda **asked: (verified.append(1), real(**asked))[1])
    intake.cell.openai.clear_calls()
    answers = set[tuple[int, bytes]]()
    forged = _forged(intake, given)

    for one in forged.values():
        for path in ("/session", "/check", "/save", "/state"):
            fields = {"token": one, "link": given.link.id, "key": KEY}
            headers = _good(served, given) | {"Cookie": f"__Host-link={one}"}
            status, _, content = served.ask("POST", path, json.dumps(fields).encode(), **headers)
            answers.add((status, content))

    assert answers == {(403, b'{"error":"no_link"}')}
    assert len(verified) == 4 * len(forged)
    assert intake.cell.openai.calls() == []


def test_an_ended_link_is_told_so_only_with_its_signature(served: Served, intake: Intake) -> None:
    ended = intake.issue(issued=1_700_000_000, expires=1_700_003_600)

    assert Browser(served, ended).open() == (410, {"error": "expired"})
    ended.token = ended.token[:-4] + "AAAA"
    assert Browser(served, ended).open() == (403, {"error": "no_link"})


def test_a_withdrawn_link_ends_at_once_in_every_tab(browser: Browser, given: Given, theirs: TheirOpenAI) -> None:
    key = theirs.key()[1]
    assert browser.check(key)[1]["passed"]

    given.revoke()

    for answer in (browser.open(), browser.check(key), browser.save(key), browser.state()):
        assert answer == (410, {"error": "revoked"})
    assert given.handed_in() is None


def test_a_link_that_the_command_did_not_finish_is_no_link(browser: Browser, given: Given, intake: Intake) -> None:
    intake.shared.person.s3.delete_object(Bucket=intake.bucket, Key=given.place.link)

    assert browser.open() == (410, {"error": "revoked"})


def test_a_tenant_in_the_body_is_never_read(
    browser: Browser, given: Given, theirs: TheirOpenAI, intake: Intake
) -> None:
    key, other = theirs.key()[1], intake.issue()
    fields = {"link": given.link.id, "key": key, "tenant": other.link.tenant, "cell": "other", "id": other.link.id}

    assert browser.post("/check", fields)[1]["passed"]
    assert browser.post("/save", fields)[1]["result"] == "saved"

    assert other.handed_in() is None
    assert given.handed_in() is not None


def test_a_body_of_wrong_types_is_like_an_empty_one(browser: Browser, given: Given) -> None:
    for key in (None, 5, ["sk"], {"sk": 1}, True):
        status, told = browser.post("/check", {"link": given.link.id, "key": key})
        assert (status, told["checks"][0]["reason"]) == (200, "empty")


@pytest.mark.parametrize("text", ["\ud800", "sk-\udfff", "\x00", "\u202e" + KEY[:9]])
def test_characters_that_no_text_has_are_a_paste_like_any_other(browser: Browser, given: Given, text: str) -> None:
    assert browser.post("/check", {"link": given.link.id, "key": text})[0] == 200
    assert browser.post("/session", {"token": text})[0] == 403


def test_the_audit_names_each_step_and_never_holds_key_or_link(
    browser: Browser, given: Given, theirs: TheirOpenAI, logged: pytest.LogCaptureFixture
) -> None:
    key = theirs.key()[1]
    browser.open()
    browser.check(key)
    browser.check("org-" + "a1B2c3D4")
    browser.save(key)
    browser.check(theirs.key()[1])

    lines = [json.loads(record.getMessage()) for record in logged.records if record.name == "myflux"]
    assert [line["event"] for line in lines] == [
        *("connect.session", "connect.check", "connect.check", "connect.save", "connect.refused")
    ]
    assert {(line["tenant"], line["link"]) for line in lines} == {(given.link.tenant, given.link.id)}
    assert lines[2]["found"] == ["shape: organization_id"]
    assert lines[3]["result"] == "saved"
    assert lines[4]["reason"] == "another"
    assert key not in logged.text
    assert given.token not in logged.text


def test_an_aws_that_is_away_is_a_busy_page_and_not_a_stack_trace(
    browser: Browser, given: Given, monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture, served: Served
) -> None:
    monkeypatch.setenv("MYFLUX_INTAKE_BUCKET", "myflux-no-such-bucket")

    status, sent, content = served.ask("POST", "/check", _body(given), **_good(served, given))

    assert (status, content, sent["Retry-After"]) == (503, b'{"error":"away"}', "2")
    assert {name: sent[name] for name in HEADERS} == HEADERS
    assert KEY not in logged.text


def test_a_missing_setting_is_a_busy_page_and_named_in_the_log(
    browser: Browser, given: Given, monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MYFLUX_LINK_KEY")

    assert browser.open()[0] == 503
    assert "MYFLUX_LINK_KEY is not set" in logged.text


@pytest.mark.parametrize("made", [{}, {"version": "2.0"}, {"Records": [{"s3": {}}]}, {"requestContext": None}])
def test_an_event_that_is_no_request_is_refused_without_an_exception(made: dict[str, Any]) -> None:
    """Of somebody who may invoke the function itself."""
    assert function.handler(made, Context())["statusCode"] == 400


def test_real_aws_names_its_own_host(served: Served, given: Given) -> None:
    headers = _good(served, given) | {"Origin": f"https://{'u' * 32}.lambda-url.us-east-1.on.aws"}
    made = event("POST", "/state", {name.replace("_", "-"): value for name, value in headers.items()}, _body(given))

    assert function.handler(made, Context())["statusCode"] == 200


def test_a_cookie_in_the_header_is_read_as_the_local_cell_sends_it(served: Served, given: Given) -> None:
    headers = {name.replace("_", "-"): value for name, value in _good(served, given).items()}
    made = event("POST", "/state", headers, _body(given))
    made["headers"]["cookie"] = "other=1; " + made.pop("cookies")[0]

    assert function.handler(made, Context())["statusCode"] == 200
