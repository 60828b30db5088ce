"""The pack and a cell whose tenants' secrets are copied to other Regions: it passes, and nothing wider does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.guardrails.model import UNKNOWN, Resource
from tests.mutants.subjects import COPIED
from tests.policies.pipelines import PIPELINE
from tests.policies.rehearsed import changed, edited, findings, judge, stack

STACKS = ("copied", "harbor.copied")
SECRET, OWN_KEY, ONE_REGION, NARROW = (
    "harbor-key-secret",
    "secret-has-its-own-kms-key",
    "one-account-one-region",
    "own-roles-narrow",
)
HOME = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
THERE = HOME.replace("us-east-1", "us-west-2")


@pytest.mark.parametrize("deployed", [True, False], ids=["deployed", "first preview"])
def test_a_cell_with_copies_and_a_pipeline_passes_the_pack(tmp_path: Path, deployed: bool) -> None:
    shutil.copytree(COPIED, tmp_path / "fleet")
    cell = tmp_path / "fleet" / "cells" / "copied.yaml"
    cell.write_text(cell.read_text(encoding="utf-8") + PIPELINE.format(deploys="everything"), encoding="utf-8")
    for name in STACKS:
        resources = stack(name, deployed, tmp_path / "fleet")
        assert "us-west-2" in str([one.properties for one in resources]), "there was a copy to judge"
        assert judge(resources) == [], name


def copies(*replicas: Any) -> Callable[[tuple[Resource, ...]], tuple[Resource, ...]]:
    return lambda resources: changed(resources, SECRET, replicas=list(replicas))


@pytest.mark.parametrize(
    "replica",
    [
        {"region": "us-west-2"},
        {"region": "us-west-2", "kmsKeyId": "alias/aws/secretsmanager"},
        {"region": "us-west-2", "kmsKeyId": THERE.rpartition("/")[2]},
        {"region": "us-west-2", "kmsKeyId": HOME},
    ],
    ids=["no key", "an alias", "a key's id alone", "the primary's key"],
)
def test_a_copy_under_another_key_than_one_of_its_region_is_refused(replica: dict[str, str]) -> None:
    (found,) = findings(
        OWN_KEY,
        copies({"region": "eu-west-1", "kmsKeyId": THERE.replace("us-west-2", "eu-west-1")}, replica)(
            stack("harbor.copied", root=COPIED)
        ),
    )
    assert (found.kind, found.path) == ("violation", "replicas[1].kmsKeyId")


@pytest.mark.parametrize(
    ("replica", "path"),
    [({"region": "us-west-2", "kmsKeyId": UNKNOWN}, "kmsKeyId"), ({"region": UNKNOWN, "kmsKeyId": THERE}, "region")],
)
def test_a_copy_that_cannot_be_seen_is_not_taken_for_fine(replica: dict[str, Any], path: str) -> None:
    (found,) = findings(OWN_KEY, copies(replica)(stack("harbor.copied", root=COPIED)))
    assert (found.kind, found.path) == ("unknown", f"replicas[0].{path}")


def test_a_copys_key_is_of_the_cells_own_account() -> None:
    strangers = copies({"region": "us-west-2", "kmsKeyId": THERE.replace("0" * 12, "9" * 12)})
    assert findings(ONE_REGION, strangers(stack("harbor.copied", root=COPIED)))


def test_only_documents_about_copies_reach_into_another_region() -> None:
    def elsewhere(document: Any) -> None:
        (look,) = [one for one in document["Statement"] if one["Sid"] == "LookAtTenants"]
        look["Resource"] = look["Resource"].replace("us-east-1", "us-west-2")

    assert findings(ONE_REGION, edited(stack("copied", root=COPIED), "copied-sweep-permissions", "policy", elsewhere))


def test_the_rotation_decrypts_no_copy() -> None:
    def reads(document: Any) -> None:
        (encrypt,) = [one for one in document["Statement"] if one["Sid"] == "EncryptCopies"]
        encrypt["Resource"] = encrypt["Resource"][0].partition("key/")[0] + "key/*"

    (found,) = findings(NARROW, edited(stack("copied", root=COPIED), "copied-rotation-permissions", "policy", reads))
    assert "allows kms:Encrypt on more" in found.message
