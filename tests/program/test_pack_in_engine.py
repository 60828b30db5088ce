"""The shipped program under its own policy pack, judged by the real engine."""

from __future__ import annotations

import json
import sys
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


TELLS = """
import sys
sys.path.insert(0, {policies!r})
from guardrails import engine
from pulumi_policy import *

def told(one):
    return f"{{one.type}} {{'groups others' if one.component else 'is made by a provider'}}"

def alone(args, report):
    report("alone: " + told(engine.before_it_is_made(args)))

def together(args, report):
    for shown in args.resources:
        report("together: " + told(engine.within_its_stack(shown, None)), shown.urn)

about = {{"description": "tells", "enforcement_level": EnforcementLevel.ADVISORY}}
PolicyPack("tells", policies=[
    ResourceValidationPolicy(name="alone", validate=alone, **about),
    StackValidationPolicy(name="together", validate=together, **about),
])
"""
"""A pack that tells of each resource whether the engine shows a provider for it."""


def test_the_engine_shows_what_a_provider_makes_and_what_only_groups_others(empty_cell: Rig, tmp_path: Path) -> None:
    # A resource of an unknown package passes only as a component: resources-in-sight.
    (tmp_path / "__main__.py").write_text(TELLS.format(policies=str(ROOT / "policies")), encoding="utf-8")
    runtime = {"name": "python", "options": {"virtualenv": str(Path(sys.prefix))}}
    manifest = {"name": "tells", "description": "tells", "runtime": runtime}
    (tmp_path / "PulumiPolicy.yaml").write_text(json.dumps(manifest), encoding="utf-8")
    empty_cell.make(CELL)
    run = empty_cell.pulumi(
        "preview", "--stack", CELL, "--policy-pack", str(tmp_path), environment=empty_cell.environment()
    )
    for seen in ("alone", "together"):
        assert f"{seen}: aws:iam/role:Role is made by a provider" in run.out
        assert f"{seen}: myflux:index:Platform groups others" in run.out
        assert f"{seen}: aws:iam/role:Role groups others" not in run.out


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
