"""The workflows themselves: pinned, with the least rights, and without logic of their own."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.program.rig import ROOT
from tools import actionlint
from tools.engine_step import StepError

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPT = re.compile(r"\.venv/bin/python -m ops.ci\.(check|comment|deploy|drift|operate|plan)( [^|;&`\n]*)?")
TARGETS = {
    "test.test": "make test",
    "test.examples": "make examples EXAMPLES=--all",
    "test.rehearsal": "make rehearsal",
}
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
    "test.rehearsal": {"contents": "read"},
}

LOCKED = "cell-${{ matrix.cell }}"
"""The group of what changes the state of a cell's stacks."""

GROUPS = {
    "check": "check-${{ github.event.pull_request.number }}",
    "test": "test-${{ github.event.pull_request.number || github.sha }}",
    "deploy.plan": "deploy-plan",
    "deploy.deploy": LOCKED,
    "drift.drift": LOCKED,
    "operate.operate": "${{ inputs.operation == 'rotate' && format('rotate-{0}', inputs.tenant)"
    " || format('cell-{0}', matrix.cell) }}",
}
REPLACED = {"check", "test"}
"""Where a newer commit makes the run of an older one worthless."""


def gitlab() -> dict[str, Any]:
    return yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))


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


def concurrency() -> dict[str, dict[str, Any]]:
    """Workflow or job to its `concurrency`."""
    whole = [(file.stem, yaml.safe_load(file.read_text(encoding="utf-8"))) for file in FILES]
    return {name: part["concurrency"] for name, part in (*whole, *jobs()) if "concurrency" in part}


def test_a_run_that_waits_is_never_cancelled_by_one_that_comes_later() -> None:
    """By default GitHub keeps one waiting run a group: a deployment would cancel an approved rotation. GitHub refuses
    `queue: max` beside `cancel-in-progress`. A value that it does not know is not found by actionlint."""
    waiting = {name: settings for name, settings in concurrency().items() if name not in REPLACED}
    assert waiting
    assert {name: settings["queue"] for name, settings in waiting.items()} == dict.fromkeys(waiting, "max")
    assert not [name for name, settings in waiting.items() if "cancel-in-progress" in settings]
    assert [concurrency()[name] for name in sorted(REPLACED)] == [
        {"group": GROUPS[name], "cancel-in-progress": True} for name in sorted(REPLACED)
    ]


def test_only_what_takes_a_stacks_lock_waits_for_a_cells_stacks() -> None:
    assert {name: settings["group"] for name, settings in concurrency().items()} == GROUPS
    held = {name for name, job in jobs() if "id-token" in job["permissions"]}
    assert held <= set(concurrency()), "each job that changes something waits for its turn"
    content = gitlab()
    assert content[".cell"]["resource_group"] == "cell-$CELL"
    assert content["rotate"]["resource_group"] == "rotate-$TENANT"
    assert [name for name, job in content.items() if "resource_group" in job] == [".cell", "rotate"]


def test_actionlint_is_told_of_the_one_key_that_it_does_not_know() -> None:
    content = yaml.safe_load((ROOT / ".github" / "actionlint.yaml").read_text(encoding="utf-8"))
    ignored = [pattern for place in content["paths"].values() for pattern in place["ignore"]]
    assert ignored == [r'^unexpected key "queue" for "concurrency" section\.']


@pytest.mark.parametrize(
    ("environment", "code"), [({}, 0), ({"CI": "true"}, 1), ({"CI": "true", "GITLAB_CI": "true"}, 0)]
)
def test_a_missing_actionlint_fails_the_job_whose_workflows_it_checks(
    environment: dict[str, str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """GitLab's images have no Go to build it with, and GitLab runs none of the workflows."""

    def missing(_: object) -> Path:
        raise StepError("no `go`")

    monkeypatch.setattr(actionlint, "ensure", missing)
    monkeypatch.setattr(sys, "argv", ["actionlint"])
    for name in ("CI", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert actionlint.main() == code
    assert "NOT CHECKED: no `go`" in capsys.readouterr().err


def test_the_tests_run_on_each_python_that_the_package_promises() -> None:
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [found[1] for text in promised["classifiers"] if (found := re.search(r":: Python :: (3\.\d+)$", text))]
    assert f">={listed[0]}" == promised["requires-python"]
    assert all(int(b[2:]) == int(a[2:]) + 1 for a, b in pairwise(listed)), "none is left out"
    job = dict(jobs())["test.test"]
    assert job["strategy"] == {"fail-fast": False, "matrix": {"python": listed}}
    (installed,) = [step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", "")]
    assert installed == "${{ matrix.python }}"
    # make takes the first Python that it finds, and an image may have another one.
    assert job["steps"][-1]["env"] == {"PYTHON": "python${{ matrix.python }}"}
    content = gitlab()["test"]
    assert content["parallel"]["matrix"] == [{"VERSION": listed}]
    assert content["image"] == "python:$VERSION-bookworm"
    assert content["variables"] == {"PYTHON": "python$VERSION"}


def go_version(module: str) -> tuple[int, ...]:
    (found,) = re.findall(r"^go ([\d.]+)$", (ROOT / module / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    return tuple(map(int, found.split(".")))


def test_the_examples_run_with_pinned_node_and_go() -> None:
    steps = {step["uses"].partition("@")[0]: step["with"] for step in dict(jobs())["test.examples"]["steps"][:-1]}
    node, go = steps["actions/setup-node"], steps["actions/setup-go"]
    package = json.loads((ROOT / "examples" / "typescript" / "package.json").read_text(encoding="utf-8"))
    assert package["engines"]["node"] == f">={node['node-version']}", "what @pulumi/pulumi asks for"
    assert package["devDependencies"]["@types/node"].startswith(f"{node['node-version']}.")
    # setup-go forbids Go to fetch a newer toolchain: the version must do for every module that is built.
    version = go_version(go["go-version-file"].removesuffix("/go.mod"))
    assert len(version) == 3, "a whole version"
    modules = [file.parent.relative_to(ROOT) for file in ROOT.glob("*/*/go.mod")]
    assert len(modules) > 3
    assert not [module for module in modules if go_version(str(module)) > version]
    # Nothing is cached between runs: a pull request's run could have written it.
    assert (node["package-manager-cache"], go["cache"]) == (False, False)


def test_gitlab_runs_the_same_tests() -> None:
    content = gitlab()
    assert content["test"]["script"] == ["make test"]
    assert content["rehearsal"]["script"] == ["make rehearsal"]
    assert content["examples"]["script"] == ["make examples"], "its image has no Go and no Node.js: they are named"


@pytest.mark.parametrize("job", ["check", "deploy", "drift", ".operate"])
def test_gitlab_runs_the_same_scripts(job: str) -> None:
    (command,) = gitlab()[job]["script"]
    assert SCRIPT.fullmatch(command)
    assert f"ops.ci.{job.removeprefix('.')} " in command


def test_gitlab_offers_each_operation_by_hand_and_after_an_approval() -> None:
    content = gitlab()
    form = yaml.safe_load((ROOT / ".github" / "workflows" / "operate.yml").read_text(encoding="utf-8"))
    # YAML 1.1 reads the key `on` as true.
    offered = form[True]["workflow_dispatch"]["inputs"]["operation"]["options"]
    assert [name for name, job in content.items() if "extends" in job and job["extends"] == ".operate"] == offered
    assert content[".operate"]["environment"] == "operations"
    for operation in offered:
        (rule,) = content[operation]["rules"]
        assert rule["when"] == "manual"
        assert f'$OPERATION == "{operation}"' in rule["if"]
        assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"], "the role trusts main alone"
