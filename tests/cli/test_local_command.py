"""`myflux-keys local`: the life of a cell from the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from local.aws.iam.user_policies import POLICIES
from local.cell import LocalCell
from tests.cli.conftest import Command, Said

pytestmark = pytest.mark.cell

Local = Callable[..., Said]
NAMED = '"$AWS_ENDPOINT_URL" "$AWS_SHARED_CREDENTIALS_FILE" "$PULUMI_BACKEND_URL"'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "it's a home"
    yield place
    LocalCell.clear(place)


@pytest.fixture
def local(myflux: Command, home: Path) -> Local:
    return lambda *arguments: myflux("local", *arguments, environment={"MYFLUX_LOCAL_HOME": str(home)})


def test_the_life_of_a_cell(local: Local, home: Path) -> None:
    none = local("status", "--json")
    assert none.code == 1, "scripts can ask whether a cell runs"
    assert json.loads(none.out)["state"] == "none"

    up = local("up", "--json")
    assert up.code == 0, up.err
    facts = json.loads(up.out)
    assert facts["aws_url"].startswith("http://127.0.0.1:")
    again = json.loads(local("up", "--json").out)
    assert (again["aws_url"], again["openai_url"]) == (facts["aws_url"], facts["openai_url"]), "the same cell"
    status = local("status", "--json")
    assert (status.code, json.loads(status.out)["state"]) == (0, "running")

    env = local("env")
    answer = subprocess.run(
        ["sh", "-ec", f'eval "$1"; printf "%s\\n" {NAMED}', "sh", env.out],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert answer == [facts["aws_url"], str(home / "credentials"), f"file://{quote(str(home))}/state"]
    as_stranger = local("env", "--user", "stranger").out
    assert as_stranger != env.out
    unknown = local("env", "--user", "root")
    assert (unknown.code, unknown.out) == (1, "")
    assert "deployer" in unknown.err
    explained = local("env", "--help").out
    assert [user for user in POLICIES if user not in explained] == [], "the help names every user"

    forward = local("advance", "26h")
    assert (forward.code, "26.0 h ahead" in forward.out) == (0, True)
    assert "27.0 h ahead" in local("advance", "60m").out

    key = local("openai-admin-key").out.strip()
    assert key in {minted.value for minted in LocalCell.attach(home).openai.minted()}

    factor = json.loads(local("mfa-code", "--json").out)
    assert LocalCell.attach(home).second_factor()[0] == factor["serial_number"]
    assert (len(factor["code"]), factor["code"].isdecimal()) == (6, True)

    reset = local("reset", "--json")
    assert reset.code == 0, reset.err
    assert json.loads(reset.out)["home"] == str(home)
    fresh = LocalCell.attach(home)
    assert fresh.openai.minted() == [], "nothing is left of the cell before"
    assert fresh.advance(0) == 0

    down = local("down")
    assert (down.code, "deleted" in down.out) == (0, True)
    assert {path.name for path in home.iterdir()} <= {"lock"}, "nothing that a cell held stays"
    twice = local("down")
    assert (twice.code, "no local cell" in twice.out) == (0, True)


def test_a_kept_cell_is_only_stopped_until_it_is_to_be_forgotten(local: Local, home: Path) -> None:
    up = local("up", "--keep")
    assert (up.code, f"{home}/kept" in up.out) == (0, True), up.err
    key = local("openai-admin-key").out.strip()

    down = local("down")
    assert down.code == 0
    assert "was stopped" in down.out
    for told in ("keys", "clock", "Pulumi's state", "local up --home", "local down --forget --home"):
        assert told in down.out, told
    stopped = local("status", "--json")
    assert (stopped.code, json.loads(stopped.out)["state"]) == (1, "stopped")
    assert "does not run" in local("down").out, "nothing is deleted by a second try"

    again = local("up", "--json")
    assert json.loads(again.out)["kept"] is True, again.err
    assert key in {minted.value for minted in LocalCell.attach(home).openai.minted()}
    reset = json.loads(local("reset", "--json").out)
    assert reset["kept"] is True, "as the cell before"
    assert LocalCell.attach(home).openai.minted() == []
    forgotten = local("down", "--forget")
    assert "deleted" in forgotten.out
    assert {path.name for path in home.iterdir()} <= {"lock"}


def test_people_are_told_the_ports_and_the_next_step(local: Local) -> None:
    said = local("up")
    assert said.code == 0
    assert "http://127.0.0.1:" in said.out
    assert "local env" in said.out


@pytest.mark.parametrize("arguments", [("env",), ("advance", "1h"), ("openai-admin-key",), ("mfa-code",)])
def test_without_a_cell_the_way_to_one_is_told(local: Local, arguments: tuple[str, ...]) -> None:
    said = local(*arguments)
    assert (said.code, said.out) == (1, ""), "nothing that a shell would evaluate"
    assert "local up" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("command", ["openai-admin-key", "openai-customer"])
def test_a_key_is_not_shown_on_a_terminal(local: Local, home: Path, command: str) -> None:
    import os
    import pty
    import sys

    from tests.cli.conftest import ROOT

    local("up")
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ops.cli", "local", command, "--home", str(home)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=slave,
            stderr=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 2
        assert b"pipe this into" in done.stderr
        assert LocalCell.attach(home).openai.minted() == [], "and none was made"
    finally:
        os.close(slave)
        os.close(master)


def test_customers_have_accounts_of_their_own_with_their_keys(local: Local, home: Path) -> None:
    """Nothing that the cell's admin key reaches: as at OpenAI, a key says whose organization it is."""
    local("up")
    control = LocalCell.attach(home).openai
    values = [local("openai-customer", *more).out.strip() for more in ((), ("--admin",), ("org-acme",))]
    kinds = {minted.value: minted.kind for minted in control.minted()}
    assert [kinds[value] for value in values] == ["user", "admin", "user"]
    assert control.projects() == [], "the cell's own organization has nothing of theirs"
    for organization in ("org-customer", "org-acme"):
        (project,) = control.projects(organization)
        assert len(project.live_keys) == 1
    refused = local("openai-customer", "acme")
    assert (refused.code, refused.out) == (2, "")
    assert "org-acme" in refused.err
    own = local("openai-customer", "org-local")
    assert (own.code, "the cell's own organization" in own.err) == (1, True), own.err
