"""A command that finds nothing to do says what it found that by, and what it did not look at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Command


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    for folder in ("tenants", "cells"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_a_tenant_that_was_off_boarded_is_known_by_its_file_alone(myflux: Command, fleet: Path) -> None:
    (fleet / "tenants" / "archive").mkdir()
    (fleet / "tenants" / "acme.yaml").rename(fleet / "tenants" / "archive" / "acme.yaml")
    said = myflux("offboard", "acme", "--yes", "--fleet", str(fleet))
    assert said.code == 0
    assert "AWS and OpenAI were not checked now" in said.out


def test_a_move_to_the_cell_that_the_file_names_looks_at_nothing(myflux: Command, fleet: Path) -> None:
    said = myflux("move", "acme", "--to", "local", "--fleet", str(fleet))
    assert said.code == 0
    assert "file already names cell local. AWS was not checked" in said.out
