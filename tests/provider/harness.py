"""What the provider's tests work with: an AWS, the provider as a process, a stack run by the real engine.

Owns the handles; leaves out their start and end (`conftest`).
"""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import grpc
from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto import provider_pb2_grpc

from local.provider.values import from_wire, reveal, to_wire

REPOSITORY = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class AwsServer:
    url: str
    home: Path

    def environment(self, user: str = "administrator") -> dict[str, str]:
        """What a child process needs to be `user`, and nothing of the caller's own AWS."""
        profiles = configparser.ConfigParser(interpolation=None)
        profiles.read(self.home / "credentials")
        return {
            "AWS_ACCESS_KEY_ID": profiles[user]["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": profiles[user]["aws_secret_access_key"],
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }

    def client(self, service: str, user: str = "administrator") -> Any:
        held = self.environment(user)
        session = boto3.Session(held["AWS_ACCESS_KEY_ID"], held["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
        return session.client(service, endpoint_url=self.url)  # pyright: ignore[reportCallIssue, reportArgumentType]


class Provider:
    """The provider as its own process, spoken to as the engine does."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.provider", *arguments],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.rpc: Any = provider_pb2_grpc.ResourceProviderStub(self.channel)

    def configure(self, **settings: Any) -> Provider:
        self.rpc.Configure(wire.ConfigureRequest(args=to_wire({"region": REGION} | settings)))
        return self

    def check(self, type: str, name: str, /, **news: Any) -> dict[str, Any]:
        answer = self.rpc.Check(wire.CheckRequest(**_named(type, name), news=to_wire(news), randomSeed=name.encode()))
        assert not answer.failures, answer.failures
        return from_wire(answer.inputs)

    def create(self, type: str, name: str, seconds: float = 0, /, **news: Any) -> tuple[str, dict[str, Any]]:
        inputs = to_wire(self.check(type, name, **news))
        answer = self.rpc.Create(wire.CreateRequest(**_named(type, name), properties=inputs, timeout=seconds))
        return answer.id, reveal(from_wire(answer.properties))

    def update(self, type: str, name: str, id: str, olds: dict[str, Any], /, **news: Any) -> dict[str, Any]:
        inputs = to_wire(self.check(type, name, **news))
        request = wire.UpdateRequest(**_named(type, name), id=id, olds=to_wire(olds), news=inputs)
        return reveal(from_wire(self.rpc.Update(request).properties))

    def read(self, type: str, name: str, id: str, /, **state: Any) -> Any:
        return self.rpc.Read(wire.ReadRequest(**_named(type, name), id=id, properties=to_wire(state)))

    def delete(self, type: str, name: str, id: str, state: dict[str, Any]) -> None:
        self.rpc.Delete(wire.DeleteRequest(**_named(type, name), id=id, properties=to_wire(state)))

    def close(self) -> None:
        self.channel.close()
        self.process.terminate()
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


def _named(type: str, name: str) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:dev::p::{type}::{name}", "type": type, "name": name}


@dataclass(frozen=True)
class Stack:
    """A Pulumi project on disk with one stack, `dev`, run by the real engine as a person would."""

    folder: Path
    environment: dict[str, str]

    def program(self, text: str) -> None:
        heading = "import json, pulumi\nimport pulumi_aws as aws\n"
        (self.folder / "__main__.py").write_text(heading + text, encoding="utf-8")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["pulumi", *arguments, "--stack", "dev", "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        process = self.start(*arguments, **environment)
        output, _ = process.communicate(timeout=300)
        assert (process.returncode != 0) == fails, output
        return output

    def up(self, fails: bool = False, **environment: str) -> str:
        return self.run("up", "--yes", "--skip-preview", fails=fails, **environment)

    def state(self) -> dict[str, dict[str, Any]]:
        """Resources by name, as the checkpoint holds them."""
        exported = json.loads(self.run("stack", "export"))
        return {each["urn"].rsplit("::", 1)[-1]: each for each in exported["deployment"].get("resources", [])}
