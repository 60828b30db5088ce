"""The command as a person or a script runs it, and a cell for the commands that need one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.iam import resource
from local.cell import LocalCell
from myflux_keys.aws_names import CellNames
from tests.commands import client

ROOT = Path(__file__).resolve().parents[2]

_NOT_OURS = ("AWS_", "MYFLUX_", "OPENAI_", "PULUMI_")


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture(scope="session")
def myflux() -> Command:
    """Runs ``myflux-keys ARGUMENTS`` in a process of its own, deaf to what the caller's shell has set."""

    def run(*arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> Said:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_OURS)}
        done = client.run(arguments, clean | dict(environment or {}), stdin=stdin)
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCell]:
    """A cell with the admin key's empty secret and its lock, as the platform's stack makes them, and nothing else."""
    running = LocalCell.start(tmp_path_factory.mktemp("cli") / "cell")
    try:
        running.openai.settings(admin_requests_per_minute=0)
        secrets = running.client("deployer", "secretsmanager")
        names = CellNames("local", running.account_id, running.region)
        deployer = f"arn:aws:iam::{running.account_id}:user/deployer"
        lock = json.dumps(resource.admin_secret(names, deployers=[deployer]))
        secrets.create_secret(Name=names.admin_secret)
        secrets.put_resource_policy(SecretId=names.admin_secret, ResourcePolicy=lock)
        secrets.close()
        yield running
    finally:
        running.stop()
