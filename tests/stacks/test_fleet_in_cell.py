"""The fleet's commands in a running cell: real engines in real workers, stopped, killed, and two operators at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ops.stacks import backend, mark, mark_place
from tests.program.gate import gate
from tests.program.rig import CELL, ROOT, Rig, wait_until
from tests.stacks.conftest import Operator

pytestmark = [pytest.mark.engine, pytest.mark.cell]

CLUSTER = """
import sys
import tempfile
from distributed import LocalCluster
if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, local_directory=scratch
        ) as cluster,
    ):
        print(cluster.scheduler_address, flush=True)
        sys.stdin.readline()
"""


def file_backend(rig: Rig) -> str:
    return rig.environment()["PULUMI_BACKEND_URL"]


def test_two_tenants_are_made_by_two_workers_and_a_second_run_changes_nothing(operator: Operator) -> None:
    rig = operator.rig
    made = operator.run("up", "acme", "initech", "--workers", "2")
    assert made.code == 0, made.err
    assert made.outcomes == {"acme.local": "succeeded", "initech.local": "succeeded"}
    assert all(told["changes"]["create"] for told in made.facts["stacks"].values())
    rig.await_first_key("acme")
    again = operator.run("up", "acme", "initech", "--workers", "2", "--no-marks")
    assert again.code == 0, again.err
    assert [set(told["changes"]) for told in again.facts["stacks"].values()] == [{"same"}, {"same"}]
    assert not any(backend.locks(file_backend(rig), stack) for stack in ("acme.local", "initech.local"))
    assert not operator.at_work()
    file = rig.tenant_file("acme")
    text = file.read_text("utf-8")
    file.write_text(text.replace("monthly_usd: 200", "monthly_usd: 250"), encoding="utf-8")
    try:
        planned = operator.run("preview", "acme", "--diff")
    finally:
        file.write_text(text, encoding="utf-8")
    steps = {step["name"]: step for step in planned.facts["stacks"]["acme.local"]["resources"]}
    limits = steps["acme-openai-invocation"]
    assert (limits["change"], limits["properties"]) == ("update", ["input.budget (update)"])
    assert "250" not in planned.out, "a property is named without its value"


def test_ctrl_c_finishes_what_is_in_flight_and_the_same_command_goes_on(operator: Operator) -> None:
    rig = operator.rig
    rig.add_tenant("stopped-a", like="initech")
    rig.add_tenant("stopped-b", like="initech")
    command = ("up", "stopped-a", "stopped-b", "--workers", "1")
    running = operator.start(*command)
    wait_until(lambda: bool(operator.at_work()), "the first stack to be begun", seconds=200)
    # To the whole group, as a terminal does.
    os.killpg(running.pid, signal.SIGINT)
    stopped = operator.finish(running)
    assert stopped.code == 130, stopped.err
    assert "Traceback" not in stopped.err
    ((first, outcome),) = stopped.outcomes.items()
    assert outcome == "succeeded", "an engine that is in flight is not cut off"
    (second,) = stopped.facts["not_begun"]
    assert {first, second} == {"stopped-a.local", "stopped-b.local"}
    assert not backend.locks(file_backend(rig), first), "no lock is left"
    going_on = operator.run(*command)
    assert going_on.code == 0, going_on.err
    assert going_on.facts["done_before"] == [first]
    assert list(going_on.outcomes) == [second], "only what was left was done"


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(operator: Operator) -> None:
    """Killed with its engine after AWS has made the secret and before the engine heard of it."""
    rig = operator.rig
    tenant = rig.add_tenant("lost")
    with gate(rig.cell.aws_port, lambda target, _path: target.endswith(".CreateSecret")) as between:
        running = operator.start("up", "lost", "--workers", "1", AWS_ENDPOINT_URL=between.url)
        wait_until(between.held.is_set, "the moment to strike", seconds=200)
        worker = operator.at_work()[tenant.stack]
        assert os.getpgid(worker) == worker, "its engine is of its group: no signal for the command's reaches it"
        os.killpg(worker, signal.SIGKILL)
        between.opened.set()
        ended = operator.finish(running)
    assert ended.code == 0, ended.err
    told = ended.facts["stacks"][tenant.stack]
    assert "lost-key-secret existed and was imported" in told["mended"]
    rig.await_first_key("lost")
    held = [secret["Name"] for secret in rig.client("administrator", "secretsmanager").list_secrets()["SecretList"]]
    assert held.count(tenant.secret) == 1
    (project,) = rig.projects("lost")
    assert len(project.live_keys) == 1, "exactly one live key"
    assert not rig.export(tenant.stack)["deployment"].get("pending_operations")
    assert not backend.locks(file_backend(rig), tenant.stack)
    assert rig.pulumi("up", "--stack", tenant.stack, "--yes", "--skip-preview", "--json").changed == {}


def test_a_cluster_whose_checkout_is_another_is_refused_and_the_same_one_does_the_work(
    operator: Operator, tmp_path: Path
) -> None:
    rig = operator.rig
    elsewhere = rig.another_fleet(tmp_path / "elsewhere")
    file = elsewhere / "tenants" / "initech.yaml"
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        cwd=ROOT,
        env=rig.environment(elsewhere)
        | {"MYFLUX_STATE": str(operator.state), "PYTHONPATH": str(ROOT), "DASK_TEMPORARY_DIRECTORY": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as cluster:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip()
        text = file.read_text("utf-8")
        file.write_text(text + "# older\n", encoding="utf-8")
        refused = operator.run("preview", "initech", "--scheduler", address)
        assert refused.code == 1
        assert "other code, packages or files" in refused.err
        file.write_text(text, encoding="utf-8")
        done = operator.run("preview", "initech", "--scheduler", address)
        cluster.communicate("\n", timeout=60)
    assert done.code == 0, done.err
    assert done.outcomes == {"initech.local": "succeeded"}


def test_destroying_asks_tells_and_forgets_the_stack(operator: Operator) -> None:
    rig = operator.rig
    rig.add_tenant("leaving", like="initech")
    operator.run("up", "leaving")
    asked = operator.run("destroy", "leaving")
    assert asked.code == 2, "silence is not consent"
    assert "--yes" in asked.err
    planned = operator.run("destroy", "leaving", "--dry-run")
    assert planned.code == 0, planned.err
    assert planned.facts["stacks"]["leaving.local"]["changes"]["delete"] >= 2
    gone = operator.run("destroy", "leaving", "--yes")
    assert gone.code == 0, gone.err
    assert "leaving.local" not in (backend.stacks(file_backend(rig)) or ())
    assert operator.run("destroy", "leaving", "--yes").facts["stacks"] == {}, "there is nothing left to do"


def test_state_in_s3_is_locked_for_the_second_operator_who_learns_who_is_there(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = operator.rig
    tenant = rig.add_tenant("shared", like="initech")
    url = rig.state_in_s3("state", versioned=False)
    in_s3 = {"PULUMI_BACKEND_URL": url}
    platform = tmp_path / "platform.json"
    rig.pulumi("stack", "export", "--stack", CELL, "--file", str(platform))
    for command in (("init", CELL, "--no-select"), ("import", "--stack", CELL, "--file", str(platform))):
        rig.pulumi("stack", *command, environment=rig.environment() | in_s3)
    second = Operator(rig, tmp_path / "another-machine", in_s3)
    operator.more = in_s3
    with gate(rig.cell.aws_port, lambda target, _path: target.endswith(".CreateSecret")) as between:
        first = operator.start("up", "shared", AWS_ENDPOINT_URL=between.url)
        wait_until(between.held.is_set, "the first operator to be in the middle", seconds=200)
        refused = second.run("up", "shared")
        waiting = second.start("up", "shared", "--wait")
        wait_until(lambda: bool(second.at_work()) or waiting.poll() is not None, "the second to try again", seconds=200)
        between.opened.set()
        made, waited = operator.finish(first), second.finish(waiting)
    assert refused.code == 1
    assert refused.outcomes == {tenant.stack: "locked"}
    assert f"@{os.uname().nodename}, process " in refused.facts["stacks"][tenant.stack]["problem"]
    assert "--wait" in refused.err
    assert "has no versioning" in refused.err, "a bucket that forgets states is told of"
    assert made.code == 0, made.err
    assert made.facts["stacks"][tenant.stack]["changes"]["create"]
    assert waited.code == 0, waited.err
    assert set(waited.facts["stacks"][tenant.stack]["changes"]) == {"same"}, "the first had done it"
    by_mark = second.run("up", "shared")
    assert by_mark.outcomes == {tenant.stack: "unchanged (by mark)"}, by_mark.err
    for name, value in (rig.environment() | in_s3).items():
        monkeypatch.setenv(name, value)
    assert backend.stacks(url) == {CELL, tenant.stack}
    assert [backend.has(url, stack) for stack in (CELL, tenant.stack, "shared")] == [True, True, False]
    content = {"pid": 7, "username": "ops", "hostname": "here", "timestamp": "2026-11-26T09:00:00Z"}
    key = f".pulumi/locks/organization/myflux-keys/{tenant.stack}/one.json"
    below = f".pulumi/locks/organization/myflux-keys/{tenant.stack}/x.{CELL}/one.json"
    for name in (key, below):
        rig.client("administrator", "s3").put_object(Bucket="state", Key=name, Body=json.dumps(content).encode())
    (left,) = backend.locks(url, tenant.stack)
    assert left.name == key, "what a pipeline may write below a stack's locks is none, for the engine too"
    backend.unlock(url, left)
    assert backend.locks(url, tenant.stack) == [], "one lock is taken away where the state is in S3, too"
    marks = mark_place.opened(url)
    assert marks is not None
    assert marks.locked() == {tenant.stack}, "where the engine passes a file over, a mark is only not trusted"
    found = marks.state(tenant.stack)
    assert found is not None
    assert (found.version, mark.read(marks.mark(tenant.stack)) is None) == (marks.version(tenant.stack), False)
    marks.void(tenant.stack)
    marks.void(tenant.stack)
    later = mark_place.opened(url)
    assert later is not None
    assert later.mark(tenant.stack) == ""
    rig.client("administrator", "s3").put_object(
        Bucket="state", Key=f".pulumi/stacks/myflux-keys/{tenant.stack}.json", Body=f"{found.text} ".encode()
    )
    assert later.state(tenant.stack) != found, "what is written again is another version"
