"""A local cell that the tests of this folder share; each test has an organization, a bucket and names of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from functions.health import tenant_round
from local.cell import LocalCell
from tests.health.world import Clients, World


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalCell, Clients]]:
    cell = LocalCell.start(tmp_path_factory.mktemp("cell"))
    clients = Clients(cell)
    try:
        yield cell, clients
    finally:
        clients.close()
        cell.stop()


@pytest.fixture
def world(running: tuple[LocalCell, Clients], monkeypatch: pytest.MonkeyPatch) -> World:
    # No rotation function is deployed here, so every rotation is late: tests/sweep has the rule's own tests.
    monkeypatch.setattr(tenant_round, "overdue", lambda *_: None)
    return World(*running)
