"""What answers in AWS's place, such as a network's sign-in page, is told in a sentence that quotes nothing of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import botocore.endpoint
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from ops import aws_clients
from ops.explained import explained

TOLD = "what answered is not AWS"
HIDDEN = "hidden-in-the-page"
PAGE = f"<html><body>Sign in {HIDDEN}</body></html>".encode()
LIST = b"<ListBucketResult><Name>b</Name><KeyCount>0</KeyCount></ListBucketResult>"


class Answering(BaseHTTPRequestHandler):
    """Answers every request alike."""

    status, body, kind = 200, b"", ""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.body)

    do_GET = do_HEAD = do_PUT = do_POST  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, bytes, str], None]]:
    for name in ("AWS_PROFILE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda seconds: None))

    def answer(status: int, body: bytes, kind: str) -> None:
        for name, value in (("status", status), ("body", body), ("kind", kind)):
            monkeypatch.setattr(Answering, name, value)

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield answer
        server.shutdown()
        serving.join()


CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "query": ("sts", lambda client: client.get_caller_identity()),
    "json": ("secretsmanager", lambda client: client.describe_secret(SecretId="x")),
    "rest-json": ("lambda", lambda client: client.get_function(FunctionName="x")),
    "rest-xml": ("s3", lambda client: client.list_objects_v2(Bucket="b")),
    "a stream": ("lambda", lambda client: client.invoke(FunctionName="x")),
}


def call(protocol: str) -> Any:
    service, made = CALLS[protocol]
    client = aws_clients.client(service)
    try:
        return made(client)
    finally:
        client.close()


def retries(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)


@pytest.mark.parametrize("protocol", CALLS)
@pytest.mark.parametrize(
    ("status", "body"),
    [(200, PAGE), (200, f"<!doctype html><p>{HIDDEN}<br>".encode()), (200, b""), (403, PAGE)],
    ids=["a page", "a page that is no XML", "nothing", "a refusal by a proxy"],
)
def test_an_answer_that_is_not_of_aws_is_told(
    answering: Callable[[int, bytes, str], None], protocol: str, status: int, body: bytes
) -> None:
    answering(status, body, "text/html")
    with pytest.raises(Exception) as met:
        call(protocol)
    said = explained(met.value)
    assert said is not None
    assert TOLD in said
    assert "AWS_ENDPOINT_URL" in said
    assert HIDDEN not in said


def test_an_answer_of_s3_that_breaks_off_is_asked_for_again(answering: Callable[[int, bytes, str], None]) -> None:
    answering(200, LIST[:40], "application/xml")
    with pytest.raises(ClientError) as met:
        call("rest-xml")
    assert retries(met.value) > 0


@pytest.mark.parametrize("protocol", ["query", "json"])
@pytest.mark.parametrize("body", [PAGE, f"upstream failed: {HIDDEN}".encode(), b""])
def test_a_gateways_own_failure_is_repeated_and_told_by_its_status(
    answering: Callable[[int, bytes, str], None], protocol: str, body: bytes
) -> None:
    answering(503, body, "text/html")
    with pytest.raises(ClientError) as met:
        call(protocol)
    assert retries(met.value) > 0
    said = explained(met.value) or ""
    assert "503" in said
    assert HIDDEN not in said


@pytest.mark.parametrize(
    ("protocol", "kind", "body"),
    [
        ("json", "application/x-amz-json-1.1", b'{"Name": "n"}'),
        ("rest-json", "application/json", b"{}"),
        ("rest-xml", "application/xml", LIST),
        (
            "query",
            "text/xml",
            b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
            b"<Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        ),
    ],
)
def test_an_answer_of_aws_is_read(
    answering: Callable[[int, bytes, str], None], protocol: str, kind: str, body: bytes
) -> None:
    answering(200, body, kind)
    assert call(protocol)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("protocol", "body"),
    [
        ("json", json.dumps({"__type": "AccessDeniedException", "message": "no"}).encode()),
        ("query", b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"),
        ("rest-xml", b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"),
    ],
)
def test_a_refusal_of_aws_is_still_its_refusal(
    answering: Callable[[int, bytes, str], None], protocol: str, body: bytes
) -> None:
    answering(403, body, "")
    with pytest.raises(ClientError, match="AccessDenied"):
        call(protocol)


def test_s3_answers_without_a_body(answering: Callable[[int, bytes, str], None]) -> None:
    answering(200, b"", "")
    client = aws_clients.client("s3")
    client.put_object(Bucket="b", Key="k", Body=b"x")
    client.head_object(Bucket="b", Key="k")
    answering(404, b"", "")
    with pytest.raises(ClientError, match="404"):
        client.head_object(Bucket="b", Key="k")
    client.close()


@pytest.mark.parametrize("error", [ResponseParserError(f"invalid XML: {HIDDEN}"), ElementTree.ParseError(HIDDEN)])
def test_a_client_that_the_sdk_makes_itself_is_told_alike(error: Exception) -> None:
    said = explained(error) or ""
    assert TOLD in said
    assert HIDDEN not in said
