"""Each command of docs/credentials.md works on a cell as it is deployed, from the state that the page gives it for."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import cast

import pytest

from ops.actions.credential import Target
from tests.actions.conftest import ROOT
from tests.commands import plugins
from tests.credential.conftest import Switching
from tests.kills.switching import delete_rules, federation_rules

TEXT = (ROOT / "docs" / "credentials.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
MAKING, SWITCHES, *MENDING = [textwrap.dedent(block) for block in BLOCK.findall(TEXT)]
FIRST = [shlex.split(line, comments=True) for line in MAKING.splitlines()]
TO_FEDERATED, TO_KEY = [shlex.split(line, comments=True) for line in SWITCHES.splitlines()]


def test_every_command_is_in_a_block_that_is_run() -> None:
    outside = BLOCK.sub("", TEXT)
    assert "```" not in outside, "another kind of block would not be run"
    for command in ("./myflux-keys", "pulumi up", "aws iam"):
        assert command not in outside
    assert [command[1] for command in FIRST] == ["up", "new", "up", "verify"]
    assert [command[1] for command in (TO_FEDERATED, TO_KEY)] == ["credential", "credential"]
    assert len(MENDING) == 3


@pytest.mark.engine
@pytest.mark.cell
def test_the_first_tenant_without_a_key(here: Switching) -> None:
    """Of this cell, whose platform is deployed already, and with the answers that `new` would ask a person for."""
    platform, new, up, verify = (
        [{"acme": "cape", "prod-eu1": "local"}.get(word, word) for word in one] for one in FIRST
    )
    here.told("preview", *platform[2:])
    here.told(*new[1:], "--from", "acme", "--name", "Cape Ferries")
    here.told(*up[1:])
    states = {one["step"]: one["state"] for one in here.asked(*verify[1:])["steps"]}
    assert states["calls"] == "ok"
    assert "wrong" not in states.values()


@pytest.mark.engine
@pytest.mark.cell
def test_the_pages_commands_work(here: Switching, tmp_path: Path) -> None:
    """One tenant through all of them: to no key, through each trouble, and back. Readers' caches are waited for by the
    cell's clock."""
    here.up("acme.local")
    here.settled("acme")
    assert "write `credential: federated`" in _planned(here, TO_FEDERATED)
    here.switch("acme", _target(TO_FEDERATED))
    assert (here.live_keys("acme"), federation_rules(here, "acme")) == ([], 1)

    stolen, deleted, disabled = MENDING
    _run(here, stolen, tmp_path)
    assert federation_rules(here, "acme") == 1
    delete_rules(here, "acme")
    _run(here, deleted, tmp_path)
    assert federation_rules(here, "acme") == 1
    here.cell.client("deployer", "iam").disable_outbound_web_identity_federation()
    _run(here, disabled, tmp_path)
    with here.calling("acme"):
        here.told("preview", "acme")

    assert "write `credential: key`" in _planned(here, TO_KEY)
    here.switch("acme", _target(TO_KEY))
    assert (len(here.live_keys("acme")), federation_rules(here, "acme")) == (1, 0)


def _target(command: list[str]) -> Target:
    return cast("Target", command[-1].removeprefix("--"))


def _planned(here: Switching, command: list[str]) -> str:
    """What the command itself says that it will do: its waiting takes an hour, and `switch` is its code."""
    done = here.command(*command[1:], "--dry-run")
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _run(here: Switching, script: str, home: Path) -> None:
    environment = dict(here.environment)
    environment["PATH"] = os.pathsep.join([str(_aws(home)), str(ROOT / ".venv" / "bin"), environment["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", plugins.typed() + script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    here.said.extend((done.stdout, done.stderr))
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"


def _aws(home: Path) -> Path:
    """A folder with AWS's command line as far as the page types it, played by the call that it makes."""
    folder = home / "played"
    folder.mkdir(exist_ok=True)
    played = folder / "aws"
    played.write_text(
        f"#!{sys.executable}\n"
        "import sys, boto3\n"
        "assert sys.argv[1:] == ['iam', 'enable-outbound-web-identity-federation'], sys.argv\n"
        "print(boto3.client('iam').enable_outbound_web_identity_federation()['IssuerIdentifier'])\n",
        encoding="utf-8",
    )
    played.chmod(0o755)
    return folder
