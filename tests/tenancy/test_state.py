"""Where a cell's stacks keep their state: the forms that a file may have, and which of them is on its way out."""

from __future__ import annotations

from typing import Any

import pytest

import tenancy
from tests.tenancy.files import REAL, Files

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STATE = {"bucket": "myflux-state-prod-eu1", "kms_key": KEY}
JOB = {"github": {"repository": "myflux/keys", "environment": "prod-eu1"}}


def load(files: Files, **fields: Any) -> tenancy.Fleet:
    files.cell("prod-eu1", base=REAL | fields)
    return tenancy.load(files.root)


def test_bucket_and_key_stand_in_the_cells_file(files: Files) -> None:
    assert load(files, state=STATE).cells["prod-eu1"].kept_in == ("myflux-state-prod-eu1", KEY)


def test_a_file_may_leave_it_to_the_environment(files: Files) -> None:
    assert load(files).cells["prod-eu1"].kept_in is None


def test_the_pipelines_old_fields_are_read_with_a_notice_each(files: Files) -> None:
    fleet = load(files, pipeline=JOB | {"state_bucket": "myflux-state-prod-eu1", "state_key_arn": KEY})
    assert fleet.cells["prod-eu1"].kept_in == ("myflux-state-prod-eu1", KEY)
    assert [(notice.rule, notice.field) for notice in fleet.notices] == [
        ("state-old-form", "pipeline.state_bucket"),
        ("state-old-form", "pipeline.state_key_arn"),
    ]
    assert all(notice.line for notice in fleet.notices)


def test_a_pipeline_may_come_before_the_place_that_the_bootstrap_makes(files: Files) -> None:
    (notice,) = load(files, pipeline=JOB).notices
    assert (notice.rule, notice.field) == ("state-missing", "pipeline")
    assert "`myflux-keys bootstrap prod-eu1`" in notice.way_out


def test_a_bootstrapped_cells_people_deploy_as_the_role_too(files: Files) -> None:
    cell = load(files, state=STATE, bootstrapped=True).cells["prod-eu1"]
    assert cell.deployers == (*cell.deployer_principals, cell.names.role_arn(cell.names.people_role))
    assert set(cell.deployers) <= set(cell.governors)


@pytest.mark.parametrize(
    ("fields", "rule", "field"),
    [
        ({"state": STATE, "pipeline": JOB | {"state_bucket": "other"}}, "state-twice", "pipeline.state_bucket"),
        ({"state": STATE, "pipeline": JOB | {"state_key_arn": KEY}}, "state-twice", "pipeline.state_key_arn"),
        ({"state": {"bucket": "myflux-state"}}, "missing-field", "state.kms_key"),
        ({"state": STATE | {"bucket": "s3://myflux-state"}}, "bad-bucket", "state.bucket"),
        ({"state": STATE | {"kms_key": "alias/myflux-state"}}, "bad-key-arn", "state.kms_key"),
        ({"state": STATE | {"kms_key": KEY.replace("key/", "alias/")}}, "bad-key-arn", "state.kms_key"),
    ],
)
def test_a_place_that_is_none_or_stands_twice_is_refused(
    files: Files, fields: dict[str, Any], rule: str, field: str
) -> None:
    with pytest.raises(tenancy.TenancyError) as refused:
        load(files, **fields)
    assert [(problem.rule, problem.field) for problem in refused.value.problems] == [(rule, field)]
