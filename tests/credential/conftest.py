"""A cell with federation and its platform, by the real engine, and tenants that are switched while they call."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import openai
import pytest

from components.iam import denied_sessions
from demo.leaks import Text, files, search
from local.cell import LocalCell
from myflux_keys import KeyReader
from ops.actions import run_credential
from ops.actions.credential import Target
from ops.actions.rotate import Waiting
from tests.actions.conftest import ROOT
from tests.keyless.deployed import MODEL, Clock
from tests.tenants_life.conftest import Life


@dataclass(frozen=True)
class Switching(Life):
    """`clock`: the cell's and the readers', which go forward while a switch waits."""

    clock: Clock = None  # type: ignore[assignment]

    def switch(self, slug: str, target: Target) -> list[str]:
        """As the command does, in this process; what it reported."""
        said: list[str] = []
        prepared = run_credential.prepare(self.fleet, slug, target, "a test")
        waiting = Waiting(now=self.clock, sleep=self._sleep, give_up_seconds=run_credential.WAIT_SECONDS)
        run_credential.switch(prepared, confirmed=lambda: True, report=said.append, waiting=waiting)
        self.said.extend(said)
        return said

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(max(seconds, 600.0))
        time.sleep(0.2)

    @contextmanager
    def calling(self, slug: str) -> Generator[list[str]]:
        """One reader's client calls all the while; the models that answered. Fails if one call fails."""
        answered: list[str] = []
        failed: list[BaseException] = []
        ends = threading.Event()

        def call() -> None:
            session = self.cell.session("runtime")
            with (
                KeyReader("local", session=session, clock=self.clock) as reader,
                reader.openai_client(slug, max_retries=0) as client,
            ):
                while not ends.wait(0.1) and not failed:
                    try:
                        answered.append(client.responses.create(model=MODEL, input="Hello").model)
                    except Exception as error:  # noqa: BLE001 - told below, by the thread that asserts
                        failed.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        try:
            yield answered
        finally:
            ends.set()
            thread.join()
        assert not failed, f"a call failed, after {len(answered)}: {failed[0]!r}"
        assert len(answered) > 10, "hardly a call was made meanwhile: this shows nothing"

    def keyless(self, slug: str) -> None:
        """A tenant that never had a key, deployed."""
        self.told("new", slug, "--from", "acme", "--name", slug, "--credential", "federated")
        self.up(f"{slug}.local")

    def asked(self, *arguments: str) -> dict[str, Any]:
        """What a report says as JSON, whatever it found."""
        return json.loads(self.command(*arguments, "--json").stdout)

    def denied_sessions(self) -> dict[str, datetime]:
        client = self.cell.client("deployer", "iam")
        try:
            held = client.get_role_policy(RoleName=self.names.runtime_role, PolicyName=denied_sessions.POLICY)
            return denied_sessions.denials(held["PolicyDocument"])
        except client.exceptions.NoSuchEntityException:
            return {}
        finally:
            client.close()

    def accounts(self, project: str) -> list[str]:
        """Ids of the project's service accounts at OpenAI."""
        return [account for one in self.cell.openai.projects() if one.id == project for account in one.service_accounts]

    def federation_rules(self, slug: str) -> int:
        return len(self.rule_ids(slug))

    def rule_ids(self, slug: str) -> list[str]:
        project = self.tenant(slug).project
        key = self.cell.openai.create_admin_key("a look", expires_in_seconds=3600)
        with openai.OpenAI(admin_api_key=key, base_url=self.cell.openai_url) as admin:
            providers = admin.admin.organization.workload_identity_providers
            return [
                rule.id
                for one in providers.list()
                for rule in providers.federation_rules.list(one.id)
                if rule.name == project
            ]


@pytest.fixture(scope="session")
def switching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switching]:
    home = tmp_path_factory.mktemp("switching")
    cell = LocalCell.start(home)
    try:
        for folder in ("cells", "tenants"):
            shutil.copytree(ROOT / folder, home / "fleet" / folder)
        file = home / "fleet" / "cells" / "local.yaml"
        file.write_text(file.read_text(encoding="utf-8") + "federation: {enabled: true}\n", encoding="utf-8")
        own = {"MYFLUX_FLEET": str(home / "fleet"), "MYFLUX_STATE": str(home / "operations")}
        environment = cell.environment("deployer") | own
        running = Switching(cell, environment, home / "fleet", home / "operations", clock=Clock(cell))
        cell.openai.settings(admin_requests_per_minute=0)
        running.up("local")
        running.given(cell.openai.create_admin_key(), "admin-key", "set", "--cell", "local")
        yield running
        keys = {key.id: key.value for key in cell.openai.minted()}
        texts = [*files(sorted(home.rglob("*"))), Text("output", "\n".join(running.said).encode())]
        leaks = [f"{leak.where} ({leak.encoding})" for leak in search(texts, keys)]
        assert not leaks, f"keys stand in {leaks}"
    finally:
        cell.stop()


@pytest.fixture
def here(switching: Switching, monkeypatch: pytest.MonkeyPatch) -> Switching:
    """This process is the deployer's, as the command's is."""
    for name, value in switching.environment.items():
        monkeypatch.setenv(name, value)
    return switching
