"""A local cell that the tests of this folder share. Each test has a tenant, a link and a key of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.cell import LocalCell
from tests.customer_key.theirs import TheirOpenAI


@pytest.fixture(scope="session")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCell]:
    running = LocalCell.start(tmp_path_factory.mktemp("cell"))
    try:
        running.openai.settings(admin_requests_per_minute=0)
        yield running
    finally:
        running.stop()


@pytest.fixture
def theirs(cell: LocalCell) -> Iterator[TheirOpenAI]:
    """A new project in the customer's own OpenAI account."""
    cell.openai.clear_faults()
    cell.openai.clear_calls()
    yield TheirOpenAI(cell)
    cell.openai.clear_faults()
