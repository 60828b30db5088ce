"""The provider as the engine meets it: starting, settings, refusals, and ending."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2 as wire

from local.provider.registry import RESOURCES
from local.provider.values import UNKNOWN, Secret, from_wire, to_wire
from tests.provider.harness import ACCOUNT, REGION, Provider

Launch = Callable[..., Provider]
QUEUE = "aws:sqs/queue:Queue"


def reason(error: pytest.ExceptionInfo[grpc.RpcError]) -> str:
    return str(error.value.details())


def test_it_starts_in_well_under_a_second_without_boto3_and_tells_its_version(launch: Launch) -> None:
    provider = launch()
    assert provider.rpc.GetPluginInfo(Empty()).version == "7.51.1"
    assert processor_seconds(provider.process.pid) < 3, "it is 0.3 s; time spent waiting for a busy machine is no cost"
    shaken = provider.rpc.Handshake(wire.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert shaken.accept_secrets


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_when_it_is_told_to(launch: Launch, number: signal.Signals) -> None:
    provider = launch()
    provider.process.send_signal(number)
    assert provider.process.wait(60) == 0, "a plugin that ignores it would live until the engine kills it"


def test_it_ends_when_the_engine_is_gone(launch: Launch) -> None:
    with closing(socket.socket()) as engine:
        engine.bind(("127.0.0.1", 0))
        engine.listen()
        # As the engine starts it with `--logtostderr --logflow -v=9`.
        provider = launch("-logtostderr", "-v=9", f"127.0.0.1:{engine.getsockname()[1]}")
        with pytest.raises(TimeoutError):
            raise_if_alive(provider, 2.5)
    assert provider.process.wait(60) == 0


def processor_seconds(pid: int) -> float:
    """User's and system's, of all threads."""
    fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def raise_if_alive(provider: Provider, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if provider.process.poll() is not None:
            return
        time.sleep(0.05)
    raise TimeoutError("the provider lives")


def test_an_account_that_is_not_allowed_is_refused_with_both_names(launch: Launch) -> None:
    provider = launch()
    with pytest.raises(grpc.RpcError) as allowed:
        provider.configure(allowedAccountIds='["111111111111"]')
    assert ACCOUNT in reason(allowed)
    assert "111111111111" in reason(allowed)
    with pytest.raises(grpc.RpcError) as forbidden:
        provider.configure(forbiddenAccountIds=f'["{ACCOUNT}"]')
    assert "forbiddenAccountIds" in reason(forbidden)
    provider.configure(allowedAccountIds=f'["{ACCOUNT}"]')


def test_credentials_that_aws_does_not_know_are_refused_and_never_shown(launch: Launch) -> None:
    hidden = "never" + "shown" * 6
    with pytest.raises(grpc.RpcError) as refused:
        launch().configure(accessKey=Secret("AK" + "IA" + "Z" * 16), secretKey=Secret(hidden))
    assert "AWS did not accept the credentials" in reason(refused)
    assert hidden not in reason(refused)


def test_an_aws_that_does_not_answer_is_told_within_seconds(launch: Launch) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(grpc.RpcError, match="Could not connect"):
            launch(AWS_ENDPOINT_URL=url).configure()
    assert time.monotonic() - started < 60, "and not after minutes of trying"


def test_unknown_settings_are_refused_by_the_check_and_again_by_configure(launch: Launch) -> None:
    provider = launch()
    checked = provider.rpc.CheckConfig(wire.CheckRequest(news=to_wire({"regoin": "x"})))
    assert checked.failures[0].property == "regoin"
    with pytest.raises(grpc.RpcError, match="did you mean region"):
        provider.configure(regoin="x")


def test_an_unknown_type_and_an_unknown_function_are_refused(provider: Provider) -> None:
    with pytest.raises(grpc.RpcError, match="does not carry the resource type aws:dynamodb/table:Table"):
        provider.check("aws:dynamodb/table:Table", "b")
    with pytest.raises(grpc.RpcError, match="has no function aws:ec2/getAmi:getAmi"):
        provider.rpc.Invoke(wire.InvokeRequest(tok="aws:ec2/getAmi:getAmi"))


def test_who_where_and_which_partition_is_answered_under_the_official_names(provider: Provider) -> None:
    def ask(name: str, **arguments: Any) -> dict[str, Any]:
        request = wire.InvokeRequest(tok=f"aws:index/{name}:{name}", args=to_wire(arguments))
        return from_wire(getattr(provider.rpc.Invoke(request), "return"))

    who = ask("getCallerIdentity")
    assert who["accountId"] == who["id"] == ACCOUNT
    assert who["arn"].endswith(":user/administrator")
    assert ask("getRegion") == {
        "description": "US East (N. Virginia)",
        "endpoint": "ec2.us-east-1.amazonaws.com",
        "id": REGION,
        "name": REGION,
        "region": REGION,
    }
    assert ask("getRegion", region="eu-central-1")["description"] == "Europe (Frankfurt)"
    assert ask("getPartition")["dnsSuffix"] == "amazonaws.com"


def test_a_preview_knows_what_can_be_known_and_makes_nothing(provider: Provider) -> None:
    inputs = provider.check(QUEUE, "q", name="previewed", tags={"a": "b"})
    request = wire.CreateRequest(urn=f"urn:pulumi:d::p::{QUEUE}::q", properties=to_wire(inputs), preview=True)
    state = from_wire(provider.rpc.Create(request).properties)
    assert (state["arn"], state["url"]) == (UNKNOWN, UNKNOWN)
    assert (state["name"], state["tagsAll"], state["region"]) == ("previewed", {"a": "b"}, REGION)
    assert provider.read(QUEUE, "q", f"http://sqs.us-east-1.amazonaws.com/{ACCOUNT}/previewed").id == ""


def test_a_secret_input_stays_secret_in_state(provider: Provider) -> None:
    inputs = provider.check(QUEUE, "q", name="with-a-secret", tags={"hidden": Secret("x"), "open": "y"})
    assert inputs["tags"] == {"hidden": Secret("x"), "open": "y"}
    made = provider.rpc.Create(wire.CreateRequest(urn=f"urn:pulumi:d::p::{QUEUE}::q", properties=to_wire(inputs)))
    state = from_wire(made.properties)
    assert state["tags"]["hidden"] == Secret("x")
    provider.delete(QUEUE, "q", made.id, {})


def test_after_a_cancel_nothing_new_is_started(launch: Launch) -> None:
    provider = launch().configure()
    inputs = to_wire(provider.check(QUEUE, "q", name="cancelled"))
    provider.rpc.Cancel(Empty())
    with pytest.raises(grpc.RpcError, match="nothing new is started"):
        provider.rpc.Create(wire.CreateRequest(urn=f"urn:pulumi:d::p::{QUEUE}::q", properties=inputs))


def test_the_schema_tells_every_type_with_its_inputs(provider: Provider) -> None:
    schema = json.loads(provider.rpc.GetSchema(wire.GetSchemaRequest()).schema)
    assert schema["resources"].keys() == RESOURCES.keys()
    function = schema["resources"]["aws:lambda/function:Function"]
    assert function["inputProperties"]["code"] == {"$ref": "pulumi.json#/Archive"}
    named = {ref["$ref"].removeprefix("#/types/") for ref in function["inputProperties"].values() if "$ref" in ref}
    assert named - {"pulumi.json#/Archive"} <= schema["types"].keys(), "every block's type is told too"
