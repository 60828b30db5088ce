"""One running cell for the tests that only look at it, and the way to start one that a test may break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cell import LocalCell


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Home for a cell that the test starts; whatever is left of it ends with the test."""
    place = tmp_path / "a home with spaces"
    yield place
    LocalCell.clear(place)


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCell]:
    place = tmp_path_factory.mktemp("cell")
    running = LocalCell.start(place)
    yield running
    running.stop()
