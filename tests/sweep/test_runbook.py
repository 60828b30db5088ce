"""The runbook has a section for every alarm, and each of its commands works on a cell as it is deployed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest

from components.cell_alarms import link
from components.health_alarms import HEARTBEAT, SAYS
from components.sweep_alarms import ALARMS
from functions.health.remedies import page
from functions.health.trouble import KINDS
from local.cell import LocalCell
from myflux_keys.aws_names import CellNames
from ops.actions import orphans
from tests.commands import plugins
from tests.sweep import trusted_app

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (\w+)$", TEXT, re.MULTILINE)
BLOCKS = [
    (heading, number, block)
    for heading, section in zip(["first look", *HEADINGS], re.split(r"^## \w+$", TEXT, flags=re.MULTILINE), strict=True)
    for number, block in enumerate(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL), start=1)
]
ONCE = [
    one
    for place, one in enumerate(BLOCKS)
    if one[0] in orphans.KINDS or one[2] not in [block for _, _, block in BLOCKS[:place]]
]
"""What several sections say alike is run once. The way out of an orphan is run in its own state."""
TENANTS = ("acme", "fjord", "globex", "initech")
"""Those that the runbook's examples name: managed ones, of which two are ended, and one with a key of its own."""
LINK = re.compile(r"docs/runbook\.md#([a-z]+)")


