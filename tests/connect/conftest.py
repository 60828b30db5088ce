"""A local cell with the intake of connect, in which customers hand in keys as the page does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.cell import LocalCell
from tests.connect.world import Cell, World


@pytest.fixture(scope="session")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    started = LocalCell.start(tmp_path_factory.mktemp("cell"))
    try:
        made = Cell(started)
        yield made
        made.close()
    finally:
        started.stop()


@pytest.fixture
def world(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> World:
    """A tenant of its own, whose customer has a project of their own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cell.local.aws_url)
    cell.local.openai.clear_faults()
    return World(cell)
