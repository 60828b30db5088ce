"""A real cell's AWS side in a process of its own, and a rotation function in it, driven by boto3 over HTTP."""

from __future__ import annotations

import configparser
import io
import json
import os
import socket
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import clock

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
ACCOUNT = "000000000000"
FUNCTION = Path(__file__).parent / "rotation_function.py"


@dataclass
class Cell:
    """One server. Clients are closed with it."""

    home: Path
    url: str
    process: subprocess.Popen[bytes]
    clients: list[Any] = field(default_factory=list)

    def client(self, service: str, profile: str = "administrator", region: str = REGION) -> Any:
        profiles = configparser.ConfigParser()
        profiles.read(self.home / "credentials")
        keys = profiles[profile]
        session = boto3.Session(keys["aws_access_key_id"], keys["aws_secret_access_key"], region_name=region)
        return self._client(session, service)

    def client_with(self, service: str, credentials: dict[str, str]) -> Any:
        session = boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials.get("SessionToken"),
            region_name=REGION,
        )
        return self._client(session, service)

    def _client(self, session: boto3.Session, service: str) -> Any:
        # The API's limits are the server's to enforce here, so botocore's own validation is off.
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False, read_timeout=30)
        maker: Any = session
        client = maker.client(service, endpoint_url=self.url, config=config)
        self.clients.append(client)
        return client

    def advance(self, seconds: float) -> None:
        clock.advance(self.home / "clock", seconds)

    def now(self) -> float:
        return time.time() + float((self.home / "clock").read_text() if (self.home / "clock").exists() else 0)


def start(home: Path, **environment: str) -> Cell:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"PATH": os.environ["PATH"], "MYFLUX_LOCAL_ROTATION_RETRY_SECONDS": "0.05", **environment}
    log = (home / "server.log").open("wb")
    with log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.aws.server", "--port", str(port), "--home", str(home)],
            cwd=ROOT,
            env=settings,
            stdout=log,
            stderr=log,
        )
    cell = Cell(home, f"http://127.0.0.1:{port}", process)
    deadline = time.monotonic() + 60
    while True:
        try:
            cell.client("sts").get_caller_identity()
            return cell
        except Exception as failure:
            if process.poll() is not None or time.monotonic() > deadline:
                stop(cell)
                raise AssertionError(f"no server: {failure}\n{(home / 'server.log').read_text()}") from failure
            time.sleep(0.1)


def stop(cell: Cell) -> None:
    for client in cell.clients:
        client.close()
    cell.process.terminate()
    try:
        cell.process.wait(10)
    except subprocess.TimeoutExpired:
        cell.process.kill()
        cell.process.wait()


@pytest.fixture(scope="session")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    running = start(tmp_path_factory.mktemp("cell"))
    yield running
    stop(running)


@pytest.fixture
def secrets(cell: Cell) -> Any:
    """Secrets Manager as the account's administrator sees it."""
    return cell.client("secretsmanager")


@pytest.fixture
def name() -> str:
    """A secret's name that no other test has."""
    return f"test/{uuid.uuid4()}"


@dataclass
class Refused:
    """What an operation was refused with."""

    code: str
    message: str


@pytest.fixture
def refused() -> Callable[..., Refused]:
    """``refused(call, **parameters)`` is the error that the call must end with."""

    def call(operation: Callable[..., Any], **parameters: Any) -> Refused:
        with pytest.raises(ClientError) as caught:
            operation(**parameters)
        error: Any = caught.value.response.get("Error")
        return Refused(error["Code"], error["Message"])

    return call


