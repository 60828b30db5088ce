"""A stack that the backend has not: a run that fails, or only reads, leaves none behind that nobody would expect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from ops.stacks import backend
from ops.stacks.engine import Engine, OperationFailed
from ops.state_place import StatePlace
from tests.engine.tiny_project import PROJECT, Project

pytestmark = pytest.mark.engine


def test_no_empty_stack_is_left_by_a_run_that_fails_or_only_looks(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", project.environment["PATH"])
    url = f"file://{quote(str(project.state))}"
    engine = Engine(tmp_path / "logs", tmp_path, project.folder, project.environment, StatePlace(url))

    def refused(act: Callable[[str], object]) -> str:
        with pytest.raises(OperationFailed) as failed:
            act("new")
        return failed.value.explanation

    assert engine.export("new") == "{}"
    engine.preview("new")
    assert "somebody has removed the stack meanwhile" in refused(engine.refresh)
    project.write("__main__.py", "raise ValueError('a mistake in the program')\n")
    assert "a mistake in the program" in refused(engine.up)
    assert backend.has(url, "new", PROJECT) is False
    project.write("__main__.py", "import pulumi\npulumi.export('made', 'yes')\n")
    assert engine.up("new").outputs == {"made": "yes"}
    project.write("__main__.py", "raise ValueError('a mistake in the program')\n")
    refused(engine.up)
    assert backend.has(url, "new", PROJECT) is True, "only what the run itself has made, and empty, is removed"
