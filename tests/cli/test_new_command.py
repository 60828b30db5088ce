"""`myflux-keys new`: by flags where there is nobody to ask, by questions on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Command

FLAGS = ("--name", "Zeta Air", "--cell", "local", "--country", "NO", "--model", "gpt-5.4-mini")
ROTATES = ("--every-days", "31", "--overlap-hours", "24")


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    for folder in ("tenants", "cells"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_where_nobody_can_be_asked_the_missing_flags_are_named(myflux: Command, fleet: Path) -> None:
    said = myflux("new", "zeta", "--cell", "local", "--fleet", str(fleet))
    assert (said.code, said.out) == (2, "")
    assert "add --name, --country, --model, --every-days, --overlap-hours" in said.err
    assert "--every-days" not in myflux("new", "zeta", "--source", "customer", "--fleet", str(fleet)).err
    assert not (fleet / "tenants" / "zeta.yaml").exists()


def test_a_dry_run_prints_the_very_file_that_is_then_written(myflux: Command, fleet: Path) -> None:
    arguments = ("new", "zeta", *FLAGS, *ROTATES, "--fleet", str(fleet))
    shown = myflux(*arguments, "--dry-run")
    assert shown.code == 0
    assert not (fleet / "tenants" / "zeta.yaml").exists()
    told = json.loads(myflux(*arguments, "--json").out)
    written = (fleet / "tenants" / "zeta.yaml").read_text(encoding="utf-8")
    assert written == shown.out == told["content"]
    assert told["written"]
    assert "5 tenants" in myflux("validate", "--fleet", str(fleet)).out
    assert "never overwrites" in myflux(*arguments).err


def test_what_tenancy_refuses_is_not_written(myflux: Command, fleet: Path) -> None:
    said = myflux("new", "zeta", *FLAGS, "--every-days", "0", "--overlap-hours", "24", "--fleet", str(fleet))
    assert said.code == 1
    assert "tenants/zeta.yaml:8: rotation.every_days 0" in said.err
    key = "sk-" + "proj-" + "x" * 24
    said = myflux("new", "zeta", *FLAGS[2:], *ROTATES, "--name", key, "--fleet", str(fleet))
    assert said.code == 1
    assert "key-shaped" in said.err
    assert key not in said.err
    assert not (fleet / "tenants" / "zeta.yaml").exists()


def test_a_terminal_is_asked_with_defaults_and_asked_again_for_what_is_refused(fleet: Path) -> None:
    """Enter takes the default; a country that OpenAI does not serve is asked for again, and nothing else is."""
    terminal, side = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "new", "zeta", "--fleet", str(fleet)],
        cwd=ROOT,
        stdin=side,
        stdout=side,
        stderr=side,
    )
    os.close(side)
    said = ""
    answers = [
        ("Display name", "Zeta Air"),
        ("Cell that", ""),
        ("Country", "KP"),
        ("Source of keys", ""),
        ("Models", "gpt-5.4-mini"),
        ("Longest time", ""),
        ("Hours that", ""),
        ("Budget", "200"),
        ("Country", "NO"),
    ]
    try:
        for question, answer in answers:
            said += until(terminal, f"{question}.*:")
            os.write(terminal, f"{answer}\n".encode())
        said += until(terminal, "Wrote .*zeta")
        assert running.wait(60) == 0
    finally:
        running.kill()
        running.wait()
        os.close(terminal)
    assert "[local]" in said, "the only cell is the default"
    assert "tenants/zeta.yaml:5: country" in said
    written = (fleet / "tenants" / "zeta.yaml").read_text(encoding="utf-8")
    assert "country: 'NO'\n" in written
    assert "rotation: {every_days: 31, overlap_hours: 24}\n" in written
    assert "budget: {monthly_usd: 200}\n" in written


def until(terminal: int, what: str) -> str:
    """What the terminal shows until a line matches `what`, a regular expression."""
    shown = ""
    give_up = time.monotonic() + 60
    while not re.search(what, shown):
        assert time.monotonic() < give_up, f"{what!r} never came: {shown}"
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode()
    return shown
