"""The program inside the process that asks for it: it does what the engine's own process would, for one stack after
another."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import config, settings

import program
from myflux_keys.redaction import redact
from ops.stacks import inline, sources
from ops.stacks.engine import Engine, OperationFailed
from ops.stacks.job import Done, Job, Operation
from ops.stacks.work import work
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


def test_programs_that_overlap_leave_the_levels_of_logging_as_they_were() -> None:
    """The first to begin may be the first to end: what it restores is not what the second one saw."""
    loggers = [logging.getLogger(name) for name in ("asyncio", "grpc._server")]
    before = [logger.level for logger in loggers]
    first, second = inline.own_logging(), inline.own_logging()
    first.__enter__()
    second.__enter__()
    loggers[0].setLevel(logging.CRITICAL)
    first.__exit__(None, None, None)
    assert loggers[1].level == logging.CRITICAL, "the second one still runs"
    second.__exit__(None, None, None)
    assert [logger.level for logger in loggers] == before


def test_fifty_stacks_in_one_worker_are_told_apart(
    platform: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each kind of refusal comes before the engine, so that many cost little; between them the engine runs."""
    for name, value in (platform.environment() | {"MYFLUX_STATE": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    good, locked = platform.add_tenant("among").stack, platform.add_tenant("held").stack
    platform.stacks += [good, locked]
    lock = platform.cell.home / "state/.pulumi/locks/organization/myflux-keys" / locked / "one.json"
    lock.parent.mkdir(parents=True)
    holder = {"pid": 7, "username": "ops", "hostname": "there", "timestamp": "2026-11-26T09:00:00Z"}
    lock.write_text(json.dumps(holder), "utf-8")
    code = sources.code_digest()

    def job(stack: str, operation: Operation = "up", fingerprint: str = "") -> Job:
        return Job(operation, stack, fingerprint or sources.fingerprint(stack, platform.fleet, code))

    refused = {
        "other code, packages or files": job(good, fingerprint="of another checkout"),
        "ops@there, process 7": job(locked),
        "there is no tenant": job("nobody.local", "preview"),
    }
    before = _around()
    outcomes: list[Done] = []
    try:
        first = work(job(good, "preview"), platform.fleet)
        for number in range(48):
            kind = "there is no tenant" if number == 24 else list(refused)[number % 2]
            done = work(refused[kind], platform.fleet)
            told = done.problem or done.locked
            assert kind in told or (kind == "there is no tenant" and "no tenant `nobody`" in told), told
            assert good not in told, "another stack's name"
            outcomes.append(done)
        last = work(job(good, "preview"), platform.fleet)
    finally:
        lock.unlink()
    assert len(outcomes) + 2 == 50
    assert not any(done.ok for done in outcomes)
    assert (first.problem, first.changes) == (last.problem, last.changes)
    # The engine makes resources side by side, so it tells them in any order.
    assert sorted(first.steps, key=lambda step: step.urn) == sorted(last.steps, key=lambda step: step.urn)
    assert first.ok
    assert first.changes["create"] > 5
    assert _around() == before


def _around() -> dict[str, Any]:
    """What one stack could leave for the next in the process that runs them."""
    loggers = [logging.getLogger(name) for name in (None, "asyncio", "pulumi", "botocore")]
    return {
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "path": list(sys.path),
        "logging": [(logger.level, list(logger.handlers), list(logger.filters)) for logger in loggers],
        "redaction": redact("sk-" + "proj-" + "a" * 40),
        "warnings": list(warnings.filters),
        "config": (settings.get_stack(), settings.get_project(), config.CONFIG.get(None)),
        "threads": sum(thread.is_alive() and not thread.daemon for thread in threading.enumerate()),
    }
