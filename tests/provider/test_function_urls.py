"""A function's URL and the two grants that open it, and the key that signs: as the official plugin makes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.provider.harness import AwsServer, Provider
from tests.provider.test_services import TRUST, archive

URL, PERMISSION, KEY = "aws:lambda/functionUrl:FunctionUrl", "aws:lambda/permission:Permission", "aws:kms/key:Key"
GRANTS: tuple[dict[str, Any], ...] = (
    {
        "statementId": "FunctionURLAllowPublicAccess",
        "action": "lambda:InvokeFunctionUrl",
        "principal": "*",
        "functionUrlAuthType": "NONE",
    },
    {
        "statementId": "FunctionURLAllowInvokeAction",
        "action": "lambda:InvokeFunction",
        "principal": "*",
        "invokedViaFunctionUrl": True,
    },
)


@pytest.fixture
def function(provider: Provider, tmp_path: Path) -> Iterator[str]:
    role_id, role = provider.create("aws:iam/role:Role", "page", assumeRolePolicy=TRUST)
    kind = "aws:lambda/function:Function"
    code = archive(tmp_path, "def f(event, context): return 1")
    id, made = provider.create(kind, "page", role=role["arn"], code=code, handler="h.f", runtime="python3.13")
    yield id
    provider.delete(kind, "page", id, made)
    provider.delete("aws:iam/role:Role", "page", role_id, role)


def statements(aws: AwsServer, function: str) -> dict[str, Any]:
    client = aws.client("lambda")
    try:
        policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        return {}
    return {one["Sid"]: one.get("Condition") for one in policy["Statement"]}


def test_a_public_url_opens_its_function_by_itself(aws: AwsServer, provider: Provider, function: str) -> None:
    id, made = provider.create(URL, "page", functionName=function, authorizationType="NONE")
    assert made["functionUrl"] == f"https://{made['urlId']}.lambda-url.us-east-1.on.aws/"
    assert statements(aws, function) == {
        "FunctionURLAllowPublicAccess": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
        "FunctionURLAllowInvokeAction": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
    }
    provider.delete(URL, "page", id, made)
    assert len(statements(aws, function)) == 2, "the plugin leaves them, so that a later URL would be open at once"
    assert provider.read(URL, "page", id, **made).id == ""


def test_grants_of_the_same_names_are_ours_and_go_with_us(aws: AwsServer, provider: Provider, function: str) -> None:
    held = [provider.create(PERMISSION, grant["statementId"], function=function, **grant) for grant in GRANTS]
    for (id, state), grant in zip(held, GRANTS, strict=True):
        assert {name: state[name] for name in grant} == grant
        assert provider.read(PERMISSION, id, id, **state).id == id
    url, made = provider.create(URL, "page", functionName=function, authorizationType="NONE")
    assert len(statements(aws, function)) == 2
    provider.delete(URL, "page", url, made)
    for id, state in held:
        provider.delete(PERMISSION, id, id, state)
    assert statements(aws, function) == {}


def test_a_url_for_signed_requests_opens_nothing(aws: AwsServer, provider: Provider, function: str) -> None:
    id, made = provider.create(URL, "page", functionName=function, authorizationType="AWS_IAM")
    assert statements(aws, function) == {}
    changed = provider.update(
        URL, "page", id, made, functionName=function, authorizationType="AWS_IAM", invokeMode="RESPONSE_STREAM"
    )
    assert (changed["invokeMode"], changed["functionUrl"]) == ("RESPONSE_STREAM", made["functionUrl"])
    provider.delete(URL, "page", id, changed)


def test_a_key_that_signs_is_made_and_never_rotated_by_kms(aws: AwsServer, provider: Provider) -> None:
    signs = {"customerMasterKeySpec": "HMAC_256", "keyUsage": "GENERATE_VERIFY_MAC"}
    id, made = provider.create(KEY, "signs", **signs)
    kms = aws.client("kms")
    mac = kms.generate_mac(KeyId=id, Message=b"x", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert kms.verify_mac(KeyId=id, Message=b"x", Mac=mac, MacAlgorithm="HMAC_SHA_256")["MacValid"]
    assert (made["enableKeyRotation"], made["keyUsage"]) == (False, "GENERATE_VERIFY_MAC")
    assert provider.read(KEY, "signs", id, **made).id == id
    provider.delete(KEY, "signs", id, made)
    for wrong in (signs | {"enableKeyRotation": True}, {"keyUsage": "GENERATE_VERIFY_MAC"}):
        with pytest.raises((grpc.RpcError, AssertionError)):
            provider.create(KEY, "wrong", **wrong)
