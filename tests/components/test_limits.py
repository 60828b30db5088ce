"""Whatever is asked of AWS in words fits AWS's limits, for the longest cell and tenant that a file may name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.deployer import DeployerArgs
from components.iam.copies import Replica
from components.iam.deployer_state import State
from components.iam.deployer_trust import Job
from components.platform import Platform
from components.tenant_key import TenantKey
from myflux_keys.aws_names import CellNames
from myflux_keys.names import CELL_SLUG, TENANT_SLUG
from tenancy.replicas import MOST
from tests.components.test_platform import arguments as platform_arguments
from tests.components.test_tenant_key import arguments as tenant_arguments

Build = Callable[[Callable[[], Any]], Any]
CELL = CellNames("c" * 20, "123456789012", "ap-southeast-1", "aws-us-gov")
"""The longest slug, with a long Region's code and the longest partition."""
TENANT = "t" * 32
COPIES = [
    Replica(region, f"arn:aws-us-gov:kms:{region}:123456789012:key/mrk-{str(number) * 32}")
    for number, region in enumerate(("ap-southeast-5", "ap-southeast-7", "ap-northeast-3"))
]
"""As many as a cell may have."""

TEXTS = {
    "aws:cloudwatch/dashboard:Dashboard": {"dashboardName": 255},
    "aws:cloudwatch/eventRule:EventRule": {"name": 64, "description": 512, "scheduleExpression": 256},
    "aws:cloudwatch/eventTarget:EventTarget": {"targetId": 64, "input": 8192},
    "aws:cloudwatch/logGroup:LogGroup": {"name": 512},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"name": 255, "alarmDescription": 1024, "metricName": 255},
    "aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation": {},
    "aws:iam/policy:Policy": {"name": 128, "description": 1000},
    "aws:iam/role:Role": {"name": 64, "description": 1000},
    "aws:iam/rolePolicy:RolePolicy": {"name": 128},
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {},
    "aws:kms/alias:Alias": {"name": 256},
    "aws:kms/key:Key": {"description": 8192},
    "aws:lambda/function:Function": {"name": 64, "description": 256, "handler": 128},
    "aws:lambda/invocation:Invocation": {},
    "aws:lambda/permission:Permission": {"statementId": 100},
    "aws:s3/bucket:Bucket": {"bucket": 63},
    "aws:s3/bucketObjectv2:BucketObjectv2": {"key": 1024},
    "aws:s3/bucketPolicy:BucketPolicy": {"policy": 20_480},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {},
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {},
    "aws:secretsmanager/secret:Secret": {"name": 512, "description": 2048},
    "aws:secretsmanager/secretPolicy:SecretPolicy": {"policy": 20_480},
    "aws:secretsmanager/secretRotation:SecretRotation": {},
    "aws:sns/topic:Topic": {"name": 256},
    "aws:sns/topicPolicy:TopicPolicy": {"policy": 30_720},
    "aws:sns/topicSubscription:TopicSubscription": {},
    "aws:sqs/queue:Queue": {"name": 80},
}
"""Characters, from each operation's page in AWS's API references."""


@pytest.fixture(scope="module")
def everything() -> list[Any]:
    return []


@pytest.fixture
def recorded(build: Build, tmp_path: Path, everything: list[Any]) -> Any:
    """Of one build: nothing here changes what was recorded."""
    if not everything:
        everything.append(build(lambda: _all(tmp_path)))
    return everything[0]


def _all(folder: Path) -> None:
    job = Job("token.actions.githubusercontent.com", "sts.amazonaws.com", "repo:myflux/keys:environment:prod-eu1")
    state = State("s" * 63, f"arn:aws-us-gov:kms:{CELL.region}:{CELL.account_id}:key/{'1' * 36}", "p" * 100)
    pipeline = DeployerArgs(CELL, job, "everything", state, COPIES)
    people = [f"arn:aws-us-gov:iam::123456789012:user/{'p' * 64}"]
    Platform(
        CELL.cell,
        platform_arguments(
            CELL, folder, pipeline=pipeline, replicas=COPIES, handover_principals=people, federation=True
        ),
    )
    for slug, more in ((TENANT, {}), ("u" * 32, {"managed": None, "own_organization": True, "enabled": False})):
        TenantKey(slug, tenant_arguments(CELL.tenant(slug), dedicated=True, replicas=COPIES, handed_over=True, **more))


def test_the_slugs_that_are_measured_with_are_the_longest() -> None:
    assert CELL_SLUG.fullmatch(CELL.cell)
    assert not CELL_SLUG.fullmatch(CELL.cell + "c")
    assert TENANT_SLUG.fullmatch(TENANT)
    assert not TENANT_SLUG.fullmatch(TENANT + "t")
    assert len(COPIES) == MOST


def test_every_text_is_as_long_as_aws_takes_at_most(recorded: Any) -> None:
    made = [r for r in recorded.resources if r.type.startswith("aws:")]
    assert {r.type for r in made} == TEXTS.keys(), "each type of resource in use has its limits above"
    for resource in made:
        for field, most in TEXTS[resource.type].items():
            text = resource.inputs.get(field, "")
            assert len(text) <= most, f"{resource.name}: {field} has {len(text)} characters, AWS takes {most}"


def test_tags_are_few_and_short_and_of_letters_that_aws_takes(recorded: Any) -> None:
    for resource in recorded.resources:
        tags = resource.inputs.get("tags") or {}
        assert len(tags) <= 50
        for name, value in tags.items():
            assert len(name) <= 128
            assert len(value) <= 256
            assert re.fullmatch(r"[\w\s.:/=+\-@]*", name + value), f"{resource.name}: {name}={value}"


def test_policies_of_roles_fit_the_quotas_that_aws_never_raises(recorded: Any) -> None:
    """White space does not count: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

    def size(text: str) -> int:
        return len(re.sub(r"\s", "", text))

    for policy in recorded.of("aws:iam/policy:Policy"):
        assert size(policy.inputs["policy"]) <= 6_144, f"{policy.name} is too long for a managed policy"
    inline: defaultdict[str, int] = defaultdict(int)
    for policy in recorded.of("aws:iam/rolePolicy:RolePolicy"):
        inline[policy.inputs["role"]] += size(policy.inputs["policy"])
    assert len(inline) >= 6, "each function, a dedicated tenant and the pipeline have one"
    assert max(inline.values()) <= 10_240, dict(inline)
    for role in recorded.of("aws:iam/role:Role"):
        assert size(role.inputs["assumeRolePolicy"]) <= 2_048
