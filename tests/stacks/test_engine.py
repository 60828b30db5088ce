"""What the SDK does to a run of the engine, with an engine that is not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation
from pulumi.automation import events

from ops.stacks import adoption
from ops.stacks.engine import Engine


def test_an_event_that_comes_after_the_end_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's reader of events may come late on a slow machine: a traceback over the outcome would only frighten."""
    listening: list[Callable[[events.EngineEvent], None]] = []

    def refresh(_stack: Any, *, on_event: Callable[[events.EngineEvent], None], **_: Any) -> None:
        listening.append(on_event)
        on_event(events.EngineEvent(sequence=1, timestamp=0))

    monkeypatch.setattr(automation, "PulumiCommand", SimpleNamespace)
    monkeypatch.setattr(automation.Stack, "create_or_select", lambda *_: object())
    monkeypatch.setattr(automation.Stack, "refresh", refresh)
    monkeypatch.setattr("ops.stacks.engine._Workspace", lambda **_: object())
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

    monkeypatch.setattr(automation, "PulumiCommand", SimpleNamespace)
    monkeypatch.setattr(automation.Stack, "create_or_select", lambda *_: object())
    monkeypatch.setattr(automation.Stack, "up", lambda *_, **__: None)
    monkeypatch.setattr("ops.stacks.engine._Workspace", workspace)
    before = dict(os.environ)
    engine, draft = Engine(tmp_path, tmp_path / "fleet"), Engine(tmp_path, tmp_path / "draft")
    engine.up("acme.local", environment={"MYFLUX_ADOPT": "arn"})
    draft.up("acme.other")
    engine.up("acme.local")
    fleet = {"MYFLUX_FLEET": str(tmp_path / "fleet")}
    assert told == [fleet | {"MYFLUX_ADOPT": "arn"}, {"MYFLUX_FLEET": str(tmp_path / "draft")}, fleet]
    assert dict(os.environ) == before


def test_an_adoption_is_told_to_the_first_update_alone() -> None:
    """An import that is asked for again would take over what the stack owns already."""
    updates: list[tuple[str, dict[str, Any]]] = []
    engine: Any = SimpleNamespace(export=lambda _: "{}", up=lambda stack, **more: updates.append((stack, more)))
    adoption.adopt(engine, "acme.local", "arn", rotates=True, report=lambda _: None)
    assert updates == [("acme.local", {"environment": {"MYFLUX_ADOPT": "arn"}}), ("acme.local", {"refresh": True})]
