"""Files, an in-memory account for decisions, and one running cell with real stacks for the commands."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from functions.health.store import STATE
from local.cell import LocalCell
from myflux_keys import KeyReader
from myflux_keys.aws_names import CellNames
from tenancy import Cell, Fleet, load
from tests.actions.stand_ins import Clock, FakeSecrets
from tests.commands import client
from tests.tenancy.files import Files

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secrets(clock: Clock) -> FakeSecrets:
    return FakeSecrets(clock)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    files = Files(tmp_path / "fleet")
    files.tenant()
    return load(tmp_path / "fleet")


@pytest.fixture
def small_cell(fleet: Fleet) -> Cell:
    return fleet.cells["local"]


@dataclass(frozen=True)
class Operated:
    """A cell with its platform and two managed tenants, acme and fjord, deployed by the real engine. initech, whose key
    is the customer's own, has a file and no stack yet. `state` is where commands keep their records."""

    cell: LocalCell
    environment: Mapping[str, str]
    fleet: Path
    state: Path

    @property
    def names(self) -> CellNames:
        return CellNames("local", self.cell.account_id, self.cell.region)

    def popen(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """`myflux-keys` as a machine runs it: no terminal on any side."""
        return subprocess.Popen(
            [sys.executable, "-m", "ops.cli", *arguments],
            cwd=ROOT,
            env=dict(self.environment),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return client.run(arguments, self.environment)

    def pulumi(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pulumi", *arguments],
            cwd=ROOT,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            executable=shutil.which("pulumi", path=self.environment["PATH"]),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, stack: str) -> str:
        self.pulumi("stack", "select", "--create", stack)
        return self.pulumi("up", "--yes", "--skip-preview", "--stack", stack)

    def settled(self, *tenants: str) -> None:
        """Waits for rotations under way, the first ones above all."""
        give_up = time.monotonic() + 60
        for tenant in tenants:
            while "LastRotatedDate" not in (told := self.describe(tenant)) or _pending(told):
                assert time.monotonic() < give_up, f"{tenant} has no key yet: {told}"
                time.sleep(0.1)

    def describe(self, tenant: str) -> dict[str, Any]:
        client = self.cell.client("deployer", "secretsmanager")
        try:
            return client.describe_secret(SecretId=self.names.tenant(tenant).secret)
        finally:
            client.close()

    def forget_health(self) -> None:
        """As if the health function had never looked, whichever tests ran before."""
        client = self.cell.client("deployer", "s3")
        try:
            client.delete_object(Bucket=self.names.health_bucket, Key=STATE)
        finally:
            client.close()

    def reader(self) -> KeyReader:
        role = self.names.runtime_role_arn
        return KeyReader("local", session=self.session(), role_arn=lambda _tenant: role, ttl=1.0)

    def session(self) -> Any:
        return self.cell.session("runtime")


def _pending(told: dict[str, Any]) -> bool:
    return any(labels == ["AWSPENDING"] for labels in told.get("VersionIdsToStages", {}).values())


@pytest.fixture(scope="session")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    home = tmp_path_factory.mktemp("operated")
    cell = LocalCell.start(home)
    try:
        for folder in ("cells", "tenants"):
            shutil.copytree(ROOT / folder, home / "fleet" / folder)
        # Dedicated isolation is another test's; here it would cost two roles and a key.
        (home / "fleet" / "tenants" / "globex.yaml").unlink()
        own = {"MYFLUX_FLEET": str(home / "fleet"), "MYFLUX_STATE": str(home / "operations")}
        running = Operated(cell, cell.environment("deployer") | own, home / "fleet", home / "operations")
        cell.openai.settings(admin_requests_per_minute=0)
        running.up("local")
        key = cell.openai.create_admin_key() + "\n"
        stored = client.run(["admin-key", "set", "--cell", "local"], running.environment, stdin=key)
        assert stored.returncode == 0, stored.stdout + stored.stderr
        with ThreadPoolExecutor(2) as two:
            list(two.map(running.up, ["acme.local", "fjord.local"]))
        running.settled("acme", "fjord")
        yield running
    finally:
        cell.stop()
