"""The AWS calls that each resource type of the program needs, and on which names.

Owns the table; a test fails for a resource type without a row. Leaves out the document made from it
(`components/iam/deployer_permissions.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, get_args

from components.iam.deployer_buckets import BUCKETS, look_at_buckets
from components.iam.grants import Deploys, Grant, Grants
from components.iam.resource import VALIDATION
from components.iam.statements import any_key, via_secrets_manager
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import FUNCTIONS, SWEEP
from myflux_keys.names import PLATFORM_TENANT, TAG_CELL, TAG_TENANT

_READ_RULE: Final = "DescribeRule ListTagsForResource ListTargetsByRule"


def _arns(names: CellNames, service: str, resources: Sequence[str], *, region: bool = True) -> list[str]:
    where = names.region if region else ""
    return [f"arn:{names.partition}:{service}:{where}:{names.account_id}:{resource}" for resource in resources]


def _function_arns(names: CellNames) -> list[str]:
    return [names.function_arn(one) for one in FUNCTIONS]


def _function_roles(names: CellNames) -> list[str]:
    return [names.function_role_arn(one) for one in FUNCTIONS]


def _roles(names: CellNames) -> list[str]:
    """Without its own role, with the roles of any dedicated tenants."""
    return [*_function_roles(names), names.runtime_role_arn, names.tenant("*").dedicated_role_arn]


def _secrets(names: CellNames, deploys: Deploys) -> list[str]:
    cells = [names.admin_secret_arn_pattern] if deploys == "everything" else []
    return [names.tenant_secrets_arn_pattern, names.customer_admin_secrets_arn_pattern, *cells]


def _bounded(names: CellNames, **more: str) -> dict[str, dict[str, str]]:
    boundary = {"iam:PermissionsBoundary": names.policy_arn(names.boundary_policy)}
    return {"StringEquals": boundary | {f"iam:{key}": value for key, value in more.items()}}


def _secret(names: CellNames, deploys: Deploys) -> list[Grant]:
    """When a secret gets a KMS key, Secrets Manager validates the key for its caller, which decrypts nothing.

    A secret's ARN has no random suffix before it is created, and AWS does not document which form CreateSecret needs,
    with the rights to its tags and replicas.
    """
    secrets = _secrets(names, deploys)
    not_created = [pattern.removesuffix("-??????") for pattern in secrets]
    tried = via_secrets_manager(names, secrets)
    tried["StringEquals"]["kms:EncryptionContext:SecretVersionId"] = VALIDATION
    return [
        Grant(
            "secretsmanager",
            "CreateSecret DeleteSecret RemoveRegionsFromReplication ReplicateSecretToRegions RestoreSecret "
            "StopReplicationToReplica TagResource UntagResource UpdateSecret",
            secrets,
        ),
        Grant("secretsmanager", "CreateSecret ReplicateSecretToRegions TagResource", not_created),
        Grant("kms", "Decrypt GenerateDataKey", [any_key(names)], tried),
    ]


def _secret_policy(names: CellNames, deploys: Deploys) -> list[Grant]:
    public = {"Bool": {"secretsmanager:BlockPublicPolicy": "true"}}
    return [Grant("secretsmanager", "PutResourcePolicy", _secrets(names, deploys), public)]


def _secret_rotation(names: CellNames, deploys: Deploys) -> list[Grant]:
    """RotateSecret needs lambda:InvokeFunction on the function.

    Its request has a function only if it sets one, and CancelRotateSecret's never has: hence IfExists.
    """
    functions = [names.rotation_function_arn]
    functions += [names.admin_rotation_function_arn] if deploys == "everything" else []
    ours = {"StringEqualsIfExists": {"secretsmanager:RotationLambdaARN": functions}}
    return [
        Grant("secretsmanager", "CancelRotateSecret RotateSecret", _secrets(names, deploys), ours),
        Grant("lambda", "InvokeFunction", functions),
    ]


def _key(names: CellNames, _: Deploys) -> list[Grant]:
    """A key's policy, which decides who decrypts, is set only when the key is created."""
    ours = {"StringEquals": {f"aws:ResourceTag/{TAG_CELL}": names.cell}}
    tenant = f"aws:ResourceTag/{TAG_TENANT}"
    a_tenants = ours | {"StringNotEquals": {tenant: PLATFORM_TENANT}, "Null": {tenant: "false"}}
    return [
        Grant("kms", "CreateKey", ["*"]),
        Grant("kms", "TagResource", [any_key(names)], {"StringEquals": {f"aws:RequestTag/{TAG_CELL}": names.cell}}),
        Grant("kms", "EnableKeyRotation UntagResource UpdateKeyDescription", [any_key(names)], ours),
        Grant("kms", "ScheduleKeyDeletion", [any_key(names)], a_tenants),
    ]


