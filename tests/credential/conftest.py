"""A cell with federation and its platform, by the real engine, and tenants that are switched while they call."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.iam import denied_sessions
from demo.leaks import Text, files, search
from local.cell import LocalCell
from myflux_keys.version_labels import CURRENT, PENDING
from ops.actions import run_credential
from ops.actions.credential import Target
from ops.actions.rotate import Waiting
from tests.actions.conftest import ROOT
from tests.kills.switching import Clock, calling
from tests.tenants_life.conftest import Life


@dataclass(frozen=True)
class Switching(Life):
    def calling(self, slug: str) -> AbstractContextManager[None]:
        """The runtime calls all the while. Fails if one call fails."""
        return calling(self.now, slug)

    @cached_property
    def now(self) -> Clock:
        return Clock(self)

    def switch(self, slug: str, target: Target) -> list[str]:
        """As the command does, in this process; what it reported."""
        said: list[str] = []

        def sleep(seconds: float) -> None:
            # A rotation takes its time, whatever the clock says.
            if not rotating(self, slug):
                self.now.advance(max(seconds, 600.0))
            time.sleep(0.2)

        prepared = run_credential.prepare(self.fleet, slug, target, "a test")
        waiting = Waiting(now=self.now, sleep=sleep, give_up_seconds=run_credential.WAIT_SECONDS)
        run_credential.switch(prepared, confirmed=lambda: True, report=said.append, waiting=waiting)
        self.said.extend(said)
        return said

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

    def deny(self, slug: str) -> None:
        """As a person does in IAM: every session of the tenant, and of no other."""
        document = denied_sessions.changed(None, slug, denied_sessions.ALL, datetime.now(UTC))
        client = self.cell.client("deployer", "iam")
        client.put_role_policy(
            RoleName=self.names.runtime_role, PolicyName=denied_sessions.POLICY, PolicyDocument=json.dumps(document)
        )
        client.close()

    def accounts(self, project: str) -> list[str]:
        """Ids of the project's service accounts at OpenAI."""
        return [account for one in self.cell.openai.projects() if one.id == project for account in one.service_accounts]


def rotating(life: Life, slug: str) -> bool:
    try:
        labels: Any = life.secret(slug).get("VersionIdsToStages", {})
    except ClientError:
        return False
    return any(PENDING in held and CURRENT not in held for held in labels.values())


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
        running = Switching(cell, environment, home / "fleet", home / "operations")
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
