"""What the functions cost: import time, zip size, calls in one rotation.

`run` returns rows for the bench's table. Import time excludes boto3, which Lambda's runtime has: each run is a new
interpreter with the unpacked zip, and the median counts. Calls are counted with the real function code, the OpenAI
emulator over HTTP and an in-memory Secrets Manager.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import uuid
import zipfile
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest

from functions import packer
from local.openai.control import EmulatorControl
from tests.functions.world import World

ROOT = Path(__file__).resolve().parent.parent
IMPORTS = 9


class Row(TypedDict):
    name: str
    value: float
    unit: Literal["s", "bytes", "calls"]
    goal: float
    ok: bool


def run() -> list[Row]:
    """Takes about ten seconds. Each row's `goal` is the upper bound of its `value`."""
    with tempfile.TemporaryDirectory() as folder:
        rows: list[Row] = []
        for kind in packer.KINDS:
            path = packer.build(kind, Path(folder) / f"{kind}.zip")
            rows.append(_row(f"{kind} zip", path.stat().st_size, "bytes", 100_000))
            task = Path(folder) / kind
            with zipfile.ZipFile(path) as archive:
                archive.extractall(task)
            rows.append(_row(f"{kind} import over boto3", round(_import_seconds(kind, task), 4), "s", 0.12))
        aws, openai = _calls()
    return [
        *rows,
        _row("AWS calls in one rotation", aws, "calls", 8),
        _row("OpenAI calls in one rotation", openai, "calls", 5),
    ]


def _row(name: str, value: float, unit: Literal["s", "bytes", "calls"], goal: float) -> Row:
    return {"name": name, "value": value, "unit": unit, "goal": goal, "ok": value <= goal}


def _import_seconds(kind: str, task: Path) -> float:
    """The time to import the handler in a process that has imported boto3 and has no client."""
    code = (
        f"import boto3, time; t = time.perf_counter(); import functions.{kind}.handler; print(time.perf_counter() - t)"
    )
    environment = {"PYTHONPATH": str(task), "PATH": os.environ["PATH"]}

    def once() -> float:
        command = [sys.executable, "-c", code]
        return float(
            subprocess.run(command, cwd=task, env=environment, capture_output=True, text=True, check=True).stdout
        )

    once()  # writes the byte code, as a deployed function's first start does
    return statistics.median(once() for _ in range(IMPORTS))


def _calls() -> tuple[int, int]:
    """The calls of a rotation that replaces a key. The function starts cold and stays warm during the four steps."""
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        command = [sys.executable, "-m", "local.openai.server", "--port", "0", "--home", home]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{json.loads(server.stdout.readline())['port']}/v1"
            try:
                control = EmulatorControl(url, (Path(home) / "openai-token").read_text(encoding="ascii").strip())
                world = World(url, control, patch)
                world.rotate()
                world.restart()
                world.secrets.calls.clear()
                world.openai_calls.clear()
                world.rotate(str(uuid.uuid4()))
            finally:
                server.terminate()
                server.wait(timeout=10)
    return len(world.secrets.calls), len(world.openai_calls)


def main() -> None:
    rows: list[Any] = run()
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
