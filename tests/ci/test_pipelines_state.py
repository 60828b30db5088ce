"""The state bucket as a pipeline's role meets it: the engine has every object that it asks for, and no other is open.

Each call is real, signed in as the role, against an S3 that enforces IAM. The objects' names are the engine's own:
https://github.com/pulumi/pulumi/blob/v3.250.0/pkg/backend/diy/store.go, state.go, lock.go, stack_tags.go
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ops.ci import identity
from ops.ci.command import pipeline_of
from tests.ci.conftest import BUCKET, SUBJECT
from tests.ci.stand_in import GitHubStandIn
from tests.program.rig import CELL, Rig

pytestmark = pytest.mark.engine

STACKS = ".pulumi/stacks/myflux-keys"
OTHERS = (
    f"{STACKS}/other.json",
    f"{STACKS}/acme.other.json",
    f"{STACKS}/{CELL}.other.json",
    f"{STACKS}/{CELL}-two.json",
    f"{STACKS}/acme.{CELL}-two.json",
    ".pulumi/locks/organization/myflux-keys/other/1.json",
    ".pulumi/history/myflux-keys/acme.other/acme.other-1.history.json",
    ".pulumi/backups/another-project/dev/dev.1.json",
    "a-file-of-another-team",
)
"""Of another cell, another project and another team."""


@pytest.fixture(scope="module")
def role(bootstrapped: Rig, github: GitHubStandIn) -> Iterator[Mapping[str, str]]:
    """The environment of a job of the pipeline that deploys tenants."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", bootstrapped.cell.aws_url)
        cell, pipeline = pipeline_of(bootstrapped.fleet, CELL)
        assert pipeline.deploys == "tenants"
        yield identity.session(cell, pipeline, "job", bootstrapped.environment() | github.job(SUBJECT))


@pytest.fixture(scope="module")
def s3(bootstrapped: Rig, role: Mapping[str, str]) -> Iterator[Any]:
    session: Any = boto3.Session(
        role["AWS_ACCESS_KEY_ID"], role["AWS_SECRET_ACCESS_KEY"], role["AWS_SESSION_TOKEN"], bootstrapped.cell.region
    )
    with contextlib.closing(session.client("s3", endpoint_url=bootstrapped.cell.aws_url)) as client:
        yield client


@pytest.fixture
def administrator(bootstrapped: Rig) -> Any:
    return bootstrapped.client("administrator", "s3")


