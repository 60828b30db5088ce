"""A repository for each test of the guard."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.guarded import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)
