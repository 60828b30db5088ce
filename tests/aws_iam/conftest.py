"""A real server of the cell's AWS side, one for the folder. Every test makes what it needs under a name of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws_iam.served import Cell

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    home = tmp_path_factory.mktemp("cell")
    server, port = _start(home)
    try:
        yield Cell(f"http://127.0.0.1:{port}", home)
    finally:
        server.terminate()
        server.wait(60)


def _start(home: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A free port may be taken before the server binds it: the server ends then, and another is tried."""
    log_path = home / "server.log"
    for _ in range(5):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        with log_path.open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "local.aws.server", "--port", str(port), "--home", str(home)],
                cwd=REPOSITORY,
                env={"PATH": os.environ["PATH"], "HOME": str(home)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if _serves(server, port, log_path):
            return server, port
        server.kill()
        server.wait(60)
        if "address already in use" not in log_path.read_text().lower():
            break
    raise RuntimeError(f"the server did not start: {log_path.read_text()}")


def _serves(server: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if f"Running on http://127.0.0.1:{port}" in log.read_text() and not probe.connect_ex(("127.0.0.1", port)):
                return True
        time.sleep(0.05)
    return False
