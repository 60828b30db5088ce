"""What the SDK does to a run of the engine, with an engine that is not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation
from pulumi.automation import events

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
