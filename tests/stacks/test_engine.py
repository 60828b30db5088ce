"""What the SDK does to a run of the engine, with an engine that is not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation
from pulumi.automation import events

from ops.stacks import adoption, ending
from ops.stacks.engine import ROOT, Engine
from ops.stacks.workspace import pulumi_command
from tools.engine import VERSION


def test_an_event_that_comes_after_the_end_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's reader of events may come late on a slow machine: a traceback over the outcome would only frighten."""
    listening: list[Callable[[events.EngineEvent], None]] = []

    def refresh(_stack: Any, *, on_event: Callable[[events.EngineEvent], None], **_: Any) -> None:
        listening.append(on_event)
        on_event(events.EngineEvent(sequence=1, timestamp=0))

    monkeypatch.setattr("ops.stacks.engine.pulumi_command", SimpleNamespace)
    monkeypatch.setattr(automation.Stack, "select", lambda *_: automation.Stack.__new__(automation.Stack))
    monkeypatch.setattr(automation.Stack, "refresh", refresh)
    monkeypatch.setattr("ops.stacks.engine.Workspace", lambda **_: object())
    Engine(tmp_path, tmp_path).refresh("acme.local")
    (on_event,) = listening
    on_event(events.EngineEvent(sequence=2, timestamp=0))
    assert len((tmp_path / "acme.local.refresh.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_the_folder_of_the_files_is_told_to_the_engines_own_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command may run engines for two folders, one of which is deleted before the other is asked for."""
    told: list[dict[str, str]] = []

    def workspace(*, env_vars: dict[str, str], **_: Any) -> object:
        told.append(env_vars)
        return object()

    monkeypatch.setattr("ops.stacks.engine.pulumi_command", SimpleNamespace)
    monkeypatch.setattr(automation.Stack, "select", lambda *_: automation.Stack.__new__(automation.Stack))
    monkeypatch.setattr(automation.Stack, "up", lambda *_, **__: None)
    monkeypatch.setattr("ops.stacks.engine.Workspace", workspace)
    before = dict(os.environ)
    engine, draft = Engine(tmp_path, tmp_path / "fleet"), Engine(tmp_path, tmp_path / "draft")
    engine.up("acme.local", environment={"MYFLUX_ADOPT": "arn"})
    draft.up("acme.other")
    engine.up("acme.local")
    fleet = {"MYFLUX_FLEET": str(tmp_path / "fleet")}
    assert told == [fleet | {"MYFLUX_ADOPT": "arn"}, {"MYFLUX_FLEET": str(tmp_path / "draft")}, fleet]
    assert dict(os.environ) == before


def test_protection_is_removed_in_the_backend_that_the_cells_file_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an off-boarded tenant or an ended cell: the shell's own variables may name another backend, or none."""
    shutil.copytree(ROOT / "cells", tmp_path / "cells")
    (tmp_path / "tenants").mkdir()
    with (tmp_path / "cells" / "local.yaml").open("a", encoding="utf-8") as file:
        file.write("state: {bucket: states, kms_key: 'arn:aws:kms:us-east-1:000000000000:key/1'}\n")
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setattr(ending, "settled", lambda *_: False)
    ran: list[tuple[list[str], dict[str, str]]] = []
    command = SimpleNamespace(run=lambda arguments, _folder, environment: ran.append((arguments, environment)))
    monkeypatch.setattr("ops.stacks.engine.pulumi_command", lambda: command)
    monkeypatch.setattr(Engine, "export", lambda *_: '{"resources": [{"urn": "a::b", "protect": true}]}')
    monkeypatch.setattr(Engine, "destroy", lambda *_, **__: None)
    ending.end(Engine(tmp_path, tmp_path), "acme.local")
    ((arguments, environment),) = ran
    assert arguments[:2] == ["state", "unprotect"]
    assert environment["PULUMI_BACKEND_URL"].startswith("s3://states?")


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Puts a `pulumi` on PATH that only notes the commands, and knows the stacks that it made: what they were."""
    stub = tmp_path / "bin" / "pulumi"
    stub.parent.mkdir()
    stub.write_text(
        """#!/bin/sh
here=$(dirname "$0")
[ "$1" = version ] && exec echo v3.250.0
echo "$*" >> "$here/said"
case "$*" in *"stack init"*) exec touch "$here/made" ;; esac
[ -e "$here/made" ] && exit 0
echo "error: no stack named 'acme.local' found" >&2
exit 1
""",
        encoding="utf-8",
    )
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stub.parent}{os.pathsep}{os.environ['PATH']}")
    known = {"up", "refresh", "select", "init", "output", "history"}

    def said() -> list[str]:
        lines = (stub.parent / "said").read_text(encoding="utf-8").splitlines()
        return [next(word for word in line.split() if word in known) for line in lines]

    return said


@pytest.mark.parametrize("operation", ["up", "refresh"])
def test_an_operation_starts_the_engine_once(operation: str, tmp_path: Path, commands: Callable[[], list[str]]) -> None:
    """Selecting a stack, reading its outputs and its history back: the SDK would start the engine for each."""
    (tmp_path / "bin" / "made").touch()
    getattr(Engine(tmp_path, tmp_path), operation)("acme.local")
    assert commands() == [operation]


def test_a_stack_that_does_not_exist_is_made_and_never_selected(
    tmp_path: Path, commands: Callable[[], list[str]]
) -> None:
    """Which stack is selected is the user's choice."""
    Engine(tmp_path, tmp_path).up("acme.local")
    assert commands() == ["up", "init", "up"]


def test_the_caches_engine_is_not_asked_for_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "cache" / "engine" / VERSION / "pulumi"
    kept.parent.mkdir(parents=True)
    kept.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    kept.chmod(0o755)
    monkeypatch.setenv("MYFLUX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{kept.parent}{os.pathsep}{os.environ['PATH']}")
    made = pulumi_command.__wrapped__()  # another test of this process may have found the engine
    assert (made.command, str(made.version)) == ("pulumi", VERSION)


def test_an_adoption_is_told_to_the_first_update_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that is asked for again would take over what the stack owns already."""
    monkeypatch.setattr(adoption, "settled", lambda *_: False)
    updates: list[tuple[str, dict[str, Any]]] = []
    engine: Any = SimpleNamespace(export=lambda _: "{}", up=lambda stack, **more: updates.append((stack, more)))
    adoption.adopt(engine, "acme.local", "arn", rotates=True, report=lambda _: None)
    assert updates == [("acme.local", {"environment": {"MYFLUX_ADOPT": "arn"}}), ("acme.local", {"refresh": True})]
