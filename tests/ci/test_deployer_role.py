"""The role that Pulumi made for a pipeline: it deploys, and no way leads from it to a key.

Every run here is the real engine's, signed in as that role by an identity token, in a cell that enforces IAM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ops.ci import identity
from ops.ci.command import pipeline_of
from ops.ci.failure import Failure
from tests.ci.conftest import SUBJECT
from tests.ci.repository import Repository
from tests.ci.stand_in import GitHubStandIn
from tests.program.rig import CELL, Rig

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def wide(bootstrapped: Rig, repository: Repository) -> Iterator[Rig]:
    """A person lets the pipeline deploy everything, for as long as these tests run."""
    file = repository.checkout / "cells" / f"{CELL}.yaml"
    before = file.read_text(encoding="utf-8")
    without_people = re.sub(r"(?m)^(handover|connect):.*\n", "", before)  # Such a pipeline makes neither.
    file.write_text(without_people.replace("pipeline:\n", "pipeline:\n  deploys: everything\n"), encoding="utf-8")
    bootstrapped.up(CELL)
    yield bootstrapped
    file.write_text(before, encoding="utf-8")
    bootstrapped.up(CELL)


@pytest.fixture(scope="module")
def role(wide: Rig, github: GitHubStandIn) -> Mapping[str, str]:
    """The environment of a job that became the role."""
    bootstrapped = wide
    cell, pipeline = pipeline_of(bootstrapped.fleet, CELL)
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_ENDPOINT_URL", bootstrapped.cell.aws_url)
    try:
        return identity.session(cell, pipeline, "job", bootstrapped.environment() | github.job(SUBJECT))
    finally:
        patch.undo()


def client(rig: Rig, role: Mapping[str, str], service: str) -> Any:
    session: Any = boto3.Session(
        role["AWS_ACCESS_KEY_ID"], role["AWS_SECRET_ACCESS_KEY"], role["AWS_SESSION_TOKEN"], rig.cell.region
    )
    return session.client(service, endpoint_url=rig.cell.aws_url)


def denied(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    error: Any = caught.value.response.get("Error", {})
    assert "AccessDenied" in error["Code"], error
    return error["Message"]


def test_the_role_changes_the_platform_and_a_tenant_and_reads_both_back(
    bootstrapped: Rig, role: Mapping[str, str]
) -> None:
    rig, environment = bootstrapped, dict(role)
    file = rig.fleet / "cells" / f"{CELL}.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("log_retention_days: 14", "log_retention_days: 30"), encoding="utf-8"
    )
    changed = rig.up(CELL, environment=environment).changed
    assert len(changed) == 5, changed
    assert all(name.endswith("-logs") for name in changed), "the change, and nothing else"
    rig.up("acme.local", environment=environment)
    rig.await_first_key("acme")
    for stack in (CELL, "acme.local"):
        steps = rig.refresh(stack, environment=environment).steps
        assert {step.name: step.diff for step in steps if step.diff} == {}, f"{stack}: read back whole, and unchanged"


def test_the_role_reads_and_writes_no_key_and_becomes_nobody(bootstrapped: Rig, role: Mapping[str, str]) -> None:
    rig, names = bootstrapped, bootstrapped.names
    secrets = client(rig, role, "secretsmanager")
    # What the secret's own policy can't stop here, since this role may write it, its own policy must.
    for place in (names.admin_secret, names.tenant("acme").secret):
        assert "explicit deny" in denied(lambda p=place: secrets.get_secret_value(SecretId=p))
        assert "explicit deny" in denied(lambda p=place: secrets.put_secret_value(SecretId=p, SecretString="{}"))
    denied(lambda: secrets.update_secret(SecretId=names.admin_secret, SecretString="{}"))
    sts = client(rig, role, "sts")
    tag = [{"Key": "tenant", "Value": "acme"}]
    for arn in (names.runtime_role_arn, names.role_arn(names.rotation_function)):
        denied(lambda a=arn: sts.assume_role(RoleArn=a, RoleSessionName="work", Tags=tag))


def test_the_role_can_neither_widen_itself_nor_any_other(bootstrapped: Rig, role: Mapping[str, str]) -> None:
    rig, names = bootstrapped, bootstrapped.names
    iam, everything = client(rig, role, "iam"), '{"Version":"2012-10-17","Statement":[]}'
    boundary, own = names.policy_arn(names.boundary_policy), names.deployer_role
    denied(lambda: iam.put_role_policy(RoleName=own, PolicyName="more", PolicyDocument=everything))
    denied(lambda: iam.attach_role_policy(RoleName=own, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"))
    denied(lambda: iam.update_assume_role_policy(RoleName=own, PolicyDocument=everything))
    denied(lambda: iam.create_policy_version(PolicyArn=boundary, PolicyDocument=everything, SetAsDefault=True))
    denied(lambda: iam.delete_role_permissions_boundary(RoleName=names.rotation_function))
    unbounded = {"RoleName": f"myflux-{CELL}_new", "AssumeRolePolicyDocument": everything}
    denied(lambda: iam.create_role(**unbounded))
    denied(lambda: iam.create_role(**unbounded, PermissionsBoundary=names.policy_arn(names.read_policy)))
    iam.create_role(**unbounded, PermissionsBoundary=boundary)
    iam.delete_role(RoleName=unbounded["RoleName"])
    kms = client(rig, role, "kms")
    key = kms.describe_key(KeyId=names.kms_alias)["KeyMetadata"]["KeyId"]
    denied(lambda: kms.put_key_policy(KeyId=key, Policy=everything))
    denied(lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7))


def test_only_the_named_job_becomes_the_role(
    bootstrapped: Rig, github: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", bootstrapped.cell.aws_url)
    cell, pipeline = pipeline_of(bootstrapped.fleet, CELL)
    for subject in (
        "repo:myflux@1234567/keys@89012345:pull_request",
        "repo:myflux@1234567/keys@89012345:ref:refs/heads/main",
        "repo:stranger@1234567/keys@89012345:environment:local",
        "repo:myflux/keys:environment:local",
        "repo:myflux@1234567/keys:environment:local",
        f"{SUBJECT}-2",
    ):
        with pytest.raises(Failure, match="does not allow this job to assume"):
            identity.session(cell, pipeline, "job", bootstrapped.environment() | github.job(subject))
    assert pipeline.github is not None
    old = pipeline.model_copy(
        update={"github": pipeline.github.model_copy(update={"owner_id": None, "repository_id": None})}
    )
    again = "repo:myflux@1234567/keys@7:environment:local"
    said = {}
    for name, held in (("without ids", old), ("with others", pipeline)):
        with pytest.raises(Failure) as refused:
            identity.session(cell, held, "job", bootstrapped.environment() | github.job(again))
        said[name] = str(refused.value)
        assert f"This job's token has the subject {again}." in said[name]
    assert "Write `owner_id: 1234567` and `repository_id: 7`" in said["without ids"]
    assert "repository_id: 7" not in said["with others"], "a name that was taken over is not to be trusted anew"
    with pytest.raises(Failure, match="this job has no identity"):
        identity.session(cell, pipeline, "job", bootstrapped.environment())
