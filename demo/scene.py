"""What the checks use: their own cell, its files, its users and its engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import tenancy
from demo.report import CheckFailed
from local.cell import LocalCell
from local.totp import STEP_SECONDS
from myflux_keys import Key, KeyReader
from myflux_keys.aws_names import CellNames
from ops.cli.options import ROOT
from ops.stacks.engine import Engine
from ops.stacks.order import tenant_stacks

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

CELL = "local"
NO_RIGHT = frozenset({"AccessDenied", "AccessDeniedException"})
NO_IDENTITY = frozenset({"MissingAuthenticationTokenException", "UnrecognizedClientException"})
"""Secrets Manager's answer to an unsigned request."""
READER_TTL = 2.0
"""Seconds. Short, so that readers get the new key during the demo; the default is minutes."""


@dataclass
class Scene:
    """`home` holds the demo's own cell: another running cell is not changed."""

    home: Path
    cell: LocalCell = field(init=False)
    fleet: tenancy.Fleet = field(init=False)
    engine: Engine = field(init=False)
    reader: KeyReader = field(init=False)
    first_keys: dict[str, Key] = field(default_factory=dict[str, Key])

    def open(self) -> None:
        """Starts an empty cell, and sets this process's environment, and so the engine's, to it as the deployer."""
        LocalCell.clear(self.home)
        for leftover in ("engine", "fleet", "operations"):
            shutil.rmtree(self.home / leftover, ignore_errors=True)
        self.cell = LocalCell.start(self.home)
        # A copy, since one check disables a tenant, and the demo must not change the working tree.
        for folder in ("tenants", "cells"):
            shutil.copytree(ROOT / folder, self.home / "fleet" / folder)
        with (self.fleet_folder / "cells" / f"{CELL}.yaml").open("a", encoding="utf-8") as file:
            file.write("connect: {enabled: true}\nfederation: {enabled: true}\n")
        environment = self.cell.environment("deployer") | {
            "MYFLUX_FLEET": str(self.fleet_folder),
            "MYFLUX_STATE": str(self.home / "operations"),
        }
        os.environ.clear()
        os.environ.update(environment)
        self.fleet = tenancy.load(self.fleet_folder)
        self.engine = Engine(self.home / "engine", self.fleet_folder)
        self.reader = self.new_reader()

    def close(self) -> None:
        LocalCell.clear(self.home)

    @property
    def fleet_folder(self) -> Path:
        return self.home / "fleet"

    @property
    def names(self) -> CellNames:
        return self.fleet.cells[CELL].names

    @property
    def stacks(self) -> list[str]:
        return tenant_stacks(self.fleet, self.fleet.cells[CELL])

    @property
    def managed(self) -> list[str]:
        """Those for which keys are minted: not a federated one."""
        return sorted(t.tenant for t in self.fleet.tenants_of(CELL) if t.source == "managed" and t.has_key)

    @property
    def customers(self) -> list[str]:
        return sorted(t.tenant for t in self.fleet.tenants_of(CELL) if t.source == "customer")

    def overlap_hours(self, tenant: str) -> int:
        rotation = self.fleet.tenants[tenant].rotation
        if rotation is None:
            raise CheckFailed(f"{tenant} does not rotate")
        return rotation.overlap_hours

    def reader_role(self, tenant: str) -> str:
        names = self.names.tenant(tenant)
        dedicated = self.fleet.tenants[tenant].isolation == "dedicated"
        return names.dedicated_role_arn if dedicated else self.names.runtime_role_arn

    def new_reader(self, clock: Callable[[], float] = time.time) -> KeyReader:
        session = self.cell.session("runtime")
        return KeyReader(CELL, session=session, role_arn=self.reader_role, ttl=READER_TTL, clock=clock)

    def client(self, user: str, service: str) -> Any:
        return self.cell.client(user, service)

    def as_runtime(self, tenant: str) -> boto3.Session:
        """The runtime's session for one tenant, without the reader."""
        return self.as_role(self.reader_role(tenant), tenant)

    def as_role(self, role_arn: str, tenant: str) -> boto3.Session:
        """The session that the application gets for `role_arn` with a tenant's tag."""
        answer = self.client("runtime", "sts").assume_role(
            RoleArn=role_arn,
            RoleSessionName="demo",
            Tags=[{"Key": "tenant", "Value": tenant}],
        )
        return session_of(answer["Credentials"], self.cell.region)

    def as_person(self, role_arn: str, tenant: str) -> boto3.Session:
        """The session that a person gets for the hand-over role with their second factor."""
        self.cell.advance(STEP_SECONDS)  # A code is taken once.
        serial, code = self.cell.second_factor()
        answer = self.client("deployer", "sts").assume_role(
            RoleArn=role_arn,
            RoleSessionName="deployer",
            SerialNumber=serial,
            TokenCode=code,
            Tags=[{"Key": "tenant", "Value": tenant}],
        )
        return session_of(answer["Credentials"], self.cell.region)

    def command(self, *arguments: str, stdin: Any = None, expect: int = 0) -> str:
        """Runs `myflux-keys` as a person would; returns its standard output. `expect` is the exit code it must have."""
        done = subprocess.run(
            [sys.executable, "-m", "ops.cli", *arguments],
            cwd=ROOT,
            stdin=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        with (self.home / "engine" / "commands.log").open("a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode != expect:
            raise CheckFailed(f"myflux-keys {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout


def secrets_of(session: boto3.Session, config: Config | None = None) -> SecretsManagerClient:
    return session.client("secretsmanager", config=config)  # pyright: ignore[reportUnknownMemberType]


def session_of(credentials: dict[str, str], region: str) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=region,
    )


def denied(attempt: Callable[[], object], who: str, codes: frozenset[str] = NO_RIGHT) -> None:
    """Raises CheckFailed unless AWS refuses `attempt` with one of `codes`: any other error proves nothing."""
    try:
        attempt()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in codes:
            return
        raise CheckFailed(f"{who}: expected a denial, got {error}") from None
    raise CheckFailed(f"{who} was allowed")


def wait_until(done: Callable[[], bool], what: str, seconds: float = 180) -> None:
    """Raises CheckFailed. OpenAI allows about ten admin calls a minute, so a rotation may have to wait."""
    give_up = time.monotonic() + seconds
    while not done():
        if time.monotonic() > give_up:
            raise CheckFailed(f"still waiting after {seconds:.0f} s for {what}")
        time.sleep(0.1)
