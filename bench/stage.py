"""A local cell for measuring, with its own home and tenant files, its platform deployed and its admin key stored.

Also runs one real `pulumi up` of a tenant. Leaves out the other tenants of a cell (`bench/crowd.py`) and the
measurements. The OpenAI emulator has no rate limit for admin endpoints here, since waits for OpenAI are not measured.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import tenancy
from local.cell import LocalCell
from myflux_keys.aws_names import CellNames
from myflux_keys.payload import SecretText
from ops.actions import admin_key
from ops.stacks.engine import ROOT, Engine, Outcome

CELL: Final = "local"
PATTERN: Final = "acme"
"""Every measured tenant is a copy of this one with another slug. It is managed and has limits and a budget."""

_FIRST_KEY_SECONDS: Final = 60.0


class Stage:
    """A running cell with its platform. `opened` makes it."""

    def __init__(self, home: Path, cell: LocalCell) -> None:
        self.home = home
        self.cell = cell
        self.fleet = home / "fleet"
        for folder in ("tenants", "cells"):
            (self.fleet / folder).mkdir(parents=True)
        shutil.copy(ROOT / "cells" / f"{CELL}.yaml", self.fleet / "cells")
        described = tenancy.load(self.fleet).cells[CELL]
        self.names: CellNames = described.names
        self.deployers = list(described.deployer_principals)
        self.environment = cell.environment("deployer") | {"MYFLUX_FLEET": str(self.fleet)}
        with towards(self.environment):
            self.engine = Engine(home / "engine", self.fleet)
        self._pattern = (ROOT / "tenants" / f"{PATTERN}.yaml").read_text(encoding="utf-8")
        self._stacks: list[str] = []
        self._secrets = cell.client("deployer", "secretsmanager")
        cell.openai.settings(admin_requests_per_minute=0)

    def deploy_platform(self) -> None:
        self.up(CELL)
        cell = tenancy.load(self.fleet).cells[CELL]
        admin_key.store(
            cell, SecretText(self.cell.openai.create_admin_key("bench")), self.cell.openai_url, self._secrets
        )

    def up(self, stack: str) -> Outcome:
        """`pulumi up` of one stack through the Automation API, as the fleet runs it."""
        self._stacks.append(stack)
        with towards(self.environment):
            return self.engine.up(stack)

    def file(self, slug: str) -> Path:
        return self.fleet / "tenants" / f"{slug}.yaml"

    def write_tenant(self, slug: str) -> None:
        text = self._pattern.replace(f"tenant: {PATTERN} ", f"tenant: {slug} ")
        self.file(slug).write_text(text, encoding="utf-8")

    def will_leave(self, stack: str) -> None:
        """A stack that a command makes; `close` removes its settings."""
        self._stacks.append(stack)

    def expect_tenant(self, slug: str) -> str:
        """Writes a tenant's file without deploying it; returns the name of its stack, which `close` removes."""
        self.write_tenant(slug)
        stack = self.names.tenant(slug).stack
        self._stacks.append(stack)
        return stack

    def add_tenant(self, slug: str) -> float:
        """Seconds from the new file to the end of `pulumi up`, without the wait for the first key."""
        self.write_tenant(slug)
        names = self.names.tenant(slug)
        began = time.perf_counter()
        outcome = self.up(names.stack)
        taken = time.perf_counter() - began
        if not outcome.changes.get("create"):
            raise RuntimeError(f"pulumi up of {names.stack} made nothing: {outcome.changes}")
        self.await_first_key(slug)
        return taken

    def type_tenant(self, slug: str) -> float:
        """As `add_tenant`, with the commands that a person types: `pulumi stack init` and `pulumi up --yes`, which
        previews first."""
        self.write_tenant(slug)
        names = self.names.tenant(slug)
        self._stacks.append(names.stack)
        began = time.perf_counter()
        for command in (("stack", "init", names.stack), ("up", "--yes", "--stack", names.stack)):
            self._pulumi(*command)
        taken = time.perf_counter() - began
        self.await_first_key(slug)
        return taken

    def _pulumi(self, *command: str) -> None:
        done = subprocess.run(
            ["pulumi", *command, "--non-interactive"],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pulumi {' '.join(command)}: {(done.stdout + done.stderr).strip()[-2000:]}")

    def await_first_key(self, slug: str) -> None:
        """Waits for the first key. Otherwise this tenant's first rotation would slow the next sample."""
        secret = self.names.tenant(slug).secret
        give_up = time.monotonic() + _FIRST_KEY_SECONDS
        while "LastRotatedDate" not in self._secrets.describe_secret(SecretId=secret):
            if time.monotonic() > give_up:
                raise RuntimeError(f"{secret} had no key {_FIRST_KEY_SECONDS:.0f} s after pulumi up")
            time.sleep(0.1)

    def client(self, service: str) -> Any:
        return self.cell.client("deployer", service)

    def close(self) -> None:
        """Stops the cell and deletes its stacks' settings; keeps the engine's logs."""
        LocalCell.clear(self.home)
        for leftover in ("fleet", "terraform"):
            shutil.rmtree(self.home / leftover, ignore_errors=True)
        for stack in self._stacks:
            if stack != CELL:
                (ROOT / ".stacks" / f"Pulumi.{stack}.yaml").unlink(missing_ok=True)


@contextmanager
def opened(home: Path) -> Generator[Stage]:
    """A new cell with its platform in `home`. Afterwards it is deleted, except for the engine's logs."""
    LocalCell.clear(home)
    shutil.rmtree(home, ignore_errors=True)
    cell = LocalCell.start(home)
    stage: Stage | None = None
    try:
        stage = Stage(home, cell)
        stage.deploy_platform()
        yield stage
    finally:
        if stage is None:
            LocalCell.clear(home)
        else:
            stage.close()


@contextmanager
def towards(environment: dict[str, str]) -> Generator[None]:
    """Replaces this process's environment, which the engine inherits, inside the `with`."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
