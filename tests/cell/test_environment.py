"""What `eval "$(myflux-keys local env)"` does to a shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from local import environment
from local.cell import Credentials


class RunningCell:
    """What `environment.compute` reads of a cell."""

    region = "us-east-1"
    aws_url = "http://127.0.0.1:4566"
    openai_url = "http://127.0.0.1:4567/v1"

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True)

    def credentials(self, user: str) -> Credentials:
        return Credentials(f"id-of-{user}", "se'cr$et `id`")


@pytest.fixture
def running(tmp_path: Path) -> RunningCell:
    return RunningCell(tmp_path / "it's $HOME here")


def in_a_shell(text: str, base: dict[str, str]) -> dict[str, str]:
    """The environment of a POSIX shell after it has evaluated `text`."""
    script = 'eval "$1"; env -0'
    done = subprocess.run(["/bin/sh", "-c", script, "sh", text], env=base, capture_output=True, check=True, text=True)
    return dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)


def test_a_shell_that_evaluates_it_equals_a_child_that_is_given_it(running: RunningCell) -> None:
    base = {"PATH": os.defpath, "HOME": str(running.home), "AWS_PROFILE": "work", "KEPT": "a b"}
    found = environment.compute(running, base=base)
    shell, child = in_a_shell(found.shell(), base), found.over(base)
    ignored = {"PWD", "_", "SHLVL", "OLDPWD"}
    assert {k: v for k, v in shell.items() if k not in ignored} == {k: v for k, v in child.items() if k not in ignored}
    assert shell["AWS_SECRET_ACCESS_KEY"] == "se'cr$et `id`", "quoting must survive whatever a value holds"
    assert shell["KEPT"] == "a b"


@pytest.mark.parametrize(
    "name",
    [
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "PULUMI_CONFIG_PASSPHRASE",
    ],
)
def test_what_would_lead_out_of_the_cell_is_unset(running: RunningCell, name: str) -> None:
    base = {"PATH": os.defpath, "HOME": str(running.home), name: "elsewhere"}
    assert name not in environment.compute(running, base=base).over(base), f"{name} would win over what is set here"


def test_it_names_the_cell_and_the_user(running: RunningCell) -> None:
    values = environment.compute(running, "ci", base={"PATH": os.defpath, "HOME": "/nowhere"}).values
    assert values["AWS_ENDPOINT_URL"] == running.aws_url
    assert values["AWS_ACCESS_KEY_ID"] == "id-of-ci"
    assert values["AWS_REGION"] == values["AWS_DEFAULT_REGION"] == "us-east-1"
    assert values["MYFLUX_LOCAL_OPENAI_URL"] == running.openai_url
    assert values["PULUMI_BACKEND_URL"] == f"file://{quote(str(running.home))}/state"
    assert (running.home / "state").is_dir()
    assert values["PATH"].split(os.pathsep)[0] == str(running.home / "bin")


def test_a_home_whose_name_an_address_must_quote_is_quoted_in_the_backends(tmp_path: Path) -> None:
    """The engine reads `%20` in an address as a space, and would look for another folder."""
    values = environment.compute(RunningCell(tmp_path / "s%20p"), base={"PATH": os.defpath, "HOME": "/nowhere"}).values
    assert values["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/s%2520p/state"


def test_loopback_is_taken_out_of_the_callers_proxy(running: RunningCell) -> None:
    base = {"PATH": os.defpath, "HOME": "/nowhere", "NO_PROXY": "intranet.example"}
    assert environment.compute(running, base=base).values["NO_PROXY"] == "intranet.example,127.0.0.1,localhost"


def test_where_it_is_asked_for_new_stacks_are_encrypted_by_the_cells_key(
    running: RunningCell,
) -> None:
    """Deriving a key from a passphrase takes a third of a small run of the engine."""
    base = {"PATH": os.defpath, "HOME": "/nowhere"}
    assert "MYFLUX_SECRETS_PROVIDER" not in environment.compute(running, base=base).values
    values = environment.compute(running, base=base | {"MYFLUX_LOCAL_STATE_KEY": "on"}).values
    assert values["MYFLUX_SECRETS_PROVIDER"].startswith("awskms:///arn:aws:kms:us-east-1:000000000000:key/")
    assert values["PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER"] == "true"


def test_the_passphrase_is_private_and_the_next_cells_too(running: RunningCell, tmp_path: Path) -> None:
    base = {"PATH": os.defpath, "HOME": "/nowhere"}
    first = Path(environment.compute(running, base=base).values["PULUMI_CONFIG_PASSPHRASE_FILE"])
    text = first.read_text(encoding="ascii")
    assert first.stat().st_mode & 0o777 == 0o600
    assert len(text) > 0, "the engine takes an empty passphrase for none"
    environment.compute(running, base=base)
    assert first.read_text(encoding="ascii") == text, "another passphrase would lock the cell's state"
    other = environment.compute(RunningCell(tmp_path / "other"), base=base).values["PULUMI_CONFIG_PASSPHRASE_FILE"]
    assert Path(other).read_text(encoding="ascii") == text, (
        "the engine keeps a salt beside the project: a cell with another passphrase could not use the same stack"
    )
