"""The functions under test, against an OpenAI emulator in a process of its own and an in-memory Secrets Manager."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local import clock
from local.openai.control import EmulatorControl
from tests.functions.world import World

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def openai_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("openai")


@pytest.fixture(scope="session")
def openai_process(openai_home: Path) -> Iterator[tuple[str, EmulatorControl]]:
    command = [sys.executable, "-m", "local.openai.server", "--port", "0", "--home", str(openai_home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = f"http://127.0.0.1:{json.loads(running.stdout.readline())['port']}/v1"
        yield url, EmulatorControl(url, (openai_home / "openai-token").read_text(encoding="ascii").strip())
        running.terminate()
        running.wait(timeout=60)


@pytest.fixture
def openai(openai_process: tuple[str, EmulatorControl]) -> tuple[str, EmulatorControl]:
    """An empty organization, without pacing of admin calls."""
    openai_process[1].reset()
    openai_process[1].settings(admin_requests_per_minute=0)
    return openai_process


@pytest.fixture
def new_world(openai: tuple[str, EmulatorControl], monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    def make(**options: Any) -> World:
        return World(*openai, monkeypatch, **options)

    return make


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    return new_world()


@pytest.fixture
def advance(openai_home: Path) -> Callable[[float], None]:
    """Moves OpenAI's clock. Nothing of the function's own time moves with it."""
    return lambda seconds: (clock.advance(openai_home / "clock", seconds), None)[1]
