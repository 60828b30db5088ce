"""What a kill leaves of a state: the engine reads nothing, and after the repair the resources of the state before.

The file of attributes is written just before the state takes the new one's place, so it is what a kill cuts short.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from ops.stacks import state_file
from ops.stacks.engine import Engine
from ops.state_place import StatePlace
from tests.engine.tiny_project import PROJECT, Project

pytestmark = pytest.mark.engine

STACK = {"urn": f"urn:pulumi:dev::{PROJECT}::pulumi:pulumi:Stack::tiny", "type": "pulumi:pulumi:Stack", "custom": False}


def deployed(project: Project, *more: dict[str, object]) -> None:
    """A second state, so that the engine keeps a copy of the one before."""
    held = json.loads(project.pulumi("stack", "export"))
    held["deployment"]["resources"] = [STACK, *more]
    file = project.folder / "state.json"
    file.write_text(json.dumps(held), encoding="utf-8")
    project.pulumi("stack", "import", "--file", str(file))


def test_a_damaged_state_is_repaired_and_the_engine_reads_it_again(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", project.environment["PATH"])
    deployed(project)
    deployed(project)
    folder = project.state / ".pulumi" / "stacks" / PROJECT
    url = f"file://{quote(str(project.state))}"
    whole = (folder / "dev.json").read_bytes()
    for name, left in (
        ("dev.json.attrs", b""),
        ("dev.json.attrs", b'{"user.cac'),
        ("dev.json", b""),
        ("dev.json", whole[:99]),
    ):
        (folder / name).write_bytes(left)
        assert state_file.UNREADABLE in project.pulumi("stack", "export", fails=True), name
        mended = state_file.opened(url, "dev", PROJECT)
        assert any(name in line for line in mended.repaired), name
        assert mended.cut_off, "resources may exist that the state does not know"
        assert [resource["type"] for resource in project.resources()] == ["pulumi:pulumi:Stack"], name
        assert state_file.opened(url, "dev", PROJECT).repaired == ()
    (folder / "dev.json.attrs").write_bytes(b"")
    engine = Engine(tmp_path / "logs", tmp_path, project.folder, project.environment, StatePlace(url))
    held = engine.peek("dev")
    assert held is not None, "every command that reads a state repairs it first"
    assert len(held["resources"]) == 1
    lock = Path(project.state, ".pulumi", "locks", "organization", PROJECT, "dev", "one.json")
    lock.parent.mkdir(parents=True, exist_ok=True)
    for file in (lock.with_name("one.json.attrs"), project.state / ".pulumi" / "meta.yaml.attrs"):
        file.write_bytes(b"")
        state_file.opened(url, "dev", PROJECT)
        assert not file.exists(), file.name
