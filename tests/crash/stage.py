"""Both sides of a cell with a fault-injecting proxy before each, and the rotation function between them.

Owns the processes and what a platform stack would deploy: the admin secret, the function, its permissions. Leaves out
tenants (`tenant.py`). Its own servers, since Secrets Manager's behaviour is chosen by variables of their process.
"""

from __future__ import annotations

import configparser
import io
import json
import os
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from components.iam import identity
from functions.shared.deadline import Deadline
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from local import clock
from local.aws.server import ACCOUNT_ID, REGION
from local.openai.control import EmulatorControl
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import ROTATION
from myflux_keys.payload import SecretText
from tests.crash.function import Function
from tests.crash.proxy import Proxy
from tests.crash.script import Script

CELL: Final = "local"
MODEL: Final = "gpt-5-mini"
ATTEMPTS: Final = 5
"""AWS repeats a failed rotation "multiple times"."""
_ROOT: Final = Path(__file__).resolve().parents[2]
_READY_SECONDS: Final = 60.0


@dataclass
class Stage:
    home: Path
    aws_url: str
    openai_url: str
    control: EmulatorControl
    script: Script
    function: Function
    names: CellNames
    proxies: tuple[Proxy, ...] = ()
    _clients: ExitStack = field(default_factory=ExitStack)

    def client(self, service: str, user: str = "administrator") -> Any:
        """A client of one of the cell's users that talks to AWS past the proxy."""
        access_key, secret_key = self._credentials(user)
        maker: Any = boto3.Session(access_key, secret_key, region_name=REGION)
        client = maker.client(service, endpoint_url=self.aws_url, config=Config(proxies={}, read_timeout=30))
        self._clients.callback(client.close)
        return client

    @cached_property
    def secrets(self) -> Any:
        """Secrets Manager as the account's administrator sees it."""
        return self.client("secretsmanager")

    @cached_property
    def admin_key(self) -> SecretText:
        return SecretText(self.secrets.get_secret_value(SecretId=self.names.admin_secret)["SecretString"])

    def _credentials(self, user: str) -> tuple[str, str]:
        profiles = configparser.ConfigParser(interpolation=None)
        profiles.read(self.home / "credentials")
        return profiles[user]["aws_access_key_id"], profiles[user]["aws_secret_access_key"]

    def openai(self, method: str, path: str, key: SecretText, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One call past the proxy. Raises OpenAIError."""
        return OpenAIHTTP(self.openai_url, Deadline(60)).send(method, path, key, body=body)

    def accepts(self, key: SecretText) -> bool:
        try:
            self.openai("GET", f"/models/{MODEL}", key)
        except OpenAIError:
            return False
        return True

    def leaked(self) -> list[str]:
        """Ids of the keys whose value the function's log holds."""
        logged = self.function.log.read_text(encoding="utf-8")
        return [key.id for key in self.control.minted() if key.value in logged]

    def advance(self, seconds: float) -> None:
        clock.advance(self.home / "clock", seconds)


@contextmanager
def staged(home: Path, *, first_is_current: bool) -> Generator[Stage]:
    """`first_is_current`: the first value of an empty secret gets AWSCURRENT by itself, as AWS's reference says."""
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        aws_url = stack.enter_context(_aws(home, first_is_current))
        openai_url = stack.enter_context(_openai(home))
        control = EmulatorControl(openai_url, (home / "openai-token").read_text(encoding="ascii").strip())
        control.settings(admin_requests_per_minute=0, max_projects=1_000_000)
        script = Script()
        log = home / "function.log"
        log.touch()
        function = Function(script, log)
        called = CellNames(CELL, ACCOUNT_ID, REGION)
        stage = Stage(home, aws_url, openai_url, control, script, function, called)
        stack.callback(stage._clients.close)
        proxies = [Proxy(url, script, function.kill) for url in (aws_url, openai_url)]
        for proxy in proxies:
            stack.enter_context(proxy.running())
        stage.proxies = tuple(proxies)
        relay = stack.enter_context(function.served())
        _deploy(stage, relay)
        yield stage


def _deploy(stage: Stage, relay: str) -> None:
    iam, functions, secrets = (stage.client(service) for service in ("iam", "lambda", "secretsmanager"))
    secrets.create_secret(Name=stage.names.admin_secret, SecretString=stage.control.create_admin_key())
    name = stage.names.rotation_function
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(identity.function_trust()))["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.write(Path(__file__).with_name("relay.py"), "relay.py")
    functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="relay.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=120,
        Environment={"Variables": {"RELAY": relay}},
    )
    functions.add_permission(
        FunctionName=name,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=ACCOUNT_ID,
    )
    # A user with the shipped role's permissions: a session's credentials would expire when a test moves the clock.
    permissions = json.dumps(identity.function_permissions(ROTATION, stage.names))
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="permissions", PolicyDocument=permissions)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    aws, openai = stage.proxies
    stage.function.environment = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": aws.url,
        "HOME": str(stage.home),
        "MYFLUX_ADMIN_SECRET": stage.names.admin_secret,
        "MYFLUX_CELL": CELL,
        "MYFLUX_ORGANIZATION_ID": "org-local",
        "OPENAI_BASE_URL": openai.url,
    }


@contextmanager
def _aws(home: Path, first_is_current: bool) -> Generator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "MYFLUX_LOCAL_FIRST_VERSION_CURRENT": "1" if first_is_current else "0",
        "MYFLUX_LOCAL_ROTATION_ATTEMPTS": str(ATTEMPTS),
        "MYFLUX_LOCAL_ROTATION_RETRY_SECONDS": "0.01",
    }
    command = [sys.executable, "-m", "local.aws.server", "--port", str(port), "--home", str(home)]
    with (home / "aws.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=log, stderr=log)
    try:
        end = time.monotonic() + _READY_SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the cell's AWS side did not start: {(home / 'aws.log').read_text()}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        _end(process)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"GET /_ministack/health HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


@contextmanager
def _openai(home: Path) -> Generator[str]:
    command = [sys.executable, "-m", "local.openai.server", "--port", "0", "--home", str(home)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}/v1"
        finally:
            _end(process)


def _end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
