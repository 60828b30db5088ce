"""The proof and the state bucket: of every object, project and cell; each way of opening it is found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import tenancy
from ops.isolation import Verdict, prove
from ops.isolation.bootstrapped import by_bootstrap
from ops.isolation.claims import claims
from ops.isolation.deployment import read
from ops.isolation.proof import verdict
from ops.review.rehearsal import Registered, rehearse
from program import ROOT
from tenancy import Cell
from tests.policies.pipelines import MODES, Mode, of_a_pipeline

CLAIM = "a-pipeline-keeps-to-its-stacks-state"
STATE = "local-deployer-state"
BUCKET = "arn:aws:s3:::myflux-state-local"


@cache
def deployed(mode: Mode, more: str = "") -> tuple[Sequence[Registered], Cell]:
    """`more` is added to the cell's file."""
    with TemporaryDirectory() as folder:
        for kind in ("tenants", "cells"):
            shutil.copytree(ROOT / kind, Path(folder, kind))
        file = Path(folder, "cells", "local.yaml")
        file.write_text(of_a_pipeline(file.read_text(encoding="utf-8"), mode) + more, encoding="utf-8")
        resources = [one for stack in ("local", "acme.local") for one in rehearse(stack, Path(folder))]
        return resources, tenancy.load(Path(folder)).cells["local"]


def judged(resources: Sequence[Registered], cell: Cell) -> Verdict:
    (claim,) = [claim for claim in claims(read(resources, by_bootstrap(cell)), cell) if claim.name == CLAIM]
    return verdict(claim)


def with_more(mode: Mode, action: str, place: str, on: str = STATE) -> Verdict:
    resources, cell = deployed(mode)
    changed: list[Registered] = []
    for one in resources:
        if one.name == on:
            document: Any = json.loads(one.inputs["policy"])
            document["Statement"].append({"Sid": "More", "Effect": "Allow", "Action": action, "Resource": place})
            one = replace(one, inputs={**one.inputs, "policy": json.dumps(document)})
            changed.append(one)
    assert changed
    rest = [one for one in resources if one.name != on]
    return judged([*rest, *changed], cell)


@pytest.mark.parametrize("mode", MODES)
def test_the_documents_that_ship_keep_to_their_stacks(mode: Mode) -> None:
    found = judged(*deployed(mode))
    assert (found.outcome, found.counterexample) == ("holds", "")


def test_within_the_boundary_that_a_bootstrap_made_they_do_so_too() -> None:
    """The boundary has patterns of its own, about which the solver gives no answer: it is not needed for the proof."""
    found = judged(*deployed("tenants", "bootstrapped: true\n"))
    assert (found.outcome, found.counterexample) == ("holds", "")


def test_a_cell_without_a_pipeline_claims_nothing_about_one(shipped: Sequence[Registered], cell: Cell) -> None:
    assert CLAIM not in {claim.name for claim in claims(read(shipped), cell)}


WIDER: dict[str, tuple[str, str, str]] = {
    "the whole bucket": ("s3:PutObject", f"{BUCKET}/*", "s3:PutObject"),
    "every bucket": ("s3:GetObject", "arn:aws:s3:::*", "s3:GetObject"),
    "another cell's platform": ("s3:*", f"{BUCKET}/.pulumi/stacks/myflux-keys/other.json", "other.json"),
    "another cell's tenants": ("s3:GetObject", f"{BUCKET}/.pulumi/stacks/*/*.other.json", ".other.json"),
    "another cell's locks": ("s3:DeleteObject", f"{BUCKET}/.pulumi/locks/*", ".pulumi/locks/organization/"),
    "another cell's backups": ("s3:GetObject", f"{BUCKET}/.pulumi/backups/*", ".pulumi/backups/"),
    "the layout's version": ("s3:PutObject", f"{BUCKET}/.pulumi/meta.yaml", "meta.yaml"),
    "what begins like the cell": ("s3:GetObject", f"{BUCKET}/.pulumi/stacks/myflux-keys/local*", "myflux-keys/local"),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wider", WIDER)
def test_each_way_of_opening_it_is_found_and_named(mode: Mode, wider: str) -> None:
    action, place, named = WIDER[wider]
    found = with_more(mode, action, place)
    assert found.outcome == "broken", found
    assert named in found.counterexample, found.counterexample
    assert "role myflux-local-deployer" in found.counterexample
    assert "More" in found.counterexample, "the statement that opens it"


@pytest.mark.parametrize(
    "place",
    [
        ".pulumi/stacks/myflux-keys/local.json",
        ".pulumi/stacks/myflux-keys/local.pulumi-tags",
        ".pulumi/locks/organization/myflux-keys/local/*",
        ".pulumi/history/myflux-keys/local/*",
        ".pulumi/backups/myflux-keys/local/*",
    ],
)
def test_the_platforms_state_is_a_persons_where_the_pipeline_deploys_tenants(place: str) -> None:
    found = with_more("tenants", "s3:DeleteObject", f"{BUCKET}/{place}")
    assert found.outcome == "broken", found
    assert "s3:DeleteObject" in found.counterexample


def test_its_tables_own_rights_are_no_counterexample() -> None:
    platform = f"{BUCKET}/.pulumi/stacks/myflux-keys/local.json"
    assert with_more("everything", "s3:DeleteObject", platform).outcome == "holds", "it deploys the platform"
    assert with_more("tenants", "s3:GetObject", platform).outcome == "holds", "it reads the platform's outputs"


def test_a_right_in_any_of_the_roles_policies_counts() -> None:
    opened = with_more("tenants", "s3:PutObject", f"{BUCKET}/*", on="local-deployer-permissions")
    assert opened.outcome == "broken"


def test_the_claim_is_part_of_the_whole_proof() -> None:
    verdicts = {one.claim: one.outcome for one in prove(*deployed("tenants"))}
    assert verdicts[CLAIM] == "holds"
    assert set(verdicts.values()) == {"holds"}, verdicts
