"""A request is authorized as what it does, however it is dressed up.

AWS reads an operation in one place for each protocol. A request that names two is nobody's mistake but an attacker's.
"""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.aws_iam.served import ACCOUNT, Cell, allow, refusal, trust

FORM = "application/x-www-form-urlencoded"


def send(cell: Cell, session: object, service: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """A signed request that no SDK would build: (status, body)."""
    request = AWSRequest("POST", cell.url + path, data=body, headers=headers)
    SigV4Auth(session.get_credentials(), service, "us-east-1").add_auth(request)  # type: ignore[attr-defined]
    plain = urllib.request.Request(cell.url + path, data=body, headers=dict(request.headers), method="POST")
    try:
        with urllib.request.urlopen(plain) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_a_harmless_action_in_the_url_covers_no_other_target(cell: Cell):
    secret = cell.secret("hidden value")
    _, session = cell.user([allow("secretsmanager:ListSecrets")])
    status, body = send(
        cell,
        session,
        "secretsmanager",
        "/?Action=ListSecrets",
        f'{{"SecretId": "{secret}"}}'.encode(),
        {"X-Amz-Target": "secretsmanager.GetSecretValue", "Content-Type": "application/x-amz-json-1.1"},
    )
    assert status == 400
    assert "hidden value" not in body


def test_a_free_action_in_the_url_covers_no_other_in_the_body(cell: Cell):
    role = cell.role([trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], [])
    _, session = cell.user([allow("sqs:ListQueues")])
    form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": role, "RoleSessionName": "s"}
    body = urllib.parse.urlencode(form).encode()
    status, text = send(cell, session, "sts", "/?Action=GetCallerIdentity", body, {"Content-Type": FORM})
    assert status == 400
    assert "SecretAccessKey" not in text


def test_the_right_to_one_role_covers_no_other(cell: Cell):
    own, other = (cell.role([trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], []) for _ in range(2))
    _, session = cell.user([allow("sts:AssumeRole", own)])
    form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": other, "RoleSessionName": "s"}
    path = "/?" + urllib.parse.urlencode({"RoleArn": own})
    status, text = send(cell, session, "sts", path, urllib.parse.urlencode(form).encode(), {"Content-Type": FORM})
    assert status == 400
    assert "SecretAccessKey" not in text


def test_a_parameter_given_twice_is_read_neither_way(cell: Cell):
    own, other = (cell.role([trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], []) for _ in range(2))
    _, session = cell.user([allow("sts:AssumeRole", own)])
    form = [("Action", "AssumeRole"), ("RoleArn", own), ("RoleArn", other), ("RoleSessionName", "s")]
    status, text = send(cell, session, "sts", "/", urllib.parse.urlencode(form).encode(), {"Content-Type": FORM})
    assert status == 400
    assert "SecretAccessKey" not in text


def test_sts_takes_no_json(cell: Cell):
    """Its tags would be read by the service and missed by the check of sts:TagSession."""
    _, session = cell.user([allow("sts:*")])
    headers = {
        "X-Amz-Target": "AWSSecurityTokenServiceV20110615.AssumeRole",
        "Content-Type": "application/x-amz-json-1.1",
    }
    assert send(cell, session, "sts", "/", b"{}", headers)[0] == 400


@pytest.mark.parametrize("operation", ["GetSecretsValue", ""])
def test_an_operation_that_is_not_there_is_denied_to_who_may_not_do_everything(cell: Cell, operation: str):
    _, session = cell.user([allow("secretsmanager:Get*")])
    status, _ = send(
        cell,
        session,
        "secretsmanager",
        "/",
        b"{}",
        {"X-Amz-Target": f"secretsmanager.{operation}", "Content-Type": "application/x-amz-json-1.1"},
    )
    assert status >= 400


def test_event_invoke_settings_are_not_the_function(cell: Cell):
    """Deleting a function's asynchronous settings is an action of its own, and no right to delete the function."""
    _, session = cell.user([allow("lambda:DeleteFunctionEventInvokeConfig")])
    client = cell.client(session, "lambda")
    assert refusal(lambda: client.delete_function(FunctionName="f"))[0] == "AccessDeniedException"
    code, _ = refusal(lambda: client.delete_function_event_invoke_config(FunctionName="f"))
    assert code == "ResourceNotFoundException", "allowed, and then not there"
