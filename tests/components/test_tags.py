"""Every resource that takes tags says whose it is: of what takes them, pulumi_aws's own classes are asked."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.deployer import DeployerArgs
from components.iam.deployer_state import State
from components.iam.deployer_trust import Job
from components.platform import Platform
from components.tenant_key import TenantKey
from myflux_keys.aws_names import CellNames
from tests.components.test_platform import arguments as platform_arguments
from tests.components.test_tenant_key import arguments

Build = Callable[[Callable[[], Any]], Any]


def takes_tags(token: str) -> bool:
    """``aws:kms/key:Key`` is pulumi_aws.kms.key.Key."""
    where, _, name = token.removeprefix("aws:").partition(":")
    package, _, file = where.partition("/")
    package = {"lambda": "lambda_"}.get(package, package)
    module = importlib.import_module(f"pulumi_aws.{package}.{re.sub(r'(?=[A-Z])', '_', file).lower()}")
    return hasattr(getattr(module, name), "tags")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("aws:kms/key:Key", True),
        ("aws:kms/alias:Alias", False),
        ("aws:lambda/function:Function", True),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", True),
        ("aws:secretsmanager/secretPolicy:SecretPolicy", False),
    ],
)
def test_what_takes_tags_is_known(token: str, expected: bool) -> None:
    assert takes_tags(token) is expected, "else the tests below look at the wrong things"


def _check(recorded: Any, tenant: str) -> None:
    taggable = [r for r in recorded.resources if r.type.startswith("aws:") and takes_tags(r.type)]
    # An object has the tags of nothing: its bucket has the cell's, and its key names the tenant.
    taggable = [r for r in taggable if r.type != "aws:s3/bucketObjectv2:BucketObjectv2"]
    assert taggable
    for resource in taggable:
        tags = resource.inputs.get("tags", {})
        said = (tags.get("tenant"), tags.get("cell"), tags.get("managed-by"))
        assert said == (tenant, "prod-eu1", "myflux-keys"), (
            f"{resource.name} ({resource.type}) does not say whose it is"
        )


def test_a_platforms_resources_are_nobodys_tenants(build: Build, cell: CellNames, tmp_path: Path) -> None:
    job = Job("token.actions.githubusercontent.com", "sts.amazonaws.com", "repo:myflux/keys:environment:prod-eu1")
    pipeline = DeployerArgs(cell, job, "everything", State("state-bucket", None, "myflux-keys"))
    recorded = build(lambda: Platform("prod-eu1", platform_arguments(cell, tmp_path, pipeline=pipeline)))
    assert {"aws:cloudwatch/eventRule:EventRule", "aws:sqs/queue:Queue"} <= {r.type for r in recorded.resources}
    _check(recorded, "_platform")


@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize("own_organization", [False, True])
def test_a_tenants_resources_are_its_own(
    build: Build, cell: CellNames, dedicated: bool, own_organization: bool
) -> None:
    args = arguments(cell.tenant("acme"), dedicated=dedicated, own_organization=own_organization)
    _check(build(lambda: TenantKey("acme", args)), "acme")
