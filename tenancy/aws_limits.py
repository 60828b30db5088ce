"""AWS's limits on the length of names, checked for the names that a cell and a tenant get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from myflux_keys.aws_names import CellNames, TenantNames
from myflux_keys.cell_functions import ALL_FUNCTIONS, PROMOTER
from tenancy.problems import Refusal


@dataclass(frozen=True)
class Limit:
    """The most characters that AWS takes. OpenAI publishes no limit for names of projects and keys."""

    what: str
    most: int
    source: str


_REFERENCE: Final = "https://docs.aws.amazon.com"
ROLE: Final = Limit("an IAM role's name", 64, f"{_REFERENCE}/IAM/latest/APIReference/API_CreateRole.html")
POLICY: Final = Limit("an IAM policy's name", 128, f"{_REFERENCE}/IAM/latest/APIReference/API_CreatePolicy.html")
FUNCTION: Final = Limit("a Lambda function's name", 64, f"{_REFERENCE}/lambda/latest/api/API_CreateFunction.html")
SECRET: Final = Limit("a secret's name", 512, f"{_REFERENCE}/secretsmanager/latest/apireference/API_CreateSecret.html")
TAG: Final = Limit("a tag's value", 256, f"{_REFERENCE}/secretsmanager/latest/apireference/API_Tag.html")
ALIAS: Final = Limit("a KMS alias", 256, f"{_REFERENCE}/kms/latest/APIReference/API_CreateAlias.html")
QUEUE: Final = Limit(
    "an SQS queue's name", 80, f"{_REFERENCE}/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"
)
TOPIC: Final = Limit("an SNS topic's name", 256, f"{_REFERENCE}/sns/latest/api/API_CreateTopic.html")
RULE: Final = Limit("an EventBridge rule's name", 64, f"{_REFERENCE}/eventbridge/latest/APIReference/API_PutRule.html")
LOG_GROUP: Final = Limit(
    "a log group's name", 512, f"{_REFERENCE}/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"
)
BUCKET: Final = Limit("a bucket's name", 63, f"{_REFERENCE}/AmazonS3/latest/userguide/bucketnamingrules.html")
OBJECT: Final = Limit("an object's key", 1024, f"{_REFERENCE}/AmazonS3/latest/userguide/object-keys.html")
DASHBOARD: Final = Limit(
    "a dashboard's name", 255, f"{_REFERENCE}/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html"
)
AUDIENCE: Final = Limit(
    "a web identity token's audience", 1000, f"{_REFERENCE}/STS/latest/APIReference/API_GetWebIdentityToken.html"
)
SESSION_TAG: Final = Limit("a session tag's value", 256, f"{_REFERENCE}/STS/latest/APIReference/API_Tag.html")


def cell_names(names: CellNames) -> Iterator[tuple[Limit, str]]:
    """Every name that a cell's bootstrap and platform give to something in AWS, with the limit for it."""
    functions = [names.function(one) for one in ALL_FUNCTIONS]
    yield from ((FUNCTION, name) for name in functions)
    yield from ((LOG_GROUP, names.log_group(name)) for name in functions)
    yield from (
        (ROLE, name)
        for name in (*functions, names.runtime_role, names.deployer_role, names.people_role, names.handover_role)
    )
    policies = (
        names.boundary_policy,
        names.people_role,
        names.read_policy,
        names.deployer_looks_policy,
        names.deployer_state_policy("everything"),
    )
    yield from ((POLICY, name) for name in policies)
    yield SECRET, names.admin_secret
    yield ALIAS, names.kms_alias
    yield ALIAS, names.state_kms_alias
    yield BUCKET, names.state_bucket
    yield BUCKET, names.health_bucket
    yield BUCKET, names.connect_bucket
    yield ALIAS, names.intake_kms_alias
    yield ALIAS, names.link_kms_alias
    yield DASHBOARD, names.dashboard
    yield QUEUE, names.dead_letter_queue
    yield TOPIC, names.alarm_topic
    yield from ((RULE, name) for name in (*names.rules, names.rule(PROMOTER), names.handover_rule))
    yield AUDIENCE, names.identity_audience
    yield from ((TAG, value) for value in names.tags.values())


def tenant_names(names: TenantNames) -> Iterator[tuple[Limit, str]]:
    """Every AWS name in a tenant's stack, with its limit."""
    yield SECRET, names.secret
    yield OBJECT, names.declaration
    yield OBJECT, names.identity
    yield SECRET, names.admin_secret
    yield ROLE, names.dedicated_role
    yield ALIAS, names.dedicated_kms_alias
    yield SESSION_TAG, names.tenant
    yield from ((TAG, value) for value in names.tags.values())


def refusals(names: CellNames | TenantNames) -> Iterator[Refusal]:
    derived = cell_names(names) if isinstance(names, CellNames) else tenant_names(names)
    for limit, name in derived:
        if len(name) > limit.most:
            length = f"{limit.what} has at most {limit.most} characters ({limit.source})"
            reason = f"The name {name} is derived from the slug and has {len(name)} characters; {length}."
            yield Refusal("name-too-long", reason, "choose a shorter slug.")
