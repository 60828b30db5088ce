"""Commands for a tenant whose cell has no platform yet, or was destroyed: what they say can be done in that order.

Nothing of AWS runs here: each command must say so before it asks for it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Command, Said

UP = "`myflux-keys up --cell local`"
ADMIN_KEY = "`myflux-keys admin-key set --cell local`"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    for folder in ("tenants", "cells"):
        shutil.copytree(ROOT / folder, tmp_path / "fleet" / folder)
    text = (tmp_path / "fleet" / "cells" / "local.yaml").read_text(encoding="utf-8")
    other = tmp_path / "fleet" / "cells" / "other.yaml"
    other.write_text(text.replace("cell: local", "cell: other"), encoding="utf-8")
    return tmp_path / "fleet"


@pytest.fixture
def backend(tmp_path: Path, fleet: Path) -> Mapping[str, str]:
    """The environment of somebody whose state's folder is empty."""
    (tmp_path / "state").mkdir()
    return {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "MYFLUX_FLEET": str(fleet),
        "MYFLUX_STATE": str(tmp_path / "operations"),
    }


def with_state(tmp_path: Path, *stacks: str) -> None:
    folder = tmp_path / "state" / ".pulumi" / "stacks" / "myflux-keys"
    folder.mkdir(parents=True)
    for stack in stacks:
        (folder / f"{stack}.json").write_text("{}", encoding="utf-8")


@pytest.mark.parametrize("command", ["up", "preview"])
def test_a_tenant_waits_for_its_platform_and_is_told_the_steps_in_their_order(
    myflux: Command, backend: Mapping[str, str], command: str
) -> None:
    said = myflux(command, "acme", environment=backend)
    assert said.code == 1
    assert said.err.index(UP) < said.err.index(ADMIN_KEY) < said.err.index("the same command again")
    assert "Nothing was changed" in said.err
    assert "pulumi up" not in said.err, "it refuses a stack that does not exist"
    assert "To repeat" not in said.err, "a repetition fails in the same way"
    assert "unknown stack" not in said.err


@pytest.mark.parametrize("more", [["--dry-run"], []])
def test_a_move_to_a_cell_without_a_platform_is_refused_and_promised_by_no_dry_run(
    myflux: Command, backend: Mapping[str, str], fleet: Path, more: list[str]
) -> None:
    before = (fleet / "tenants" / "acme.yaml").read_bytes()
    said = myflux("move", "acme", "--to", "other", *more, environment=backend)
    assert (said.code, said.out) == (1, "")
    assert "cell other has no platform yet" in said.err
    assert "`myflux-keys up --cell other`" in said.err
    assert (fleet / "tenants" / "acme.yaml").read_bytes() == before


def test_a_dry_run_of_a_move_says_so_where_it_cannot_know(myflux: Command, fleet: Path) -> None:
    said = myflux("move", "acme", "--to", "other", "--dry-run", "--fleet", str(fleet))
    assert said.code == 0
    assert "Not checked: whether cell other has a platform" in said.err


def test_a_move_to_a_cell_with_a_platform_is_planned(
    myflux: Command, backend: Mapping[str, str], tmp_path: Path
) -> None:
    with_state(tmp_path, "other")
    said = myflux("move", "acme", "--to", "other", "--dry-run", environment=backend)
    assert (said.code, said.err) == (0, "")
    assert "acme.other" in said.out


def test_a_new_tenants_file_is_deployed_by_a_command_that_makes_its_stack(myflux: Command, fleet: Path) -> None:
    said = myflux("new", "zeta", "--from", "acme", "--name", "Zeta", "--fleet", str(fleet))
    assert said.code == 0, said.err
    assert "`myflux-keys up zeta` deploys it" in said.out
    assert "pulumi up" not in said.out, "the tenant's stack does not exist yet"


def destroying(myflux: Command, backend: Mapping[str, str], *what: str) -> Said:
    """Nobody can answer here, so the question is printed and nothing happens."""
    said = myflux("destroy", *what, environment=backend)
    assert said.code == 2, said.err
    assert "Nothing was changed" in said.err
    return said


def test_the_question_before_a_destroy_says_for_how_long_the_names_are_blocked(
    myflux: Command, backend: Mapping[str, str], fleet: Path, tmp_path: Path
) -> None:
    with_state(tmp_path, "local", "acme.local", "other")
    asked = destroying(myflux, backend, "--cell", "local").err
    assert "for 7 days and creates no other of the same name before" in asked
    assert "needs another slug for good" in asked
    assert "another slug" not in destroying(myflux, backend, "--cell", "other").err, "no tenant is destroyed"
    other = fleet / "cells" / "other.yaml"
    text = other.read_text(encoding="utf-8").replace("recovery_window_days: 7 ", "recovery_window_days: 30 ")
    other.write_text(text, encoding="utf-8")
    assert "for 30 days" in destroying(myflux, backend, "--cell", "other").err
    assert "for 7 to 30 days" in destroying(myflux, backend, "--all").err


def test_what_is_left_out_of_a_run_is_no_success(backend: Mapping[str, str], repository: Command) -> None:
    said = repository("up", "--changed", "HEAD", "--json", environment=backend)
    assert said.code == 1
    assert "is left out: cell local has no platform yet" in said.err
    assert list(json.loads(said.out)["left_out"]) == ["zeta.local"]
    assert "nothing to do" not in said.out


@pytest.fixture
def repository(myflux: Command, fleet: Path) -> Command:
    """The fleet under git, with one tenant that was added since."""
    for arguments in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "fleet"),
    ):
        subprocess.run(["git", "-C", str(fleet), *arguments], check=True)
    text = (fleet / "tenants" / "acme.yaml").read_text(encoding="utf-8")
    added = text.replace("tenant: acme ", "tenant: zeta ").replace("Acme Travel", "Zeta")
    (fleet / "tenants" / "zeta.yaml").write_text(added, encoding="utf-8")
    return myflux
