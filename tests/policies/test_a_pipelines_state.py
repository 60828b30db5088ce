"""The pack and the state bucket: a pipeline has the objects of the stacks that it deploys, and no other.

Source of the paths: Pulumi's own backend, https://github.com/pulumi/pulumi/blob/v3.250.0/pkg/backend/diy/store.go,
state.go, lock.go and stack_tags.go. That the engine needs no other: tests/ci/test_pipelines_state.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from policies.guardrails.config import Config
from tests.policies.pipelines import Mode, with_a_pipeline
from tests.policies.rehearsed import changed, edited, findings

NARROW, STATE, ATTACHED = "own-roles-narrow", "local-deployer-state", "local-deployer-state-attachment"
BUCKET = "arn:aws:s3:::myflux-state-local"
FILES = f"{BUCKET}/.pulumi/stacks/myflux-keys"
Edit = Callable[[Any], None]


def adds(action: str, place: str) -> Edit:
    return lambda read: read["Statement"].append({"Effect": "Allow", "Action": action, "Resource": place})


MORE: dict[str, Edit] = {
    "the whole bucket": adds("s3:PutObject", f"{BUCKET}/*"),
    "every bucket": adds("s3:GetObject", "arn:aws:s3:::*"),
    "every bucket's names": adds("s3:ListBucket", "arn:aws:s3:::*"),
    "all stacks": adds("s3:DeleteObject", f"{FILES}/*"),
    "another cell's platform": adds("s3:GetObject", f"{FILES}/other.json"),
    "another cell's tenants": adds("s3:PutObject", f"{FILES}/*.other.json*"),
    "another cell's locks": adds("s3:DeleteObject", f"{BUCKET}/.pulumi/locks/organization/myflux-keys/*.other/*"),
    "a tenant of another cell that is named like this cell": adds("s3:PutObject", f"{FILES}/local.other.json"),
    "any stack that begins like the platform": adds("s3:GetObject", f"{FILES}/local.*"),
    "the version of the layout": adds("s3:PutObject", f"{BUCKET}/.pulumi/meta.yaml"),
    "versions of objects": adds("s3:DeleteObjectVersion", f"{FILES}/*.local.json*"),
    "the bucket's policy": adds("s3:PutBucketPolicy", BUCKET),
    "every KMS key": adds("kms:Decrypt", "arn:aws:kms:us-east-1:000000000000:key/*"),
    "data keys": adds("kms:GenerateDataKey", "arn:aws:kms:us-east-1:000000000000:key/1234abcd"),
    "a secret": adds("secretsmanager:GetSecretValue", "*"),
}


@pytest.mark.parametrize("mode", ["tenants", "everything"])
@pytest.mark.parametrize("more", MORE)
def test_neither_pipeline_has_more_than_its_cells_state(mode: Mode, more: str) -> None:
    found = findings(NARROW, edited(with_a_pipeline("local", mode), STATE, "policy", MORE[more]))
    assert {(one.urn.rpartition("::")[2], one.kind) for one in found} == {(STATE, "violation")}, found


PLATFORMS: dict[str, str] = {
    "state": f"{FILES}/local.json",
    "copy": f"{FILES}/local.json.bak",
    "tags": f"{FILES}/local.pulumi-tags",
    "locks": f"{BUCKET}/.pulumi/locks/organization/myflux-keys/local/*",
    "history": f"{BUCKET}/.pulumi/history/myflux-keys/local/*",
    "backups": f"{BUCKET}/.pulumi/backups/myflux-keys/local/*",
}


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject"])
@pytest.mark.parametrize("what", PLATFORMS)
def test_the_platforms_state_is_written_by_a_pipeline_of_everything_alone(what: str, action: str) -> None:
    writes = adds(action, PLATFORMS[what])
    (found,) = findings(NARROW, edited(with_a_pipeline("local", "tenants"), STATE, "policy", writes))
    assert "than a pipeline that deploys tenants needs" in found.message
    assert findings(NARROW, edited(with_a_pipeline("local", "everything"), STATE, "policy", writes)) == []


@pytest.mark.parametrize("what", ["state", "copy", "tags"])
def test_a_pipeline_of_tenants_reads_the_platforms_state(what: str) -> None:
    reads = adds("s3:GetObject", PLATFORMS[what])
    assert findings(NARROW, edited(with_a_pipeline("local", "tenants"), STATE, "policy", reads)) == []


def test_the_cells_file_says_which_and_then_the_policys_name() -> None:
    wide = with_a_pipeline("local", "everything")
    told = findings(NARROW, [one for one in wide if one.name == STATE], Config(tenants_pipelines=("local",)))
    assert {one.kind for one in told} == {"violation"}, "the file says tenants"
    assert findings(NARROW, wide, Config(tenants_pipelines=("other",))) == [], "another cell's file"
    renamed = changed(wide, STATE, name="myflux-local-deployer-tenants-state")
    assert findings(NARROW, renamed), "a policy of this name is a pipeline's of tenants"
    assert findings(NARROW, changed(wide, STATE, name="myflux-other-deployer-everything-state")), "another cell's name"


def test_the_policy_is_attached_to_the_pipelines_role_alone() -> None:
    wide = with_a_pipeline("local", "everything")
    attached = "policies-attached-where-they-belong"
    assert findings(attached, wide) == []
    (found,) = findings(attached, changed(wide, ATTACHED, role="intern"))
    assert "myflux-local-deployer" in found.message
