"""The program inside the process that asks for it: it does what the engine's own process would, for one stack after
another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import program
from ops.stacks import inline
from ops.stacks.engine import Engine, OperationFailed
from tests.program.rig import CELL, Rig

pytestmark = [pytest.mark.engine, pytest.mark.cell]


@pytest.fixture
def engine(platform: Rig, monkeypatch: pytest.MonkeyPatch) -> Engine:
    for name, value in platform.environment().items():
        monkeypatch.setenv(name, value)
    return Engine(platform.said / "inline", platform.fleet)


def _refused(engine: Engine, stack: str) -> str:
    with pytest.raises(OperationFailed) as failure:
        engine.preview(stack)
    return failure.value.explanation


def test_nothing_of_one_stack_reaches_the_next(platform: Rig, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (platform.add_tenant(slug).stack for slug in ("inside", "insider", "insidest"))
    platform.stacks += [first, second, third, "unknown.local"]
    made = engine.preview(first).changes
    assert made["create"] > 5
    other = platform.tenant("insider").secret_arn_pattern.replace("-??????", "-abcdef")
    with pytest.raises(OperationFailed, match="which is not the secret of stack insidest"):
        engine.up(third, environment={program.ADOPT: other})
    assert "add tenants/unknown.yaml" in _refused(engine, "unknown.local")
    assert _refused(engine, "unknown.local").count("unknown.yaml") == 1, "the reason is told once"
    assert engine.preview(first).changes == made, "neither the failures nor the variable are left"
    assert engine.preview(CELL).changed == 0
    with ThreadPoolExecutor(max_workers=2) as two:
        assert [outcome.changes for outcome in two.map(engine.preview, (first, second))] == [made, made]

    def not_here(*_: Any, **__: Any) -> None:
        raise AssertionError("the program of files that have changed since must not run here")

    monkeypatch.setattr(program, "deploy", not_here)
    monkeypatch.setattr(inline, "_LOADED", "the digest of other files")
    assert engine.preview(first).changes == made, "the engine starts a process for it, with the same result"
