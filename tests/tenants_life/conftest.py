"""Two cells in one: platforms `local` and `other`, both by the real engine, in the one account that the local cell has.

What a test takes away it brought itself, so each has a tenant of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from demo.leaks import Text, files, search
from local.cell import LocalCell
from local.openai.control import ProjectState
from myflux_keys import KeyReader
from myflux_keys.aws_names import CellNames, TenantNames
from tests.actions.conftest import ROOT, Operated
from tests.commands import client
from tests.program.gate import gate

MODEL = "gpt-5.4-mini"


@dataclass(frozen=True)
class Life(Operated):
    """`names` and `describe` are of the cell `local`, where every tenant here begins. `said` is what commands said."""

    said: list[str] = field(default_factory=list[str])

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = super().command(*arguments)
        self.said.extend((done.stdout, done.stderr))
        return done

    def given(self, key: str, *arguments: str, fails: bool = False) -> str:
        """What the command that stores a key, given on standard input, says of it."""
        done = client.run(arguments, self.environment, stdin=key + "\n")
        self.said.extend((done.stdout, done.stderr))
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stderr

    def tenant(self, slug: str, cell: str = "local") -> TenantNames:
        return CellNames(cell, self.cell.account_id, self.cell.region).tenant(slug)

    def file(self, slug: str) -> Path:
        return self.fleet / "tenants" / f"{slug}.yaml"

    def new(self, slug: str) -> None:
        """A tenant's file by the command, then deployed, with its first key."""
        self.told("new", slug, "--from", "acme", "--name", slug)
        self.up(f"{slug}.local")
        self.settled(slug)

    def told(self, *arguments: str) -> dict[str, Any]:
        """What the command says as JSON, having ended well."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *arguments: str) -> str:
        done = self.command(*arguments)
        assert done.returncode == 1, f"{done.returncode}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stderr

    def struck(self, call: str, *arguments: str, earlier: int = 0) -> str:
        """Runs the command, and presses Ctrl-C once AWS has applied `call`, as a terminal does: to the command and to
        all that it started. `earlier` calls of that name pass before. Returns what was said until everything has come
        to its end."""
        passing = iter(range(earlier))

        def meant(target: str, path: str) -> bool:
            named = call in (target.rpartition(".")[2], *path.split("/"))
            return named and next(passing, None) is None

        with gate(self.cell.aws_port, meant) as held:
            running = subprocess.Popen(
                [sys.executable, "-m", "ops.cli", *arguments],
                cwd=ROOT,
                env=dict(self.environment) | {"AWS_ENDPOINT_URL": held.url},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            try:
                assert held.held.wait(120), f"{call} never came: {running.poll()}"
                os.killpg(running.pid, signal.SIGINT)
                held.opened.set()
                out, err = running.communicate(timeout=120)
                wait_until(lambda: not alive(running.pid), "the engine to end")
            finally:
                if alive(running.pid):
                    os.killpg(running.pid, signal.SIGKILL)
        self.said.extend((out, err))
        assert running.returncode != 0, f"it was not stopped: {out}{err}"
        return err

    def openai_project(self, slug: str, cell: str = "local") -> ProjectState:
        name = self.tenant(slug, cell).project
        return next(found for found in self.cell.openai.projects() if found.name == name and not found.archived)

    def project_id(self, slug: str, cell: str = "local") -> str:
        return self.openai_project(slug, cell).id

    def live_keys(self, slug: str, cell: str = "local", organization: str | None = None) -> list[str]:
        """In the cell's own organization, or in a customer's."""
        project = self.tenant(slug, cell).project
        everything = self.cell.openai.projects(organization)
        return [key.id for found in everything if found.name == project for key in found.live_keys]

    def archived(self, slug: str, cell: str = "local") -> list[bool]:
        project = self.tenant(slug, cell).project
        return [found.archived for found in self.cell.openai.projects() if found.name == project]

    def secret(self, slug: str, cell: str = "local") -> dict[str, Any]:
        client = self.cell.client("deployer", "secretsmanager")
        try:
            return client.describe_secret(SecretId=self.tenant(slug, cell).secret)
        finally:
            client.close()

    def stacks(self) -> set[str]:
        return {stack["name"] for stack in json.loads(self.pulumi("stack", "ls", "--json"))}

    @contextmanager
    def reading(self, cell: str = "local") -> Generator[KeyReader]:
        role = CellNames(cell, self.cell.account_id, self.cell.region).runtime_role_arn
        reader = KeyReader(cell, session=self.session(), role_arn=role, ttl=1.0)
        try:
            yield reader
        finally:
            reader.close()

    def key_id(self, slug: str, cell: str = "local") -> str:
        """By a reader that knows nothing yet."""
        with self.reading(cell) as reader:
            return reader.get(slug).key_id

    @contextmanager
    def served(self, slug: str) -> Generator[list[str]]:
        """Reads all the while, afresh each time; the ids of the keys it got. Fails if one read fails."""
        got: list[str] = []
        failed: list[BaseException] = []
        ends = threading.Event()

        def read() -> None:
            with self.reading() as reader:
                while not ends.wait(0.2):
                    try:
                        got.append(reader.get(slug, fresh=True).key_id)
                    except Exception as error:  # noqa: BLE001 - told below, by the thread that asserts
                        failed.append(error)
                        return

        thread = threading.Thread(target=read)
        thread.start()
        try:
            yield got
        finally:
            ends.set()
            thread.join()
        assert not failed, f"a reader was not served, after {len(got)} reads: {failed[0]!r}"
        assert got, "nobody read meanwhile: this shows nothing"


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(done: Callable[[], bool], what: str, seconds: float = 120) -> None:
    give_up = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < give_up, f"still waiting for {what}"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with two_cells(tmp_path_factory.mktemp("life")) as running:
        yield running


@contextmanager
def two_cells(home: Path, *, federation: bool = False) -> Generator[Life]:
    """With `federation` a tenant of the cell `local` may be without a key."""
    cell = LocalCell.start(home)
    try:
        for folder in ("cells", "tenants"):
            shutil.copytree(ROOT / folder, home / "fleet" / folder)
        first = home / "fleet" / "cells" / "local.yaml"
        text = first.read_text(encoding="utf-8")
        (home / "fleet" / "cells" / "other.yaml").write_text(
            text.replace("cell: local", "cell: other"), encoding="utf-8"
        )
        if federation:
            first.write_text(f"{text}federation: {{enabled: true}}\n", encoding="utf-8")
        own = {"MYFLUX_FLEET": str(home / "fleet"), "MYFLUX_STATE": str(home / "operations")}
        running = Life(cell, cell.environment("deployer") | own, home / "fleet", home / "operations")
        cell.openai.settings(admin_requests_per_minute=0)
        with ThreadPoolExecutor(2) as two:
            list(two.map(running.up, ["local", "other"]))
        for name in ("local", "other"):
            running.given(cell.openai.create_admin_key(), "admin-key", "set", "--cell", name)
        yield running
        keys = {key.id: key.value for key in cell.openai.minted()}
        texts = [*files(sorted(home.rglob("*"))), Text("output of commands", "\n".join(running.said).encode())]
        leaks = [f"{leak.where} ({leak.encoding})" for leak in search(texts, keys)]
        assert not leaks, f"keys stand in {leaks}"
    finally:
        cell.stop()


@pytest.fixture(autouse=True)
def in_the_cell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers in this process find the cell by AWS's own variable, as an application does."""
    if "life" in request.fixturenames:
        life: Life = request.getfixturevalue("life")
        for name in ("AWS_ENDPOINT_URL", "NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, life.environment[name])
