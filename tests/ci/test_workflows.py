"""The workflows themselves: pinned, with the least rights, and without logic of their own."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.program.rig import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPT = re.compile(r"\.venv/bin/python -m ops.ci\.(check|comment|deploy|drift|operate|plan)( [^|;&`\n]*)?")
TARGETS = {"test.test": "make test", "test.examples": "make examples EXAMPLES=--all"}
RIGHTS: dict[str, dict[str, str]] = {
    "check.check": {"contents": "read"},
    "comment.comment": {"actions": "read", "contents": "read", "pull-requests": "write"},
    "deploy.plan": {"actions": "read", "contents": "read"},
    "deploy.deploy": {"contents": "read", "id-token": "write"},
    "drift.plan": {"contents": "read"},
    "drift.drift": {"contents": "read", "id-token": "write"},
    "operate.approve": {"contents": "read"},
    "operate.operate": {"contents": "write", "id-token": "write"},
    "test.test": {"contents": "read"},
    "test.examples": {"contents": "read"},
}


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{file.stem}.{name}", job)
        for file in FILES
        for name, job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].items()
    ]


def test_each_job_has_just_the_rights_it_needs() -> None:
    assert {name: job["permissions"] for name, job in jobs()} == RIGHTS
    for file in FILES:
        assert yaml.safe_load(file.read_text(encoding="utf-8"))["permissions"] == {}, f"{file.name}: none by default"


def test_a_job_sets_up_and_runs_one_script() -> None:
    for name, job in jobs():
        if name.startswith("test."):
            assert [step["run"] for step in job["steps"] if "run" in step] == [TARGETS[name]], (
                "make does its own set-up"
            )
            continue
        set_up, *commands = [step["run"] for step in job["steps"] if "run" in step]
        assert set_up in ("make install", "make install engine"), name
        assert [bool(SCRIPT.fullmatch(command)) for command in commands] == [True], f"{name}: {commands}"


def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it() -> None:
    uses = [line.strip() for file in FILES for line in file.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    pinned = re.compile(r"- uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert len(uses) > 15
    assert [line for line in uses if not pinned.fullmatch(line)] == []


def test_no_workflow_runs_a_strangers_code_with_a_right_or_a_secret() -> None:
    text = {file.stem: file.read_text(encoding="utf-8") for file in FILES}
    assert not [name for name, content in text.items() if "pull_request_target" in content or "secrets." in content]
    # An expression inside a command is text that a stranger may have chosen: values come by the environment.
    assert not [name for name, job in jobs() for step in job["steps"] if "${{" in step.get("run", "")]
    checkout = yaml.safe_load(text["comment"])["jobs"]["comment"]["steps"][0]
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"


def test_what_holds_an_identity_stands_behind_its_cells_environment() -> None:
    held = [(name, job) for name, job in jobs() if "id-token" in job["permissions"]]
    assert {job["environment"] for _, job in held} == {"${{ matrix.environment }}"}
    every = dict(jobs())
    assert every["operate.approve"]["environment"] == "operations"
    assert every["operate.operate"]["needs"] == "approve"


def test_gitlab_runs_the_same_tests() -> None:
    content = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    assert content["test"]["script"] == ["make test"]
    assert content["examples"]["script"] == ["make examples"], "its image has no Go and no Node.js: they are named"


@pytest.mark.parametrize("job", ["check", "deploy", "drift", "operate"])
def test_gitlab_runs_the_same_scripts(job: str) -> None:
    content = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    (command,) = content[job]["script"]
    assert SCRIPT.fullmatch(command)
    assert f"ops.ci.{job} " in command
