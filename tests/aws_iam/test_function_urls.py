"""A function's public URL needs two grants: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.aws_iam.served import Cell, refusal, trust, unique
from tests.aws_iam.test_functions import create

URL = {"StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
INVOKE = {"StatementId": "invoke", "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": True}
SIGNED = {**URL, "FunctionUrlAuthType": "AWS_IAM"}


def status(cell: Cell, address: str) -> int:
    """Of a request that nobody signed, to the URL by its host."""
    parts = urlsplit(cell.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("GET", "/", headers={"Host": urlsplit(address).netloc})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("grants", "open_to_all"),
    [
        ((), False),
        ((URL,), False),
        ((INVOKE,), False),
        ((SIGNED, INVOKE), False),
        ((URL, INVOKE), True),
    ],
    ids=["none", "only the URL's", "only the function's", "for signed requests", "both"],
)
def test_with_one_of_the_two_grants_the_url_answers_403(
    cell: Cell, grants: tuple[dict[str, Any], ...], open_to_all: bool
):
    role = cell.role([trust({"Service": "lambda.amazonaws.com"})], [])
    functions = cell.client("administrator", "lambda")
    name = create(functions, role).rpartition(":")[2]
    address = functions.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    for grant in grants:
        functions.add_permission(FunctionName=name, **grant)
    assert (status(cell, address) != 403) == open_to_all


def test_a_url_that_does_not_exist_is_not_found(cell: Cell):
    assert status(cell, f"https://{'u' * 32}.lambda-url.us-east-1.on.aws/") == 404


def test_the_grant_for_the_url_lets_nobody_invoke_the_function_itself(cell: Cell):
    """Without the condition, anybody with an account could send a forged event."""
    role = cell.role([trust({"Service": "lambda.amazonaws.com"})], [])
    functions = cell.client("administrator", "lambda")
    names = [create(functions, role, unique("page")).rpartition(":")[2] for _ in range(2)]
    functions.add_permission(FunctionName=names[0], **INVOKE)
    functions.add_permission(FunctionName=names[1], **{k: v for k, v in INVOKE.items() if k != "InvokedViaFunctionUrl"})
    runtime = cell.client("runtime", "lambda")
    code, _ = refusal(lambda: runtime.invoke(FunctionName=names[0], Payload=b"{}"))
    assert code == "AccessDeniedException"
    assert runtime.invoke(FunctionName=names[1], Payload=b"{}")["StatusCode"] == 200
