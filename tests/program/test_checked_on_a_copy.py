"""`myflux-keys check` where state is at hand: the engine previews on a copy, with rights to change nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.program.conftest import Shipped
from tests.program.rig import ROOT, Rig

pytestmark = pytest.mark.engine


def everything(rig: Rig) -> dict[str, str]:
    """Every file of the backend, and the project's settings of a stack that is not there, by what it holds."""
    files = [file for file in (rig.cell.home / "state").rglob("*") if file.is_file()]
    files += (ROOT / ".stacks").glob("Pulumi.newcomer.*")
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def committed(folder: Path) -> None:
    git = ["git", "-c", "user.name=Tests", "-c", "user.email=tests@myflux.example"]
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "-m", "Files"],
    ):
        subprocess.run([*git, *command], cwd=folder, check=True, capture_output=True)


def test_a_review_with_read_only_rights_previews_on_a_copy_and_leaves_the_state_alone(
    shipped: Shipped, tmp_path: Path
) -> None:
    rig = shipped.rig
    fleet = rig.another_fleet(tmp_path / "fleet")
    committed(fleet)
    acme = fleet / "tenants" / "acme.yaml"
    text = acme.read_text(encoding="utf-8")
    acme.write_text(text.replace("monthly_usd: 200", "monthly_usd: 300"), encoding="utf-8")
    (fleet / "tenants" / "newcomer.yaml").write_text(text.replace("tenant: acme", "tenant: newcomer"), encoding="utf-8")
    before = everything(rig)
    done = subprocess.run(
        [sys.executable, "-m", "ops.cli", "check", "--base", "main", "--state", "--fleet", str(fleet), "--json"],
        cwd=ROOT,
        env=rig.cell.environment("ci"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    (rig.said / "check.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert everything(rig) == before, "a review must not lock, select, create or write anything"
    told: dict[str, Any] = json.loads(done.stdout)
    previews = {one["stack"]: one for one in told["previews"]}
    assert told["state"]["looked_at"], told["state"]
    assert [one["failure"] for one in previews.values()] == ["", ""], "the `ci` user may read what a preview asks"
    deployed = {stack: one["deployed"] for stack, one in previews.items()}
    assert deployed == {"acme.local": True, "newcomer.local": False}
    updated = {step["urn"].rpartition("::")[2]: step["paths"] for step in previews["acme.local"]["steps"]}
    assert updated["acme-openai-invocation"] == ["input.budget (update)"], "the diff is against the real state"
    assert {step["op"] for step in previews["newcomer.local"]["steps"]} == {"create"}
