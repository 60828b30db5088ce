"""What the provider does to AWS, type by type, where a rule of its own is at stake."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto import status_pb2

from local.provider.registry import RESOURCES, find
from local.provider.services.lambda_invocation import event
from local.provider.values import Archive, Secret, from_wire
from tests.provider.harness import ACCOUNT, REGION, AwsServer, Provider

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
ALLOW = {"Effect": "Allow", "Action": "logs:CreateLogGroup", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def archive(tmp_path: Path, text: str) -> Archive:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("h.py", text)
    path = tmp_path / f"{abs(hash(text))}.zip"
    path.write_bytes(buffer.getvalue())
    return Archive(f"hash-{abs(hash(text))}", str(path))


@pytest.fixture
def role(aws: AwsServer, provider: Provider) -> Any:
    id, state = provider.create("aws:iam/role:Role", "runner", assumeRolePolicy=TRUST, forceDetachPolicies=True)
    yield state["arn"]
    provider.delete("aws:iam/role:Role", "runner", id, state)


@pytest.mark.parametrize("type", sorted(RESOURCES))
def test_deleting_what_is_gone_is_no_error_but_for_a_call_that_cleans_up(type: str, provider: Provider) -> None:
    gone: dict[str, tuple[str, dict[str, Any]]] = {
        "aws:sqs/queue:Queue": (f"http://127.0.0.1/{ACCOUNT}/none", {}),
        "aws:iam/policy:Policy": (f"arn:aws:iam::{ACCOUNT}:policy/none", {}),
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": (f"arn:aws:iam::{ACCOUNT}:oidc-provider/none", {}),
        "aws:iam/rolePolicy:RolePolicy": ("none:none", {}),
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (f"none/arn:aws:iam::{ACCOUNT}:policy/none", {}),
        "aws:lambda/permission:Permission": ("none", {"function": "none"}),
        "aws:lambda/invocation:Invocation": (
            "none",
            {
                "lifecycleScope": "CRUD",
                "functionName": "none",
                "input": "{}",
                "terraformKey": "tf",
                "qualifier": "$LATEST",
            },
        ),
        "aws:kms/key:Key": ("00000000-0000-0000-0000-000000000000", {}),
        "aws:kms/alias:Alias": ("alias/none", {}),
        "aws:cloudwatch/eventTarget:EventTarget": ("r-t", {"rule": "none", "targetId": "t", "eventBusName": "default"}),
        "aws:secretsmanager/secret:Secret": ("none", {"recoveryWindowInDays": 7}),
        "aws:s3/bucketObjectv2:BucketObjectv2": ("none", {"bucket": "there-is-none", "key": "none"}),
    }
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:none"
    for kind in ("topic:Topic", "topicPolicy:TopicPolicy"):
        gone[f"aws:sns/{kind}"] = (topic, {})
    gone["aws:sns/topicSubscription:TopicSubscription"] = (f"{topic}:00000000-0000-0000-0000-000000000000", {})
    gone["aws:sqs/queuePolicy:QueuePolicy"] = gone["aws:sqs/queue:Queue"]
    id, state = gone.get(type, ("none", {}))
    if find(type).tolerates_absence:
        provider.delete(type, "gone", id, state)
    else:
        with pytest.raises(grpc.RpcError, match="ResourceNotFoundException"):
            provider.delete(type, "gone", id, state)


def test_a_secret_has_no_value_and_its_deletion_keeps_the_window(aws: AwsServer, provider: Provider) -> None:
    id, state = provider.create("aws:secretsmanager/secret:Secret", "s", name="svc/kept", recoveryWindowInDays=7)
    client = aws.client("secretsmanager")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_secret_value(SecretId=id)
    provider.delete("aws:secretsmanager/secret:Secret", "s", id, state)
    assert client.describe_secret(SecretId=id)["DeletedDate"], "seven days to change one's mind"
    assert provider.read("aws:secretsmanager/secret:Secret", "s", id).id == "", "scheduled for deletion counts as gone"
    with pytest.raises(grpc.RpcError, match=r"CreateSecret: InvalidRequestException.*scheduled for deletion"):
        provider.create("aws:secretsmanager/secret:Secret", "s", name="svc/kept")


def test_a_policy_in_other_words_is_no_drift_and_keeps_the_programs_text(aws: AwsServer, provider: Provider) -> None:
    text = policy(ALLOW)
    id, state = provider.create("aws:iam/policy:Policy", "p", policy=text)
    other = policy({"Resource": ["*"], "Action": ["logs:createloggroup"], "Effect": "Allow"})
    iam = aws.client("iam")
    iam.create_policy_version(PolicyArn=id, PolicyDocument=other, SetAsDefault=True)
    seen = provider.read("aws:iam/policy:Policy", "p", id, **state)
    assert from_wire(seen.properties)["policy"] == text
    provider.delete("aws:iam/policy:Policy", "p", id, state)


def test_a_managed_policy_is_changed_more_often_than_it_keeps_versions(aws: AwsServer, provider: Provider) -> None:
    id, state = provider.create("aws:iam/policy:Policy", "p", name="often", policy=policy(ALLOW))
    for number in range(7):
        text = policy(ALLOW | {"Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{number}"})
        state = provider.update("aws:iam/policy:Policy", "p", id, state, name="often", policy=text)
    assert len(aws.client("iam").list_policy_versions(PolicyArn=id)["Versions"]) == 5
    provider.delete("aws:iam/policy:Policy", "p", id, state)


def test_a_role_with_policies_goes_only_when_told_to_detach_them(aws: AwsServer, provider: Provider) -> None:
    id, state = provider.create("aws:iam/role:Role", "r", assumeRolePolicy=TRUST)
    aws.client("iam").put_role_policy(RoleName=id, PolicyName="left", PolicyDocument=policy(ALLOW))
    with pytest.raises(grpc.RpcError, match="DeleteConflict"):
        provider.delete("aws:iam/role:Role", "r", id, state)
    provider.delete("aws:iam/role:Role", "r", id, state | {"forceDetachPolicies": True})


def test_what_failed_half_way_is_kept_in_state_as_it_is(aws: AwsServer, launch: Callable[..., Provider]) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="half")
    iam.put_user_policy(
        UserName="half",
        PolicyName="p",
        PolicyDocument=policy(
            {
                "Effect": "Allow",
                "Action": ["logs:Create*", "logs:TagResource", "logs:Describe*", "logs:List*"],
                "Resource": "*",
            }
        ),
    )
    key = iam.create_access_key(UserName="half")["AccessKey"]
    half = launch(AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"]).configure()
    with pytest.raises(
        grpc.RpcError, match=r"exists, but is not complete: PutRetentionPolicy: AccessDenied"
    ) as failure:
        half.create("aws:cloudwatch/logGroup:LogGroup", "g", name="/half", retentionInDays=7, tags={"t": Secret("x")})
    trailing: Any = failure.value.trailing_metadata()
    details = next(value for key, value in trailing if key == "grpc-status-details-bin")
    kept = wire.ErrorResourceInitFailed()
    packed: AnyMessage = status_pb2.Status.FromString(details).details[0]
    assert packed.Unpack(kept), "the engine keeps the resource only when it gets this detail"
    assert kept.id == "/half"
    assert from_wire(kept.properties)["retentionInDays"] == 0, "state says what is there, so that the next up mends it"
    assert from_wire(kept.properties)["tags"] == {"t": Secret("x")}, "a secret stays one when things go wrong"
    assert from_wire(kept.inputs)["tags"] == {"t": Secret("x")}
    aws.client("logs").delete_log_group(logGroupName="/half")


def test_a_function_takes_new_code_only_with_a_new_archive(
    aws: AwsServer, provider: Provider, role: str, tmp_path: Path
) -> None:
    type, given = "aws:lambda/function:Function", {"role": role, "runtime": "python3.12", "handler": "h.handler"}
    first, second = (archive(tmp_path, f"def handler(e, c): return {n}\n") for n in (1, 2))
    id, state = provider.create(type, "f", **given, name="svc-f", code=first, publish=True)
    assert (state["version"], state["qualifiedArn"].rsplit(":", 1)[-1]) == ("1", "1")
    assert state["sourceCodeHash"] == first.hash
    shas = [state["codeSha256"]]
    state = provider.update(type, "f", id, state, **given, name="svc-f", code=second, publish=True)
    assert state["version"] == "2", "publish makes a version of every change"
    assert state["codeSha256"] not in shas
    state = provider.update(
        type, "f", id, state, **given, name="svc-f", code=second, reservedConcurrentExecutions=3, timeout=9
    )
    assert (state["reservedConcurrentExecutions"], state["timeout"]) == (3, 9)
    with pytest.raises(grpc.RpcError, match=r"uploads .zip files only"):
        provider.create(type, "f", **given, code=Archive("x", str(tmp_path)))
    provider.delete(type, "f", id, state)


def test_an_invocation_says_what_it_is_for_and_what_was_before(provider: Provider, role: str, tmp_path: Path) -> None:
    code = archive(tmp_path, "def handler(e, c): return e\n")
    function, made = provider.create(
        "aws:lambda/function:Function",
        "f",
        role=role,
        runtime="python3.12",
        handler="h.handler",
        code=code,
        name="svc-i",
    )
    type = "aws:lambda/invocation:Invocation"
    id, state = provider.create(
        type, "i", functionName="svc-i", input='{"n":1}', lifecycleScope="CRUD", terraformKey="k"
    )
    assert id.startswith("svc-i,$LATEST,")
    assert json.loads(state["result"]) == {"n": 1, "k": {"action": "create", "prev_input": None}}
    state = provider.update(
        type, "i", id, state, functionName="svc-i", input='{"n":2}', lifecycleScope="CRUD", terraformKey="k"
    )
    assert json.loads(state["result"]) == {"n": 2, "k": {"action": "update", "prev_input": {"n": 1}}}
    _, once = provider.create(type, "o", functionName="svc-i", input="[1]")
    assert json.loads(once["result"]) == [1], "called once, the input is sent as it is"
    provider.delete("aws:lambda/function:Function", "f", function, made)


def test_the_event_of_a_delete_carries_the_input_twice() -> None:
    inputs = {"lifecycleScope": "CRUD", "terraformKey": "tf", "input": '{"n":1}'}
    assert json.loads(event(inputs, "delete", inputs["input"])) == {
        "n": 1,
        "tf": {"action": "delete", "prev_input": {"n": 1}},
    }


def test_a_timeout_of_ones_own_is_kept_and_the_call_is_not_repeated(
    provider: Provider, role: str, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    text = f"import time\ndef handler(e, c):\n    open({str(calls)!r}, 'a').write('x')\n    time.sleep(3)\n"
    given = {"role": role, "runtime": "python3.12", "handler": "h.handler", "timeout": 20}
    type = "aws:lambda/function:Function"
    function, made = provider.create(type, "f", **given, code=archive(tmp_path, text))
    with pytest.raises(grpc.RpcError, match="Read timeout"):
        provider.create("aws:lambda/invocation:Invocation", "i", 2, functionName=function, input="{}")
    give_up = time.monotonic() + 60
    while not calls.exists():
        assert time.monotonic() < give_up, "the function was called"
        time.sleep(0.05)
    time.sleep(2)
    assert calls.read_text() == "x", "a call without an answer may have done its work"
    provider.delete(type, "f", function, made)


def test_a_denied_call_keeps_awss_words(aws: AwsServer, launch: Callable[..., Provider]) -> None:
    held = aws.environment("runtime")
    runtime = launch(**{name: held[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}).configure()
    with pytest.raises(grpc.RpcError) as denied:
        runtime.create("aws:secretsmanager/secret:Secret", "s", name="myflux/x/y/openai")
    text = str(denied.value.details())
    assert "creating aws:secretsmanager/secret:Secret 's': CreateSecret: AccessDeniedException" in text
    assert "user/runtime" in text
    assert held["AWS_SECRET_ACCESS_KEY"] not in text


def test_the_accounts_federation_is_enabled_once_and_never_taken_from_another_stack(
    aws: AwsServer, provider: Provider
) -> None:
    kind, iam = "aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation", aws.client("iam")
    id, made = provider.create(kind, "one")
    assert id == ACCOUNT
    assert made["issuerIdentifier"] == iam.get_outbound_web_identity_federation_info()["IssuerIdentifier"]
    with pytest.raises(grpc.RpcError, match="FeatureEnabled"):
        provider.create(kind, "two")
    assert from_wire(provider.read(kind, "one", id).properties)["issuerIdentifier"] == made["issuerIdentifier"]
    provider.delete(kind, "one", id, made)
    assert provider.read(kind, "one", id).id == ""
