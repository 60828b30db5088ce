"""Outputs are in the state: none of them is a key."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

import program
from ops.review import judging
from ops.review.rehearsal import rehearse
from tests.policies.rehearsed import findings, stack

OUTPUTS = "no-key-in-outputs"
KEY = "sk-" + "svcacct-" + "a1B2" * 8


@pytest.mark.parametrize(
    ("called", "answer"),
    [
        ("acme-openai-invocation", {"result": json.dumps({"project_id": "p", "api_key": KEY})}),
        ("acme", {"reader": {"key": KEY}}),
        ("myflux-keys-acme.local", {"api_key": KEY}),
    ],
    ids=["an Invocation's result", "a component's output", "a stack's export"],
)
def test_no_output_is_a_key(called: str, answer: dict[str, Any]) -> None:
    # https://www.pulumi.com/docs/iac/concepts/inputs-outputs/
    acme = stack("acme.local")
    assert called in {one.name for one in acme}
    assert findings(OUTPUTS, acme) == []
    leaks = tuple(replace(one, outputs={**one.outputs, **answer}) if one.name == called else one for one in acme)
    (found,) = findings(OUTPUTS, leaks)
    assert (found.urn.rpartition("::")[2], found.kind) == (called, "violation")
    assert KEY not in str(found)


def test_what_a_program_exports_is_seen_in_a_review(monkeypatch: pytest.MonkeyPatch) -> None:
    class Thing(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("myflux:index:Thing", "thing")
            self.register_outputs({"said": pulumi.Output.secret([KEY])})

    def deploys(_: Path, **_settings: object) -> None:
        Thing()
        pulumi.export("made", {"inside": KEY})

    monkeypatch.setattr(program, "deploy", deploys)
    found = findings(OUTPUTS, judging.resources(rehearse("local")))
    assert {one.path for one in found} == {"said[0]", "made.inside"}