def _fixed(service: str, actions: str, of: Callable[[CellNames], Sequence[str]]) -> Grants:
    return lambda names, _: [Grant(service, actions, of(names))]


def _rules(names: CellNames) -> list[str]:
    return _arns(names, "events", [f"rule/{rule}" for rule in names.rules])


def _topics(names: CellNames) -> list[str]:
    return _arns(names, "sns", [names.alarm_topic])


def _subscription(names: CellNames, _: Deploys) -> list[Grant]:
    """SNS lists no resource type for Unsubscribe, so that a statement on anything but ``*`` would not allow it:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html"""
    return [Grant("sns", "Subscribe", _topics(names)), Grant("sns", "Unsubscribe", ["*"])]


def _log_groups(names: CellNames) -> list[str]:
    """As the actions on tags name them: the ARN without ``:*``."""
    return _arns(names, "logs", [f"log-group:{names.log_group(names.function(one))}" for one in FUNCTIONS])


def _log_group(names: CellNames, _: Deploys) -> list[Grant]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html (arn, logGroupArn)"""
    return [
        Grant(
            "logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy", [f"{group}:*" for group in _log_groups(names)]
        ),
        Grant("logs", "TagResource UntagResource", _log_groups(names)),
    ]


def _alarms(names: CellNames) -> list[str]:
    return _arns(names, "cloudwatch", [f"alarm:{names.alarm('*')}"])


def _dashboards(names: CellNames) -> list[str]:
    return _arns(names, "cloudwatch", [f"dashboard/{names.dashboard}"], region=False)


def _queues(names: CellNames) -> list[str]:
    return _arns(names, "sqs", [names.dead_letter_queue])


def _read_policy(names: CellNames) -> list[str]:
    return [names.policy_arn(names.read_policy)]


TENANT_TYPES: Final = frozenset(
    {
        "aws:lambda/invocation:Invocation",
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "aws:secretsmanager/secret:Secret",
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        "aws:secretsmanager/secretRotation:SecretRotation",
    }
)
"""A tenant's resource types. A dedicated tenant also has a KMS key and a role, which only a person creates."""

