"""One cell with its platform for every test here; each test has tenants of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.cell import LocalCell
from tests.commands import client
from tests.program.rig import CELL, ROOT, Rig


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def outcomes(self) -> dict[str, str]:
        return {stack: told["outcome"] for stack, told in self.facts["stacks"].items()}


@dataclass
class Operator:
    """Somebody who types `myflux-keys`. `state` is what their machine remembers, `more` what their shell sets."""

    rig: Rig
    state: Path
    more: dict[str, str]

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        return self.rig.environment() | {"MYFLUX_STATE": str(self.state)} | self.more | more

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """In a session of its own, as a terminal gives it."""
        return subprocess.Popen(
            [sys.executable, "-m", "ops.cli", *arguments, "--json"],
            cwd=ROOT,
            env=self._environment(more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self, running: subprocess.Popen[str]) -> Ended:
        """Fails after so long; what runs then is ended, with its workers and the engine, since no test may leave it."""
        try:
            out, err = running.communicate(timeout=400)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            raise
        return Ended(running.returncode, out, err)

    def run(self, *arguments: str, **more: str) -> Ended:
        done = client.run([*arguments, "--json"], self._environment(more), timeout=400, group=True)
        return Ended(done.returncode, done.stdout, done.stderr)

    def at_work(self) -> dict[str, int]:
        """The stacks that a worker is at, and its process."""
        notes = (self.state / "fleet").rglob("at-work/*.json")
        return {note["stack"]: note["pid"] for note in (json.loads(path.read_text("utf-8")) for path in notes)}


@pytest.fixture(scope="session")
def fleet_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Below a folder whose name an address must quote: every path of the product goes through it."""
    folder = tmp_path_factory.mktemp("fleet") / "s%20p"
    folder.mkdir()
    cell = LocalCell.start(folder / "cell")
    try:
        rig = Rig(cell, folder / "fleet", folder / "said")
        rig.said.mkdir()
        rig.another_fleet(rig.fleet)
        for other in ("fjord", "globex"):
            rig.tenant_file(other).unlink()
        cell.openai.settings(admin_requests_per_minute=0)
        rig.up(CELL)
        rig.store_admin_key()
        yield rig
    finally:
        cell.stop()
        shutil.rmtree(folder)


@pytest.fixture
def operator(fleet_rig: Rig, tmp_path: Path) -> Operator:
    return Operator(fleet_rig, tmp_path / "operations", {})
