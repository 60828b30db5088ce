"""A cell that keeps its state, with the deployed functions, and the ways in which it stops."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local import record
from local.cell import LocalCell
from tests.sweep.conftest import Bench


def kill(home: Path) -> None:
    """Both servers, as when a machine runs out of memory: not the functions that they have started."""
    servers = [
        one for one in psutil.process_iter(["cmdline"]) if (one.info["cmdline"] or [])[-2:] == ["--home", str(home)]
    ]
    assert len(servers) == 2
    for server in servers:
        server.kill()
    give_up = time.monotonic() + 60
    while any(server.alive() for server in record.read(home).values()):
        assert time.monotonic() < give_up, "a killed server kept its lock"
        time.sleep(0.01)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "a kept cell"
    yield place
    LocalCell.clear(place)


@pytest.fixture
def kept(home: Path) -> Iterator[Bench]:
    running = Bench(LocalCell.start(home, keep=True), home)
    yield running
    running.close()
