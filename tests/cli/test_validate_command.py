"""`myflux-keys validate`: every problem of every file at once, with its place."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Command


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    for folder in ("tenants", "cells"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def _replace(file: Path, old: str, new: str) -> int:
    """Returns the line that was changed."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_shipped_files_are_valid(myflux: Command) -> None:
    said = myflux("validate")
    assert said.code == 0
    assert said.out == "All files are valid: 4 tenants in 1 cell.\n"


def test_json_is_all_that_is_on_stdout(myflux: Command, fleet: Path) -> None:
    said = myflux("validate", "--json", "--fleet", str(fleet))
    told = json.loads(said.out)
    assert told["cells"] == ["local"]
    assert told["tenants"] == ["acme", "fjord", "globex", "initech"]
    assert isinstance(told["notices"], list)


def test_the_environment_names_the_folder_too(myflux: Command, fleet: Path) -> None:
    (fleet / "tenants" / "fjord.yaml").unlink()
    assert myflux("validate", environment={"MYFLUX_FLEET": str(fleet)}).out.startswith("All files are valid: 3 tenants")


def test_every_problem_is_told_at_once_with_file_and_line(myflux: Command, fleet: Path) -> None:
    places = {
        ("tenants/acme.yaml", _replace(fleet / "tenants" / "acme.yaml", "country: CR", "country: CN")),
        ("tenants/fjord.yaml", _replace(fleet / "tenants" / "fjord.yaml", "overlap_hours: 48", "overlap_hours: 9999")),
        ("tenants/globex.yaml", _replace(fleet / "tenants" / "globex.yaml", "monthly_usd: 2500", "monthly_usd: -1")),
        ("cells/local.yaml", _replace(fleet / "cells" / "local.yaml", "log_retention_days: 14", "colour: blue")),
    }
    said = myflux("validate", "--fleet", str(fleet))
    assert said.code == 1
    assert said.out == ""
    told = {(name, int(line)) for name, line in re.findall(r"^(\S+\.yaml):(\d+)", said.err, re.MULTILINE)}
    assert places <= told, said.err
    assert said.err.count("Way out:") >= len(places)
    assert "Traceback" not in said.err


def test_with_json_a_refusal_leaves_stdout_empty(myflux: Command, fleet: Path) -> None:
    _replace(fleet / "tenants" / "acme.yaml", "country: CR", "country: CN")
    said = myflux("validate", "--json", "--fleet", str(fleet))
    assert (said.code, said.out) == (1, "")


def test_a_key_in_a_file_is_named_by_its_place_and_not_shown(myflux: Command, fleet: Path) -> None:
    key = "sk-" + "svcacct-" + "Zz9" * 10
    line = _replace(fleet / "tenants" / "acme.yaml", "Acme Travel", key)
    said = myflux("validate", "--fleet", str(fleet))
    assert said.code == 1
    assert f"tenants/acme.yaml:{line}" in said.err
    assert key not in said.err


def test_a_folder_that_is_not_there_is_said_so(myflux: Command, tmp_path: Path) -> None:
    said = myflux("validate", "--fleet", str(tmp_path / "nowhere"))
    assert said.code == 1
    assert "no such folder" in said.err