@dataclass
class Rotator:
    """The deployed rotation function, and what it was told and called with."""

    cell: Cell
    arn: str
    control: Path

    def tell(self, secret: str, **wanted: Any) -> None:
        """Replaces what was told before, whole: the function may be reading it. `hold` names a step that waits in the
        function until something else is told; `fail`, `crash` and `skip` are in `rotation_function.py`."""
        draft = self._file(secret, "new")
        draft.write_text(json.dumps(wanted))
        draft.replace(self._file(secret, "json"))

    def calls(self, secret: str) -> list[dict[str, str]]:
        log = self._file(secret, "log")
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def steps(self, secret: str) -> list[str]:
        return [call["Step"] for call in self.calls(secret)]

    def _file(self, secret: str, kind: str) -> Path:
        return self.control / f"{secret.replace('/', '_')}.{kind}"

    def events(self, arn: str) -> list[str]:
        """The names of the service events that CloudTrail holds of a secret, oldest first."""
        trail = self.cell.client("cloudtrail")
        attribute = [{"AttributeKey": "ResourceName", "AttributeValue": arn}]
        found = trail.lookup_events(LookupAttributes=attribute, MaxResults=50)["Events"]
        service = [json.loads(event["CloudTrailEvent"]) for event in reversed(found)]
        return [event["eventName"] for event in service if event["eventType"] == "AwsServiceEvent"]

    def rotate(self, secret: str, **parameters: Any) -> str:
        """Starts a rotation with a schedule of 30 days and returns its token."""
        rules = {"RotationLambdaARN": self.arn, "RotationRules": {"AutomaticallyAfterDays": 30}, **parameters}
        return self.cell.client("secretsmanager").rotate_secret(SecretId=secret, **rules)["VersionId"]

    def wait(self, arn: str, event: str, times: int = 1) -> None:
        """Returns when CloudTrail has the secret's service event `event` so many times."""
        self.wait_until(lambda: self.events(arn).count(event) >= times, f"{times} {event}, but {self.events(arn)}")

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, f"waited 60 s in vain for: {what}"
            time.sleep(0.05)


ROTATION_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["secretsmanager:*", "kms:*"], "Resource": "*"}],
}


def deploy(cell: Cell, permitted: bool = True, **permission: str) -> Rotator:
    """The rotation function with a role of its own; `permission` replaces the source account's bound."""
    unique = uuid.uuid4().hex[:12]
    control = cell.home / unique
    control.mkdir()
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam, functions = cell.client("iam"), cell.client("lambda")
    role = iam.create_role(
        RoleName=f"rotation-{unique}",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    iam.put_role_policy(RoleName=f"rotation-{unique}", PolicyName="all", PolicyDocument=json.dumps(ROTATION_POLICY))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.write(FUNCTION, FUNCTION.name)
    arn = functions.create_function(
        FunctionName=f"rotation-{unique}",
        Runtime="python3.12",
        Role=role,
        Handler=f"{FUNCTION.stem}.handler",
        Code={"ZipFile": code.getvalue()},
        Timeout=30,
        Environment={"Variables": {"CONTROL": str(control)}},
    )["FunctionArn"]
    if permitted:
        functions.add_permission(
            FunctionName=arn,
            StatementId="secrets-manager",
            Action="lambda:InvokeFunction",
            Principal="secretsmanager.amazonaws.com",
            **(permission or {"SourceAccount": ACCOUNT}),
        )
    return Rotator(cell, arn, control)


@pytest.fixture
def deployment(cell: Cell) -> Callable[..., Rotator]:
    """``deployment(**permission)`` deploys another rotation function: see `deploy`."""
    return lambda **permission: deploy(cell, **permission)


@pytest.fixture
def cell_with(tmp_path: Path) -> Iterator[Callable[..., tuple[Cell, Rotator]]]:
    """``cell_with(NAME="value")`` is a further cell with these settings, and a rotation function in it."""
    started: list[Cell] = []

    def make(**environment: str) -> tuple[Cell, Rotator]:
        home = tmp_path / str(len(started))
        home.mkdir()
        started.append(start(home, **environment))
        return started[-1], deploy(started[-1])

    yield make
    for running in started:
        stop(running)


@pytest.fixture(scope="session")
def rotator(cell: Cell) -> Rotator:
    return deploy(cell)
