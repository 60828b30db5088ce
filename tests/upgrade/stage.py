"""One cell, and the commands of two versions that work on it.

The cell is this version's throughout: its emulators are stricter, and what was made before the upgrade must be there
after it. The files are those of the previous version, with the state in a bucket and a pipeline, as in production. Owns
the environment and each version's commands; leaves out the order.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import tenancy
from demo.report import CheckFailed
from demo.scene import wait_until
from local.cell import LocalCell
from myflux_keys.aws_names import CellNames
from tests.program.rig import Rig
from tests.upgrade import standing
from tests.upgrade.readers import Readers
from tests.upgrade.version import THIS, Version

CELL: Final = "local"
BUCKET: Final = "myflux-state-local"
PIPELINE: Final = f"""
pipeline:
  github: {{repository: myflux/keys, environment: local}}
  state_bucket: {BUCKET}
"""
"""As the version before `state` has it. What a later previous version has is in its own files."""


@dataclass
class Stage:
    """`home` is an empty folder; `previous` is checked out."""

    home: Path
    previous: Version
    cell: LocalCell = field(init=False)
    readers: Readers = field(init=False)
    fleet: tenancy.Fleet = field(init=False)
    environment: Mapping[str, str] = field(init=False)

    def open(self) -> None:
        self.cell = LocalCell.start(self.home / "cell")
        for folder in ("cells", "tenants"):
            shutil.copytree(self.previous.folder / folder, self.home / "fleet" / folder)
        with (self.home / "fleet" / "cells" / f"{CELL}.yaml").open("a", encoding="utf-8") as file:
            file.write(PIPELINE)
        self.fleet = tenancy.load(self.home / "fleet")
        backend = Rig(self.cell, self.home / "fleet", self.home).state_in_s3(BUCKET, versioned=True)
        self.records.mkdir()
        self.environment = self.cell.environment("deployer") | {
            "MYFLUX_FLEET": str(self.home / "fleet"),
            "MYFLUX_LOCAL_HOME": str(self.cell.home),
            "MYFLUX_STATE": str(self.records),
            "PULUMI_BACKEND_URL": backend,
        }
        roles = {
            slug: self.names.tenant(slug).dedicated_role_arn
            if one.isolation == "dedicated"
            else self.names.runtime_role_arn
            for slug, one in self.fleet.tenants.items()
        }
        self.readers = Readers(CELL, roles, self.cell.environment("runtime"), self.home)

    def close(self) -> None:
        """Also where `open` failed, or never ran."""
        if hasattr(self, "readers"):
            self.readers.stop()
        LocalCell.clear(self.home / "cell")

    @property
    def names(self) -> CellNames:
        return self.fleet.cells[CELL].names

    @property
    def records(self) -> Path:
        """What both versions write down about runs, and the engine's logs."""
        return self.home / "records"

    @property
    def managed(self) -> list[str]:
        return sorted(slug for slug, one in self.fleet.tenants.items() if one.rotation is not None)

    @property
    def customers(self) -> list[str]:
        return sorted(set(self.fleet.tenants) - set(self.managed))

    def run(
        self, version: Version, *arguments: str, expect: Sequence[int] = (0,), stdin: int = subprocess.DEVNULL
    ) -> str:
        """`myflux-keys` of that version; what it printed on both streams. `expect` are the exit codes it may have."""
        return self._run(version, [str(version.command), *arguments], expect, stdin)

    def platform(self, version: Version) -> str:
        """`pulumi up` of the platform alone, from that version's checkout."""
        events = str(self.records / f"platform-{version.name}-{time.monotonic_ns()}.jsonl")
        update = ["up", "--stack", CELL, "--yes", "--skip-preview", "--non-interactive", "--event-log", events]
        # The engine shows this option only to those who develop it.
        return self._run(version, ["env", "PULUMI_DEBUG_COMMANDS=true", "pulumi", *update], (0,), subprocess.DEVNULL)

    def _run(self, version: Version, command: Sequence[str], expect: Sequence[int], stdin: int) -> str:
        done = subprocess.run(
            command,
            cwd=version.folder,
            env=dict(self.environment),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        words = " ".join(command).replace(str(version.folder), version.name[:12])
        with (self.home / "commands.log").open("a", encoding="utf-8") as log:
            log.write(f"$ {words}\n{done.stdout}\n")
        if done.returncode not in expect:
            end = done.stdout.strip()[-1500:]
            raise CheckFailed(
                f"{words} exited with {done.returncode} instead of {' or '.join(map(str, expect))}: {end}"
            )
        return done.stdout

    def pipe(self, maker: Sequence[str], version: Version, *arguments: str) -> None:
        """A key goes from one command's output to the other's input; this process does not see it."""
        command = [str(THIS.command), "local", *maker]
        made = subprocess.Popen(command, cwd=THIS.folder, env=dict(self.environment), stdout=subprocess.PIPE)
        assert made.stdout is not None
        try:
            self.run(version, *arguments, stdin=made.stdout.fileno())
        finally:
            made.stdout.close()
            made.wait()

    def hand_over(self, version: Version) -> None:
        for slug in self.customers:
            self.pipe(["openai-customer"], version, "key", "set", slug)

    def rotate(self, version: Version, *tenants: str) -> None:
        """By that version's command, until each reader of both versions has called with the new keys."""
        before = self.readers.keys()
        # Where the command asks before a rotation within the overlap of the one before, it takes this instead.
        yes = ["--yes"] if "--yes" in self.run(version, "rotate", "--help") else []
        self.run(version, "rotate", *tenants, "--wait", "--reason", f"by {version.name[:12]}", *yes)
        self.readers.await_new_keys(before, tenants)

    def killed(self, version: Version, *arguments: str, when: Callable[[], bool]) -> None:
        """Starts a command, and kills it as soon as `when` holds: its record stays as it was at that moment."""
        command = [version.command, *arguments]
        with (self.home / "commands.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=version.folder, env=dict(self.environment), stdout=log, stderr=log, start_new_session=True
            )
            try:
                wait_until(when, f"the moment to kill `{' '.join(arguments)}`", 60)
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def identities(self) -> standing.Identities:
        return standing.identities(self.cell, BUCKET)

    def steps(self, since: float) -> list[tuple[str, str]]:
        return standing.steps(self.records, since)
