"""How long a call waits for AWS: seconds until AWS has answered once, and botocore's patience afterwards."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)

import tenancy
from ops import aws_clients, state_place
from ops.account import Account
from ops.aws_clients import CONNECT_SECONDS, FIRST_ANSWER_SECONDS, Reach
from ops.errors import OperationError, explain
from ops.stacks import backend

LIMIT = 10
"""Seconds until a person reads that AWS is out of reach."""
NO_ANSWER = ConnectTimeoutError(endpoint_url="https://sts.us-east-1.amazonaws.com/")


class Clock:
    """Time that passes as the test says."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def attempts(each: float, met: Exception, *, answered: bool = False) -> tuple[int, float]:
    """Attempts until the call is given up, at most eight, and the seconds until then. A pause is as long as botocore's
    longest after so many attempts."""
    clock = Clock()
    reach = Reach(clock)
    request: dict[str, Any] = {"context": {}}
    if answered:
        reach.ended(response=("http", {}), caught_exception=None, attempts=1, request_dict=request)
    reach.begins(params=request)
    for attempt in range(1, 9):
        clock.seconds += each
        try:
            reach.ended(response=None, caught_exception=met, attempts=attempt, request_dict=request)
        except type(met):
            return attempt, clock.seconds
        clock.seconds += min(2 ** (attempt - 1), 20)
    return 8, clock.seconds


@pytest.mark.parametrize(
    ("each", "met"),
    [
        (0.0, EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com/")),
        (CONNECT_SECONDS, NO_ANSWER),
        (2 * CONNECT_SECONDS, NO_ANSWER),
        (FIRST_ANSWER_SECONDS, ReadTimeoutError(endpoint_url="https://sts.us-east-1.amazonaws.com/")),
    ],
    ids=["refused", "no answer", "no answer at two addresses", "a connection and no answer"],
)
def test_aws_out_of_reach_is_said_within_ten_seconds(each: float, met: Exception) -> None:
    assert attempts(each, met)[1] <= LIMIT
    assert attempts(0.0, met)[0] > 1, "one lost packet is no outage"


def test_an_outage_during_an_operation_is_waited_out() -> None:
    assert attempts(CONNECT_SECONDS, NO_ANSWER, answered=True)[0] == 8


def test_a_refusal_is_never_given_up_here() -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException"}}, "RotateSecret")
    assert attempts(5.0, throttled)[0] == 8, "the number of retries after throttling is botocore's"


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=slept.append))
    return slept


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_PROFILE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return monkeypatch


def test_a_port_that_nobody_listens_on(shell: pytest.MonkeyPatch, no_pauses: list[float]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        shell.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        cell = tenancy.load(only="").cells["local"]
        with Account(cell, "status") as account, pytest.raises(EndpointConnectionError) as met:
            account.check()
        assert len(no_pauses) == 2, "three attempts, with the real client of every command"
        assert "AWS_ENDPOINT_URL" in explain(met.value)
        no_pauses.clear()
        with pytest.raises(EndpointConnectionError):
            backend.stacks("s3://state?region=us-east-1")
        assert len(no_pauses) == 2, "the client for Pulumi's state too"


class _Throttles(BaseHTTPRequestHandler):
    left = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).left -= 1
        throttled = type(self).left >= 0
        body = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"} if throttled else {}).encode()
        self.send_response(400 if throttled else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def throttling() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Throttles) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.mark.usefixtures("shell")
def test_throttling_is_retried_as_often_as_before(throttling: str, no_pauses: list[float]) -> None:
    _Throttles.left = 7
    client = aws_clients.client(
        "secretsmanager", config=Config(retries={"mode": "standard", "max_attempts": 8}), endpoint_url=throttling
    )
    try:
        client.describe_secret(SecretId="x")
    finally:
        client.close()
    assert len(no_pauses) == 7


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL", "nonsense"), ("AWS_DEFAULT_REGION", "not a region")])
def test_variables_that_name_no_place_are_refused_in_words(shell: pytest.MonkeyPatch, name: str, value: str) -> None:
    shell.setenv(name, value)
    with pytest.raises(OperationError, match=r"AWS cannot be called: .*AWS_ENDPOINT_URL"):
        aws_clients.client("sts")


@pytest.mark.parametrize(("url", "told"), [("s3://[state", "is not an address"), ("s3://", "names no bucket")])
def test_a_backend_that_is_no_address_is_refused_in_words(url: str, told: str) -> None:
    with pytest.raises(OperationError, match=f"PULUMI_BACKEND_URL {told}"):
        state_place.place(url)


@pytest.mark.parametrize(
    ("met", "way_out"),
    [
        (NO_ANSWER, "HTTPS_PROXY"),
        (ReadTimeoutError(endpoint_url="https://x/"), "HTTPS_PROXY"),
        (HTTPClientError(error="invalid path: /nope"), "AWS_CA_BUNDLE"),
        (ProfileNotFound(profile="work"), "AWS_PROFILE"),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "sign in"),
        (UnauthorizedSSOTokenError(), "aws sso login"),
    ],
)
def test_what_stands_between_here_and_aws_is_said_with_what_to_check(met: BotoCoreError, way_out: str) -> None:
    assert way_out in explain(met)
