"""Each job's script as CI runs it: from a checkout of a bare repository, with the runner's variables and no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from myflux_keys import KeyReader
from myflux_keys.names import key_name
from tests.ci.conftest import SUBJECT
from tests.ci.repository import Repository
from tests.ci.stand_in import GitHubStandIn
from tests.commands import client
from tests.program.rig import CELL, ROOT, Rig

pytestmark = pytest.mark.engine

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE")
Job = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def job(bootstrapped: Rig, repository: Repository, github: GitHubStandIn, tmp_path: Path) -> Job:
    """Runs a script with what CI gives its job: an identity, where AWS is, and not one credential."""

    def run(script: str, *arguments: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        held = {name: text for name, text in bootstrapped.environment().items() if name not in CREDENTIALS}
        held |= github.job(SUBJECT) | {"MYFLUX_STATE": str(tmp_path / "state")} | dict(more or {})
        return client.run([*arguments, "--fleet", str(repository.checkout)], held, module=f"ops.ci.{script}")

    return run


def test_a_merged_tenant_is_deployed_by_the_role_and_answers(
    bootstrapped: Rig, repository: Repository, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.propose("new-delta", repository.tenant("delta"))
    report = tmp_path / "report"
    checked = job("check", "--base", "origin/main", "--number", "7", "--out", str(report))
    assert checked.returncode == 0, checked.stderr + (report / "report.md").read_text(encoding="utf-8")
    assert "delta" in (report / "report.md").read_text(encoding="utf-8")
    assert (report / "number").read_text(encoding="utf-8") == "7\n"
    before = repository.merge("new-delta")
    outputs = tmp_path / "outputs"
    planned = job("plan", "--before", before, more={"GITHUB_OUTPUT": str(outputs)})
    assert planned.returncode == 0, planned.stderr
    told = dict(line.split("=", 1) for line in outputs.read_text(encoding="utf-8").splitlines())
    assert json.loads(told["cells"]) == [{"cell": CELL, "environment": "local"}]
    page = tmp_path / "page.md"
    done = job("deploy", "--cell", CELL, "--since", told["since"], more={"GITHUB_STEP_SUMMARY": str(page)})
    assert done.returncode == 0, done.stderr
    assert "| delta.local | succeeded |" in page.read_text(encoding="utf-8")
    assert "acme.local" not in page.read_text(encoding="utf-8"), "no other tenant is touched"
    bootstrapped.await_first_key("delta")
    monkeypatch.setenv("AWS_ENDPOINT_URL", bootstrapped.cell.aws_url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with KeyReader(CELL, session=bootstrapped.cell.session("runtime")) as reader, reader.openai_client("delta") as ai:
        assert ai.responses.create(model=reader.get("delta").models[0], input="Are you open?").output_text
    again = job("deploy", "--cell", CELL, "--since", repository.head)
    assert (again.returncode, again.stdout.strip()) == (0, f"## Cell {CELL}: 0 stacks"), again.stderr


def test_two_pull_requests_with_one_slug_cannot_both_be_deployed(
    bootstrapped: Rig, repository: Repository, job: Job, tmp_path: Path
) -> None:
    repository.propose("first-echo", repository.tenant("echo"))
    repository.propose("second-echo", repository.tenant("echo", like="fjord"))
    repository.propose("echo-by-another-name", repository.tenant("echo", file="echo-two"))
    report = tmp_path / "report"
    assert job("check", "--base", "origin/main", "--out", str(report)).returncode != 0
    assert "echo-two.yaml" in (report / "report.md").read_text(encoding="utf-8")
    repository.merge("first-echo")
    repository.git("merge", "--no-ff", "second-echo", fails=True)
    repository.git("merge", "--abort")
    before = repository.merge("echo-by-another-name")
    try:
        done = job("deploy", "--cell", CELL, "--since", before)
        assert done.returncode == 1
        assert "echo-two.yaml" in done.stderr
        names = [
            found["Name"]
            for found in bootstrapped.client("administrator", "secretsmanager").list_secrets()["SecretList"]
        ]
        assert bootstrapped.tenant("echo").secret not in names, "nothing was begun"
    finally:
        repository.git("reset", "--quiet", "--hard", before + "^")
        repository.git("push", "--quiet", "--force", "origin", "main")


def test_a_change_of_the_platform_is_left_to_a_person(repository: Repository, job: Job) -> None:
    cell = repository.checkout / "cells" / f"{CELL}.yaml"
    kept = cell.read_text(encoding="utf-8")
    repository.propose("longer-logs", {cell: kept.replace("log_retention_days: 14", "log_retention_days: 30")})
    before = repository.merge("longer-logs")
    try:
        done = job("deploy", "--cell", CELL, "--since", before)
        assert done.returncode == 1
        assert f"deployer must run `myflux-keys up --cell {CELL}`" in done.stderr
    finally:
        repository.commit("Logs as before", {cell: kept})


def test_a_job_elsewhere_becomes_nobody(job: Job, github: GitHubStandIn) -> None:
    other = job("drift", "--cell", CELL, more={"MYFLUX_ID_TOKEN": "not.a.token"})
    assert other.returncode == 1
    assert "does not allow this job to assume" in other.stderr
    unknown = job("deploy", "--cell", "nowhere", "--since", "HEAD")
    assert unknown.returncode == 1
    assert "there is no cell `nowhere`" in unknown.stderr


def test_a_tenant_is_rotated_and_only_in_its_own_cell(bootstrapped: Rig, job: Job, repository: Repository) -> None:
    wrong = job("operate", "rotate", "nobody", "--cell", CELL, "--reason", "leak")
    assert wrong.returncode == 1
    assert "has no tenant `nobody`" in wrong.stderr
    bootstrapped.up("acme.local")
    bootstrapped.await_first_key("acme")
    before = bootstrapped.current("acme")
    done = job("operate", "rotate", "acme", "--cell", CELL, "--reason", "a leak")
    assert done.returncode == 0, done.stderr
    assert bootstrapped.current("acme") != before


def test_a_difference_in_aws_is_told_every_night_until_it_is_put_right(bootstrapped: Rig, job: Job) -> None:
    bootstrapped.up("acme.local")
    secret = bootstrapped.tenant("acme").secret
    bootstrapped.client("deployer", "secretsmanager").update_secret(SecretId=secret, Description="by hand")
    # The night before: from then on the state agrees with AWS, and the files still don't.
    bootstrapped.refresh("acme.local")
    told = job("drift", "--cell", CELL)
    assert told.returncode == 1, told.stderr
    assert "| acme.local | update 1 | acme-" in told.stdout, "the resource is named, with its properties"
    assert f"| {CELL} |" not in told.stdout, "the platform is as the files say"
    bootstrapped.up("acme.local")


def test_a_difference_of_the_platform_is_told_without_writing_its_state(bootstrapped: Rig, job: Job) -> None:
    """The pipeline deploys tenants: it reads the platform's state, and no more."""
    logs, group = bootstrapped.client("administrator", "logs"), "/aws/lambda/myflux-local-sweep"
    before = bootstrapped.export(CELL)
    logs.put_retention_policy(logGroupName=group, retentionInDays=3)
    told = job("drift", "--cell", CELL)
    logs.put_retention_policy(logGroupName=group, retentionInDays=14)
    assert told.returncode == 1, told.stderr
    assert f"| {CELL} | update 1 |" in told.stdout
    assert f"`myflux-keys refresh --cell {CELL}`, then `myflux-keys up --cell {CELL}`" in told.stdout
    assert bootstrapped.export(CELL) == before


