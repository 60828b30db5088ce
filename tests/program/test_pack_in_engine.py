"""The shipped program under its own policy pack, judged by the real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.stacks.engine import Engine, OperationFailed
from tenancy.address import LOCAL_OPENAI_URL
from tests.program.rig import CELL, ROOT, Rig

pytestmark = [pytest.mark.engine, pytest.mark.cell]

PACK = ("--policy-pack", str(ROOT / "policies"))


def said(rig: Rig, *arguments: str, fails: bool = False, fleet: Path | None = None) -> str:
    """What a person reads."""
    run = rig.pulumi(*arguments, *PACK, fails=fails, environment=rig.environment(fleet))
    return run.out + run.err


def test_the_shipped_program_passes_its_own_pack_from_an_empty_account(empty_cell: Rig) -> None:
    empty_cell.make(CELL)
    told = said(empty_cell, "preview", "--stack", CELL)
    assert "myflux-guardrails" in told, "the pack ran"
    assert "[mandatory]" not in told, told
    assert "[advisory]" not in told, "nor is there a remark: nothing that matters is unknown"


def test_an_update_is_judged_on_what_it_made(platform: Rig) -> None:
    assert "mandatory" not in said(platform, "preview", "--stack", CELL), "the platform as it stands"
    platform.add_tenant("judged")
    platform.make("judged.local")
    told = said(platform, "up", "--stack", "judged.local", "--yes", "--skip-preview")
    assert "myflux-guardrails" in told
    assert "[mandatory]" not in told, told
    assert "[advisory]" not in told, told


def test_what_breaks_a_rule_is_refused_in_words(platform: Rig, tmp_path: Path) -> None:
    fleet = platform.another_fleet(tmp_path)
    cell, settings = fleet / "cells" / "local.yaml", fleet / "settings.json"
    key = f"arn:aws:kms:us-west-2:{platform.cell.account_id}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    copies = f"replicas: [{{region: us-west-2, kms_key_arn: {key!r}}}]\n"
    cell.write_text(cell.read_text(encoding="utf-8") + copies, encoding="utf-8")
    settings.write_text(json.dumps({"secret-can-be-restored": {"minRecoveryDays": 30}}), encoding="utf-8")
    platform.make("fjord.local")
    configured = ("--policy-pack-config", str(settings))
    told = said(platform, "preview", "--stack", "fjord.local", *configured, fails=True, fleet=fleet)
    assert "secret-can-be-restored" in told, "the rule"
    assert "fjord-key-secret.recoveryWindowInDays" in told, "the resource and its property"
    assert "Risk: " in told
    assert "Fix: Set `recovery_window_days`" in told
    assert "secret-has-its-own-kms-key" not in told, "a copy under a key of its Region breaks nothing"


def test_the_demos_check_fails_with_what_the_rule_says(empty_cell: Rig, tmp_path: Path, monkeypatch: Any) -> None:
    for name, value in empty_cell.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(LOCAL_OPENAI_URL, "http://192.0.2.1/v1")
    with pytest.raises(OperationFailed, match="a host that is not OpenAI's") as refused:
        Engine(tmp_path, empty_cell.fleet).judge(CELL)
    assert "local-rotation-function.environment.variables.OPENAI_BASE_URL" in refused.value.explanation


def test_the_pack_is_configured_by_a_file(platform: Rig, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"rotation-often-enough": {"maxRotationDays": 1}}), encoding="utf-8")
    platform.make("fjord.local")
    arguments = ("preview", "--stack", "fjord.local", "--policy-pack-config", str(config))
    told = said(platform, *arguments, fails=True)
    assert "days pass between two rotations; 1 is the most" in told
    config.write_text(json.dumps({"rotation-often-enough": {"maxRotationDays": 1, "enforcementLevel": "advisory"}}))
    told = said(platform, *arguments)
    assert "days pass between two rotations; 1 is the most" in told, "an advice is told and lets pass"