BUILD: Final[Mapping[str, Grants]] = {
    **BUCKETS,
    "aws:cloudwatch/dashboard:Dashboard": _fixed("cloudwatch", "DeleteDashboards PutDashboard", _dashboards),
    "aws:cloudwatch/eventRule:EventRule": _fixed("events", "DeleteRule PutRule TagResource UntagResource", _rules),
    "aws:cloudwatch/eventTarget:EventTarget": _fixed("events", "PutTargets RemoveTargets", _rules),
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _fixed(
        "cloudwatch", "DeleteAlarms PutMetricAlarm TagResource UntagResource", _alarms
    ),
    "aws:iam/policy:Policy": _fixed(
        "iam", "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion TagPolicy UntagPolicy", _read_policy
    ),
    "aws:iam/role:Role": lambda names, _: [
        Grant("iam", "CreateRole PutRolePermissionsBoundary", _roles(names), _bounded(names)),
        # The official provider looks for instance profiles before it deletes a role.
        Grant(
            "iam",
            "DeleteRole ListInstanceProfilesForRole TagRole UntagRole UpdateAssumeRolePolicy UpdateRole "
            "UpdateRoleDescription",
            _roles(names),
        ),
    ],
    "aws:iam/rolePolicy:RolePolicy": lambda names, _: [
        Grant("iam", "DeleteRolePolicy PutRolePolicy", _roles(names), _bounded(names))
    ],
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": lambda names, _: [
        Grant(
            "iam",
            "AttachRolePolicy DetachRolePolicy",
            [names.runtime_role_arn],
            _bounded(names, PolicyARN=names.policy_arn(names.read_policy)),
        )
    ],
    "aws:kms/alias:Alias": lambda names, _: [
        Grant(
            "kms",
            "CreateAlias DeleteAlias UpdateAlias",
            [any_key(names), *_arns(names, "kms", [names.kms_alias, f"{names.kms_alias}/*"])],
        )
    ],
    "aws:kms/key:Key": _key,
    "aws:lambda/function:Function": lambda names, _: [
        Grant(
            "lambda",
            "CreateFunction DeleteFunction DeleteFunctionConcurrency PutFunctionConcurrency TagResource UntagResource "
            "UpdateFunctionCode UpdateFunctionConfiguration",
            _function_arns(names),
        ),
        Grant(
            "iam",
            "PassRole",
            _function_roles(names),
            {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        ),
    ],
    "aws:lambda/invocation:Invocation": _fixed(
        "lambda", "InvokeFunction", lambda names: [names.provisioner_function_arn]
    ),
    "aws:lambda/permission:Permission": _fixed("lambda", "AddPermission RemovePermission", _function_arns),
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretPolicy:SecretPolicy": _secret_policy,
    "aws:secretsmanager/secretRotation:SecretRotation": _secret_rotation,
    "aws:sns/topic:Topic": _fixed(
        "sns", "CreateTopic DeleteTopic SetTopicAttributes TagResource UntagResource", _topics
    ),
    "aws:sns/topicPolicy:TopicPolicy": _fixed("sns", "SetTopicAttributes", _topics),
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:sqs/queue:Queue": _fixed("sqs", "CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue", _queues),
}
"""By resource type, as the engine names them."""


def look(names: CellNames) -> list[Grant]:
    """What refresh reads and operators call, whatever is deployed. The first six actions have no resource."""
    own = (names.deployer_looks_policy, *map(names.deployer_state_policy, get_args(Deploys)))
    policies = [*map(names.policy_arn, (names.read_policy, names.boundary_policy, *own))]
    roles = [*_roles(names), names.role_arn(names.deployer_role), names.handover_role_arn]
    secrets = _secrets(names, "everything")
    return [
        # `rotate` reads a rotation's events.
        Grant("cloudtrail", "LookupEvents", ["*"]),
        Grant("cloudwatch", "DescribeAlarms", ["*"]),
        Grant("iam", "GetOutboundWebIdentityFederationInfo", ["*"]),
        Grant("kms", "ListAliases", ["*"]),
        Grant("logs", "DescribeLogGroups", ["*"]),
        Grant("sns", "GetSubscriptionAttributes", ["*"]),
        Grant("secretsmanager", "DescribeSecret GetResourcePolicy ListSecretVersionIds", secrets),
        Grant("kms", "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags", [any_key(names)]),
        Grant("iam", "GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies ListRoleTags", roles),
        Grant("iam", "GetPolicy GetPolicyVersion ListPolicyTags ListPolicyVersions", policies),
        Grant("logs", "ListTagsForResource", _log_groups(names)),
        Grant("sqs", "GetQueueAttributes GetQueueUrl ListQueueTags", _queues(names)),
        Grant("sns", "GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource", _topics(names)),
        Grant(
            "lambda",
            "GetFunction GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration GetPolicy "
            "ListTags ListVersionsByFunction",
            _function_arns(names),
        ),
        Grant("cloudwatch", "ListTagsForResource", _alarms(names)),
        Grant("cloudwatch", "GetDashboard", _dashboards(names)),
        *look_at_buckets(names),
        Grant("events", _READ_RULE, _rules(names)),
        # Apart from the others: who may change those may not change this one.
        Grant(
            "events",
            _READ_RULE,
            _arns(names, "events", [f"rule/{names.handover_rule}"]),
        ),
        # `offboard` calls the sweep to revoke a tenant's keys: it answers only with ids.
        Grant("lambda", "InvokeFunction", [names.function_arn(SWEEP)]),
    ]