def test_a_tenant_is_off_boarded_and_its_file_waits_on_a_branch_to_be_merged(
    bootstrapped: Rig, repository: Repository, job: Job
) -> None:
    before = repository.head
    repository.commit("A tenant that leaves", repository.tenant("leaver"))
    bootstrapped.up("leaver.local")
    bootstrapped.await_first_key("leaver")
    try:
        done = job("operate", "offboard", "leaver", "--cell", CELL, "--reason", "the contract ended")
        assert done.returncode == 0, done.stderr
        assert "Merge the branch offboard/leaver now" in done.stdout
        names = [key.name for key in bootstrapped.cell.openai.live_keys()]
        assert not [name for name in names if name.startswith(key_name(CELL, "leaver", ""))], "a key of it lives"
        described = bootstrapped.client("administrator", "secretsmanager").describe_secret(
            SecretId=bootstrapped.tenant("leaver").secret
        )
        assert described.get("DeletedDate"), "its secret stays"
        pushed = repository.git("log", "-1", "--format=%s", "origin/offboard/leaver")
        assert pushed.strip() == "Off-board leaver"
        assert "tenants/archive/leaver.yaml" in repository.git("ls-tree", "-r", "--name-only", "origin/offboard/leaver")
    finally:
        repository.git("switch", "--quiet", "main")
        repository.git("reset", "--quiet", "--hard", before)
        repository.git("push", "--quiet", "--force", "origin", "main")


def test_every_script_explains_itself() -> None:
    scripts = sorted(
        path.stem for path in (ROOT / "ops" / "ci").glob("*.py") if "failure.run(main)" in path.read_text()
    )
    assert scripts == ["check", "comment", "deploy", "drift", "operate", "plan"]
    for script in scripts:
        asked = [sys.executable, "-m", f"ops.ci.{script}", "--help"]
        told = subprocess.run(asked, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True).stdout
        assert told.startswith(f"usage: python -m ops.ci.{script}")
        assert len(told) > 300, f"{script} --help says too little"
