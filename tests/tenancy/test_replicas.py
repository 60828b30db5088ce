"""Copies in other Regions, as a cell's file names them: which are refused, and what the refusal says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenancy.replicas import MOST
from tests.tenancy.files import REAL, Files

ACCOUNT = "123456789012"
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


def arn(region: str, *, account: str = ACCOUNT, key: str = f"key/{ID}", partition: str = "aws") -> str:
    return f"arn:{partition}:kms:{region}:{account}:{key}"


def copy(region: str, **different: str) -> dict[str, str]:
    return {"region": region, "kms_key_arn": arn(region, **different)}


CASES: list[tuple[str, list[Any], str]] = [
    ("replica-key-region", [copy("eu-west-1") | {"kms_key_arn": arn("eu-west-2")}], "[0].kms_key_arn"),
    ("replica-key-region", [copy("eu-west-1") | {"kms_key_arn": arn("eu-central-1")}], "[0].kms_key_arn"),
    ("replica-key-account", [copy("eu-west-1", account="999999999999")], "[0].kms_key_arn"),
    ("replica-key-alias", [copy("eu-west-1", key="alias/copies")], "[0].kms_key_arn"),
    ("replica-key-alias", [copy("eu-west-1") | {"kms_key_arn": "alias/aws/secretsmanager"}], "[0].kms_key_arn"),
    ("bad-key-arn", [copy("eu-west-1") | {"kms_key_arn": ID}], "[0].kms_key_arn"),
    ("bad-key-arn", [copy("eu-west-1", key="key/*")], "[0].kms_key_arn"),
    ("bad-key-arn", [copy("eu-west-1", account="")], "[0].kms_key_arn"),
    ("replica-at-home", [copy("eu-central-1")], "[0].region"),
    ("replica-twice", [copy("eu-west-1"), copy("eu-west-1", key=f"key/mrk-{ID.replace('-', '')}")], "[1].region"),
    ("replica-partition", [copy("us-gov-west-1", partition="aws-us-gov")], "[0].region"),
    ("bad-region", [copy("Ireland") | {"kms_key_arn": arn("eu-west-1")}], "[0].region"),
    ("region-without-openai", [copy("ap-east-1")], "[0].region"),
    ("missing-field", [{"region": "eu-west-1"}], "[0].kms_key_arn"),
    ("unknown-field", [copy("eu-west-1") | {"kms_key": ID}], "[0].kms_key"),
    ("too-many-replicas", [copy(f"us-east-{n}") for n in range(1, MOST + 2)], ""),
]


@pytest.mark.parametrize(("rule", "replicas", "field"), CASES, ids=[f"{case[0]} {case[2]}" for case in CASES])
def test_a_copy_that_cannot_be_is_refused_with_its_field(
    files: Files, rule: str, replicas: list[Any], field: str
) -> None:
    files.cell("prod-eu1", base=REAL, replicas=replicas)
    found = {(one.rule, one.field) for one in files.problems()}
    assert (rule, f"replicas{field}") in found, found
    assert {one.file for one in files.problems()} == {"cells/prod-eu1.yaml"}


def test_the_refusal_names_the_line_the_value_the_reason_and_the_way_out(files: Files) -> None:
    path = files.cell("prod-eu1", base=REAL, replicas=[copy("eu-west-1"), copy("eu-west-2", account="999999999999")])
    line = 1 + path.read_text(encoding="utf-8").splitlines().index(
        "  kms_key_arn: arn:aws:kms:eu-west-2:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    )
    told = str(files.problem())
    assert told.startswith(f"cells/prod-eu1.yaml:{line}: replicas[1].kms_key_arn ")
    assert "[replica-key-account]" in told
    assert "999999999999's" in told, "whose key it is"
    assert "Way out: write the ARN of a key in the cell's own account." in told


def test_a_copy_is_a_region_and_the_key_in_it(files: Files) -> None:
    files.cell("prod-eu1", base=REAL, replicas=[copy("eu-west-1"), copy("us-west-2", key=f"key/mrk-{ID}")])
    found = files.load().cells["prod-eu1"].replicas
    assert [(one.region, one.kms_key_arn) for one in found] == [
        ("eu-west-1", arn("eu-west-1")),
        ("us-west-2", arn("us-west-2", key=f"key/mrk-{ID}")),
    ]


def test_the_field_that_named_no_key_is_unknown(files: Files) -> None:
    files.cell("prod-eu1", base=REAL, replica_regions=["eu-west-1"])
    assert (files.problem().rule, files.problem().field) == ("unknown-field", "replica_regions")


def test_a_dedicated_tenants_key_is_nobody_elses_so_it_is_not_copied(files: Files) -> None:
    files.cell(replicas=[copy("us-west-2", account="000000000000")])
    path: Path = files.tenant(isolation="dedicated")
    problem = files.problem()
    assert (problem.rule, problem.file, problem.field) == ("dedicated-copied", "tenants/acme.yaml", "isolation")
    assert problem.line == 1 + path.read_text(encoding="utf-8").splitlines().index("isolation: dedicated")
    assert "without replicas" in problem.way_out
