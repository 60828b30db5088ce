"""The runbook has a section for every alarm, and each of its commands works on a cell as it is deployed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest

from components.sweep_alarms import ALARMS, link
from local.cell import LocalCell

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (\w+)$", TEXT, re.MULTILINE)
BLOCKS = [
    (heading, number, block)
    for heading, section in zip(["first look", *HEADINGS], re.split(r"^## \w+$", TEXT, flags=re.MULTILINE), strict=True)
    for number, block in enumerate(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL), start=1)
]
TENANTS = ("acme", "initech")
"""Those that the runbook's examples name: a managed one, and one with a key of its own."""
LINK = re.compile(r"docs/runbook\.md#([a-z]+)")


def test_every_alarm_and_rule_links_to_a_section_and_every_section_is_linked() -> None:
    linked = set()
    for path in sorted((ROOT / "components").glob("*.py")):
        linked |= set(LINK.findall(path.read_text(encoding="utf-8")))
    linked |= {match for alarm in ALARMS for match in LINK.findall(link(alarm.metric))}
    assert len(linked) > 10, "the components were read for links and must hold some"
    assert linked == {heading.lower() for heading in HEADINGS}


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_section_says_what_how_urgent_what_to_run_and_when_it_is_over(heading: str) -> None:
    section = re.split(rf"^## {heading}$", TEXT, flags=re.MULTILINE)[1].split("\n## ")[0]
    for part in ("**What.**", "**How urgent.**", "```sh", "**Over when**"):
        assert part in section, f"{heading} lacks {part}"


def test_every_command_is_in_a_block_that_is_run() -> None:
    outside = re.sub(r"^```sh\n.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert "```" not in outside.replace("```sh", ""), "another kind of block would not be run"
    assert "./myflux-keys" not in outside
    assert len(BLOCKS) >= len(HEADINGS)


@dataclass
class Deployed:
    cell: LocalCell
    environment: dict[str, str]

    def run(self, script: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A platform and two tenants, by the real engine, as a person deploys them."""
    home = tmp_path_factory.mktemp("cell")
    fleet = home / "fleet"
    for folder in ("tenants", "cells"):
        shutil.copytree(ROOT / folder, fleet / folder)
    for tenant in (fleet / "tenants").glob("*.yaml"):
        if tenant.stem not in TENANTS:
            tenant.unlink()
    cell = LocalCell.start(home)
    try:
        environment = cell.environment("deployer") | {
            "MYFLUX_FLEET": str(fleet),
            "MYFLUX_STATE": str(home / "operations"),
        }
        environment["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{environment['PATH']}"
        running = Deployed(cell, environment)
        cell.openai.settings(admin_requests_per_minute=0)
        for stack in ("local", *(f"{tenant}.local" for tenant in TENANTS)):
            done = running.run(f"pulumi stack select -c {stack} && pulumi up --yes --skip-preview --stack {stack}")
            assert done.returncode == 0, done.stdout + done.stderr
            if stack == "local":
                key = cell.openai.create_admin_key("the cell's", expires_in_seconds=80 * 86_400)
                stored = running.run("./myflux-keys admin-key set --cell local", key + "\n")
                assert stored.returncode == 0, stored.stderr
        first = running.run("./myflux-keys rotate acme --wait")
        assert first.returncode == 0, first.stderr
        yield running
    finally:
        cell.stop()


@pytest.mark.cell
@pytest.mark.engine
@pytest.mark.parametrize(("heading", "number", "block"), BLOCKS, ids=[f"{h} {n}" for h, n, _ in BLOCKS])
def test_the_runbooks_commands_work(deployed: Deployed, heading: str, number: int, block: str) -> None:
    done = deployed.run(block, _stdin(deployed.cell, block))
    told = done.stdout + done.stderr
    assert done.returncode == 0, f"{heading}, block {number}:\n{block}\n{told}"
    for key in deployed.cell.openai.minted():
        assert key.value not in told


def _stdin(cell: LocalCell, block: str) -> str:
    """What a person would paste into the hidden prompt."""
    if "admin-key set" in block:
        return cell.openai.create_admin_key("an owner's", expires_in_seconds=80 * 86_400) + "\n"
    if "key set" in block:
        admin = cell.openai.create_admin_key("the customer's own", expires_in_seconds=3600)
        # A project that is no tenant's: the customer's, in the one organization that the emulator has.
        with openai.OpenAI(admin_api_key=admin, base_url=cell.openai_url, max_retries=0) as client:
            project = client.admin.organization.projects.create(name="the customer's").id
        return cell.openai.create_user_key(project, "the customer's", expires_in_seconds=3600) + "\n"
    return ""
