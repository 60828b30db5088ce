"""A fleet on two machines' worth of workers: each has its own working copy, state folder and files, and one is lost.

What they share is what real machines share: the scheduler, the state in S3, and AWS. The commands are those of
docs/scale.md.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import distributed
import pytest

from ops.stacks import backend
from tests.program.gate import gate
from tests.program.rig import CELL, ROOT, Rig, wait_until
from tests.stacks.conftest import Operator

pytestmark = [pytest.mark.engine, pytest.mark.cell]

TENANTS = ("pair-a", "pair-b", "pair-c", "pair-d")
STACKS = {f"{slug}.{CELL}" for slug in TENANTS}
_dask: Any = distributed
"""Dask has no usable types."""
_ITS_CODE = "str(__import__('tenancy.loading', fromlist=['loading']).ROOT)"


@contextmanager
def dask(folder: Path, environment: dict[str, str], *command: str) -> Generator[int]:
    """A command of Dask's in a session of its own, as on a machine of its own; yields its process group."""
    with (folder / "dask.log").open("w", encoding="utf-8") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "dask", *command, "--no-dashboard"],
            cwd=folder,
            env=environment | {"DASK_TEMPORARY_DIRECTORY": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield running.pid
        finally:
            end(running.pid)
            running.wait()


def end(group: int) -> None:
    """As a machine without power: worker, engine and providers at once."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


@contextmanager
def machine(folder: Path, rig: Rig, scheduler: str, **more: str) -> Generator[int]:
    """A worker in a checkout of its own, with its own copy of the fleet's files."""
    # Compiled files stay valid: the copies have the time of their sources.
    left_out = shutil.ignore_patterns(".*", "tests", "docs", "dist", "bench", "demo")
    shutil.copytree(ROOT, folder / "checkout", ignore=left_out, symlinks=True)
    (folder / "checkout" / ".stacks").mkdir()
    shutil.copytree(rig.fleet, folder / "fleet")
    own = {"MYFLUX_STATE": str(folder / "operations"), "PYTHONPATH": str(folder / "checkout")}
    environment = rig.environment(folder / "fleet") | own | more
    with dask(folder, environment, "worker", scheduler, "--nworkers", "1", "--nthreads", "1") as group:
        yield group


@pytest.fixture
def in_s3(operator: Operator, tmp_path: Path) -> dict[str, str]:
    """The fleet's state, with that of the platform, in a bucket."""
    rig = operator.rig
    shared = {"PULUMI_BACKEND_URL": rig.state_in_s3("two-machines", versioned=True)}
    platform = tmp_path / "platform.json"
    rig.pulumi("stack", "export", "--stack", CELL, "--file", str(platform))
    for command in (("init", CELL, "--no-select"), ("import", "--stack", CELL, "--file", str(platform))):
        rig.pulumi("stack", *command, environment=rig.environment() | shared)
    operator.more = shared
    return shared


def test_one_of_two_machines_is_lost_and_the_fleet_ends_on_the_other(
    operator: Operator, in_s3: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = operator.rig
    for slug in TENANTS:
        rig.add_tenant(slug)
    for name in ("scheduler", "one", "other"):
        (tmp_path / name).mkdir()
    told = tmp_path / "scheduler" / "told.json"
    with (
        dask(tmp_path / "scheduler", dict(os.environ), *_scheduler(told)),
        gate(rig.cell.aws_port, lambda target, _path: target.endswith(".CreateSecret")) as between,
    ):
        wait_until(told.is_file, "the scheduler")
        address = json.loads(told.read_text("utf-8"))["address"]
        with (
            machine(tmp_path / "one", rig, address, **in_s3, AWS_ENDPOINT_URL=between.url) as lost,
            machine(tmp_path / "other", rig, address, **in_s3),
        ):
            with _dask.Client(address) as client:
                client.wait_for_workers(2, timeout=120)
                workers = client.scheduler_info()["workers"]
                code = [client.submit(eval, _ITS_CODE, workers=[one], pure=False).result() for one in workers]
            assert sorted(code) == [str(tmp_path / name / "checkout") for name in ("one", "other")]

            command = ("up", *TENANTS, "--scheduler", address)
            running = operator.start(*command)
            wait_until(between.held.is_set, "one machine to be in the middle of a stack", seconds=200)
            end(lost)
            between.opened.set()
            ended = operator.finish(running)
            (cut_off,) = [stack for stack, outcome in ended.outcomes.items() if outcome != "succeeded"]
            assert ended.outcomes == dict.fromkeys(STACKS, "succeeded") | {cut_off: "locked"}, ended.err
            problem = ended.facts["stacks"][cut_off]["problem"]
            assert f"@{os.uname().nodename}, process " in problem, "another machine cannot know that it has ended"
            assert f"pulumi cancel --yes --stack {cut_off}" in ended.err, "the one command that frees it"
            rig.pulumi("cancel", "--yes", "--stack", cut_off, environment=rig.environment() | in_s3)
            again = operator.run(*command)
    assert again.code == 0, again.err
    assert again.outcomes[cut_off] == "succeeded", "on the machine that is left, which knows nothing of the lost one"
    assert f"{cut_off.partition('.')[0]}-key-secret existed and was imported" in str(
        again.facts["stacks"][cut_off]["mended"]
    )

    for name, value in (rig.environment() | in_s3).items():
        monkeypatch.setenv(name, value)
    held = [secret["Name"] for secret in rig.client("administrator", "secretsmanager").list_secrets()["SecretList"]]
    for slug in TENANTS:
        rig.await_first_key(slug)
        assert held.count(rig.tenant(slug).secret) == 1
        assert len(rig.live_keys(slug)) == 1, f"{slug} has exactly one live key"
        assert not backend.locks(in_s3["PULUMI_BACKEND_URL"], f"{slug}.{CELL}")
    unchanged = operator.run("up", *TENANTS)
    assert set(unchanged.outcomes.values()) == {"unchanged (by mark)"}, "both machines left their marks in the bucket"


def _scheduler(told: Path) -> tuple[str, ...]:
    return ("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(told))