def test_every_alarm_and_rule_links_to_a_section_and_every_section_is_linked() -> None:
    linked = set()
    for path in sorted((ROOT / "components").glob("*.py")):
        linked |= set(LINK.findall(path.read_text(encoding="utf-8")))
    linked |= {match for alarm in ALARMS for match in LINK.findall(link(alarm.metric))}
    linked |= {kind.lower() for kind in orphans.KINDS}
    linked |= {anchor for kind in KINDS if not KINDS[kind].quiet for anchor in LINK.findall(page(kind))}
    linked |= {anchor for metric in (*SAYS, HEARTBEAT) for anchor in LINK.findall(link(metric))}
    assert len(linked) > 10, "the components were read for links and must hold some"
    assert linked == {heading.lower() for heading in HEADINGS}


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_section_says_what_how_urgent_what_to_run_and_when_it_is_over(heading: str) -> None:
    section = re.split(rf"^## {heading}$", TEXT, flags=re.MULTILINE)[1].split("\n## ")[0]
    for part in ("**What.**", "**How urgent.**", "```sh", "**Solved when**"):
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
    fleet: Path

    def run(self, script: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", plugins.typed() + script],
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
    local = fleet / "cells" / "local.yaml"
    text = local.read_text(encoding="utf-8")
    local.write_text(text.replace('user/runtime"]', f'user/runtime", "{trusted_app.ARN}"]'), encoding="utf-8")
    cell = LocalCell.start(home)
    try:
        trusted_app.make(cell)
        environment = cell.environment("deployer") | {
            "MYFLUX_FLEET": str(fleet),
            "MYFLUX_STATE": str(home / "operations"),
        }
        environment["PATH"] = os.pathsep.join([str(_aws(home)), str(ROOT / ".venv" / "bin"), environment["PATH"]])
        running = Deployed(cell, environment, fleet)
        cell.openai.settings(admin_requests_per_minute=0)
        for stack in ("local", *(f"{tenant}.local" for tenant in TENANTS)):
            done = running.run(f"pulumi stack select -c {stack} && pulumi up --yes --skip-preview --stack {stack}")
            assert done.returncode == 0, done.stdout + done.stderr
            if stack == "local":
                key = cell.openai.create_admin_key("the cell's", expires_in_seconds=80 * 86_400)
                stored = running.run("./myflux-keys admin-key set --cell local", key + "\n")
                assert stored.returncode == 0, stored.stderr
        first = running.run("./myflux-keys rotate acme fjord globex --wait")
        assert first.returncode == 0, first.stderr
        # Past the time in which a project may wait for its secret.
        cell.advance(2 * 3600)
        yield running
    finally:
        cell.stop()


def _aws(home: Path) -> Path:
    """A folder with AWS's command line as far as the runbook types it, played by the calls that it makes."""
    folder = home / "played"
    folder.mkdir()
    played = folder / "aws"
    played.write_text(
        f"#!{sys.executable}\n"
        "import sys, boto3\n"
        "_, service, call, option, value = sys.argv\n"
        "assert (service, call, option) == ('secretsmanager', 'restore-secret', '--secret-id'), sys.argv\n"
        "boto3.client(service).restore_secret(SecretId=value)\n",
        encoding="utf-8",
    )
    played.chmod(0o755)
    return folder


def _distrusted(deployed: Deployed, command: str) -> tuple[int, list[str], str]:
    """The exit code, the roles that trust somebody deleted, and the sentences."""
    done = deployed.run(f"./myflux-keys {command} --cell local --json")
    told = json.loads(done.stdout)
    found = told["cells"][0]["trust"] if "sweep" in command else told["trust"]["local"]
    return done.returncode, [entry["role"] for entry in found], done.stderr


def _secret_deleted(deployed: Deployed) -> None:
    _secrets(deployed, "delete_secret", "acme", RecoveryWindowInDays=7)


def _secret_gone(deployed: Deployed) -> None:
    _secrets(deployed, "delete_secret", "acme", ForceDeleteWithoutRecovery=True)


def _secret_mistagged(deployed: Deployed) -> None:
    _secrets(deployed, "tag_resource", "acme", Tags=[{"Key": "tenant", "Value": "somebody-else"}])


def _project_archived(deployed: Deployed) -> None:
    name = _names(deployed).tenant("globex").project
    admin = deployed.cell.openai.create_admin_key("temporary", expires_in_seconds=3600)
    with openai.OpenAI(admin_api_key=admin, base_url=deployed.cell.openai_url, max_retries=0) as client:
        projects = client.admin.organization.projects
        (project,) = [found.id for found in projects.list() if found.name == name]
        projects.archive(project)


def _file_deleted(deployed: Deployed) -> None:
    (deployed.fleet / "tenants" / "fjord.yaml").unlink()


def _stack_forgotten(deployed: Deployed) -> None:
    done = deployed.run("pulumi stack rm --yes --force --stack acme.local")
    assert done.returncode == 0, done.stderr


STATES: dict[tuple[str, int], tuple[str, Callable[[Deployed], None]]] = {
    ("SecretDeleted", 1): ("acme", _secret_deleted),
    ("SecretMissing", 1): ("acme", _secret_gone),
    ("SecretMistagged", 1): ("acme", _secret_mistagged),
    ("ProjectMissing", 1): ("globex", _project_archived),
    ("FileMissing", 1): ("fjord", _file_deleted),
    ("StackMissing", 1): ("acme", _stack_forgotten),
}
"""What is done by hand before a section's commands are typed: they are its way out, from that very state."""


def _secrets(deployed: Deployed, call: str, slug: str, **parameters: Any) -> None:
    client = deployed.cell.client("deployer", "secretsmanager")
    try:
        getattr(client, call)(SecretId=_names(deployed).tenant(slug).secret, **parameters)
    finally:
        client.close()


def _names(deployed: Deployed) -> CellNames:
    return CellNames("local", deployed.cell.account_id, deployed.cell.region)


def _orphans(deployed: Deployed, command: str) -> tuple[int, set[tuple[str, str]], str]:
    """The exit code of `sweep --dry-run` or `status`, the orphans told (tenant, kind), and the sentences."""
    done = deployed.run(f"./myflux-keys {command} --cell local --json")
    told = json.loads(done.stdout)
    found = told["cells"][0]["orphans"] if "sweep" in command else told["orphans"]["local"]
    return done.returncode, {(orphan["tenant"], orphan["kind"]) for orphan in found}, done.stderr


WORDS = {
    "SecretDeleted": "deleted",
    "SecretMissing": "no secret",
    "SecretMistagged": "wrong tags",
    "FileMissing": "no file",
    "StackMissing": "no stack",
}


def _word(deployed: Deployed, tenant: str) -> str:
    """The state that `status` shows of a tenant."""
    told = json.loads(deployed.run("./myflux-keys status --cell local --json").stdout)
    return next(line["state"] for line in told["cells"]["local"] if line["tenant"] == tenant)


def _brought_about(deployed: Deployed, heading: str, number: int) -> None:
    """Makes the state that the section is about, and shows that the commands tell it and exit with 1."""
    if heading == "TrustedPrincipalGone":
        assert trusted_app.reads(deployed.cell, "acme")
        trusted_app.make_anew(deployed.cell)
        assert not trusted_app.reads(deployed.cell, "acme")
        for command in ("sweep --dry-run", "status"):
            code, roles, said = _distrusted(deployed, command)
            assert (code, roles) == (
                1,
                [_names(deployed).runtime_role, _names(deployed).tenant("globex").dedicated_role],
            ), said
            assert f"docs/runbook.md#{heading.lower()}" in said
    if (heading, number) not in STATES:
        return
    tenant, made = STATES[heading, number]
    kept = {path: path.read_text(encoding="utf-8") for path in (deployed.fleet / "tenants").glob("*.yaml")}
    made(deployed)
    for command in ("sweep --dry-run", "status"):
        if (heading, command) == ("ProjectMissing", "status"):
            continue  # AWS alone does not know it.
        code, found, said = _orphans(deployed, command)
        if command == "status":
            assert _word(deployed, tenant) == WORDS[heading]
        assert (code, found) == (1, {(tenant, heading)}), said
        assert f"docs/runbook.md#{heading.lower()}" in said
    for path, text in kept.items():
        path.write_text(text, encoding="utf-8")


@pytest.mark.cell
@pytest.mark.engine
@pytest.mark.parametrize(("heading", "number", "block"), ONCE, ids=[f"{h} {n}" for h, n, _ in ONCE])
def test_the_runbooks_commands_work(deployed: Deployed, heading: str, number: int, block: str) -> None:
    _brought_about(deployed, heading, number)
    done = deployed.run(block, _stdin(deployed.cell, block))
    told = done.stdout + done.stderr
    assert done.returncode == 0, f"{heading}, block {number}:\n{block}\n{told}"
    for key in deployed.cell.openai.minted():
        assert key.value not in told
    if heading == "TrustedPrincipalGone":
        assert trusted_app.reads(deployed.cell, "acme")
        assert [_distrusted(deployed, command)[1] for command in ("sweep --dry-run", "status")] == [[], []]
    if heading in orphans.KINDS:
        for command in ("sweep --dry-run", "status"):
            assert _orphans(deployed, command)[1] == set(), f"{heading}, block {number} is no way out"


def _stdin(cell: LocalCell, block: str) -> str:
    """What a person would paste into the hidden prompt."""
    if "admin-key set" in block:
        return cell.openai.create_admin_key("an owner's", expires_in_seconds=80 * 86_400) + "\n"
    if "key set" in block:
        admin = cell.openai.create_admin_key("the customer's own", expires_in_seconds=3600)
        # A project that is no tenant's: the customer's, in the cell's own organization.
        with openai.OpenAI(admin_api_key=admin, base_url=cell.openai_url, max_retries=0) as client:
            project = client.admin.organization.projects.create(name="the customer's").id
        return cell.openai.create_user_key(project, "the customer's", expires_in_seconds=3600) + "\n"
    return ""