def denied(call: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response.get("Error", {}).get("Code") == "AccessDenied", caught.value.response


def objects(administrator: Any) -> dict[str, bytes]:
    pages = administrator.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {key: administrator.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def of_tenants(key: str) -> bool:
    return f".{CELL}/" in key or f".{CELL}." in key


def test_a_tenants_whole_life_fits_into_its_state_and_the_platforms_is_only_read(
    bootstrapped: Rig, role: Mapping[str, str], administrator: Any
) -> None:
    rig, before = bootstrapped, objects(administrator)
    rig.add_tenant("passing")
    job = dict(role)
    try:
        rig.pulumi("stack", "init", "passing.local", "--no-select", environment=job)
        rig.stacks.append("passing.local")
        rig.up("passing.local", environment=job)
        rig.preview("passing.local", environment=job)
        rig.refresh("passing.local", environment=job)
        rig.pulumi("stack", "export", "--stack", "passing.local", environment=job)
        rig.pulumi("cancel", "--yes", "--stack", "passing.local", environment=job)
        made = objects(administrator)
        kinds = {key.split("/")[1] for key in made.keys() - before.keys()}
        assert kinds == {"stacks", "history", "backups"}, "and the lock, which is gone again"
        assert all(of_tenants(key) for key in made.keys() - before.keys())
        rig.destroy("passing.local", environment=job)
        rig.pulumi("stack", "rm", "--yes", "--stack", "passing.local", environment=job)
        rig.stacks.remove("passing.local")
    finally:
        rig.tenant_file("passing").unlink()
    after = objects(administrator)
    assert f"{STACKS}/passing.local.json" not in after
    assert {key: text for key, text in after.items() if not of_tenants(key)} == {
        key: text for key, text in before.items() if not of_tenants(key)
    }, "the platform's state and the layout's version are as they were"


def test_the_engine_cannot_change_the_platforms_state(bootstrapped: Rig, role: Mapping[str, str]) -> None:
    refused = bootstrapped.pulumi("refresh", "--stack", CELL, "--yes", environment=dict(role), fails=True)
    assert "AccessDenied" in refused.err + refused.out
    assert bootstrapped.preview(CELL, environment=dict(role)).code == 0, "it reads it"


@pytest.mark.parametrize(
    "key",
    [
        f"{STACKS}/{CELL}.json",
        f"{STACKS}/{CELL}.json.bak",
        f"{STACKS}/{CELL}.pulumi-tags",
        f".pulumi/locks/organization/myflux-keys/{CELL}/1.json",
        f".pulumi/history/myflux-keys/{CELL}/{CELL}-1.history.json",
        f".pulumi/backups/myflux-keys/{CELL}/{CELL}.1.json",
        ".pulumi/meta.yaml",
        *OTHERS,
    ],
)
def test_no_object_but_its_tenants_is_written_or_deleted(s3: Any, administrator: Any, key: str) -> None:
    there = key in objects(administrator)
    if not there:
        administrator.put_object(Bucket=BUCKET, Key=key, Body=b"theirs")
    before = objects(administrator)[key]
    source = {"Bucket": BUCKET, "Key": f"{STACKS}/{CELL}.json"}
    denied(lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=b"forged"))
    denied(lambda: s3.copy_object(Bucket=BUCKET, Key=key, CopySource=source))
    denied(lambda: s3.create_multipart_upload(Bucket=BUCKET, Key=key))
    denied(lambda: s3.delete_object(Bucket=BUCKET, Key=key))
    several = {"Objects": [{"Key": f"{STACKS}/x.{CELL}.json"}, {"Key": key}]}
    denied(lambda: refused_in(s3.delete_objects(Bucket=BUCKET, Delete=several)))
    assert objects(administrator)[key] == before
    if not there:
        administrator.delete_object(Bucket=BUCKET, Key=key)


def refused_in(answer: Mapping[str, Any]) -> None:
    """S3 may refuse single objects of a batch in its answer."""
    for error in answer.get("Errors", []):
        raise ClientError({"Error": {"Code": error["Code"], "Message": error["Message"]}}, "DeleteObjects")


def test_nothing_of_another_cell_or_team_is_read(s3: Any, administrator: Any) -> None:
    for key in OTHERS:
        administrator.put_object(Bucket=BUCKET, Key=key, Body=b"theirs")
        denied(lambda key=key: s3.get_object(Bucket=BUCKET, Key=key))
        administrator.delete_object(Bucket=BUCKET, Key=key)
    platform = json.loads(s3.get_object(Bucket=BUCKET, Key=f"{STACKS}/{CELL}.json")["Body"].read())
    assert platform["version"] == 3, "the platform's state is read, for its outputs"


def test_a_key_that_leads_elsewhere_by_dots_is_one_object_of_its_own(s3: Any, administrator: Any) -> None:
    """S3 has no folders: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
    before = objects(administrator)
    around = f".pulumi/history/myflux-keys/x.{CELL}/../../../stacks/myflux-keys/{CELL}.json"
    with contextlib.suppress(ClientError):
        s3.put_object(Bucket=BUCKET, Key=around, Body=b"forged")
    after = objects(administrator)
    assert {key: after[key] for key in before} == before
    administrator.delete_object(Bucket=BUCKET, Key=around)


def test_the_bucket_itself_and_its_versions_are_out_of_reach(s3: Any) -> None:
    denied(lambda: s3.delete_bucket(Bucket=BUCKET))
    denied(lambda: s3.put_bucket_policy(Bucket=BUCKET, Policy="{}"))
    denied(lambda: s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}))
    denied(lambda: s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": []}))
    denied(lambda: s3.delete_object(Bucket=BUCKET, Key=f"{STACKS}/acme.{CELL}.json", VersionId="1"))
