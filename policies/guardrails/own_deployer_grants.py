"""The most that a pipeline's role may do, by what it deploys.

Owns six tables: TENANTS and EVERYTHING limit the role's inline policy, TENANTS_STATE and EVERYTHING_STATE the managed
policy on the stacks' state, on declarations, on schedules and on what else of S3 and CloudWatch it changes, CONNECT the
one that reads connect, LOOKS the one that reads the rest. Leaves out the condition that each action needs
(`own_deployer`) and other roles' tables (`own_grants`).
"""

from __future__ import annotations

from functools import cache
from typing import Final

from .own_functions import KINDS, PAGES, PROMOTERS, SCHEDULED
from .own_grants import Grant, admin_secrets, connect_bucket, customers_admin_secrets, health_bucket, secrets

TENANTS: Final = "tenants"
EVERYTHING: Final = "everything"
LOOKS: Final = "looks"
CONNECT: Final = "connect-looks"
TENANTS_STATE: Final = "tenants-state"
EVERYTHING_STATE: Final = "everything-state"
_ANY_KEY: Final = "arn:~:kms:~:~:key/*"
_STATES: Final = ("deployer-tenants-state", "deployer-everything-state")
_STATE_FILES: Final = ("json", "json.bak", "json.gz", "json.gz.bak", "json.zst", "json.zst.bak")
_READ_BUCKET: Final = (
    "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLogging GetBucketObjectLockConfiguration "
    "GetBucketPolicy GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning "
    "GetBucketWebsite GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration ListBucket"
)
_READ_ROLE: Final = "GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies ListRoleTags"
_READ_POLICY: Final = "GetPolicy GetPolicyVersion ListPolicyTags ListPolicyVersions"
_READ_FUNCTION: Final = (
    "GetFunction GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration GetPolicy ListTags "
    "ListVersionsByFunction"
)
_READ_RULE: Final = "DescribeRule ListTagsForResource ListTargetsByRule"
_RULES: Final = ("rotation-failed", *(one.rule for one in SCHEDULED))


@cache
def deployer_grants(kind: str, cell: str) -> tuple[Grant, ...]:
    """`kind` is one of the six tables."""
    if kind == LOOKS:
        return _looks(cell)
    if kind == CONNECT:
        return _connect(cell)
    if kind in (TENANTS_STATE, EVERYTHING_STATE):
        return _state(kind, cell)
    return (*_on_secrets(kind, cell), *(_platforms(cell) if kind == EVERYTHING else ()))


def governed(kind: str, cell: str) -> tuple[str, ...]:
    """The secrets that it creates and governs. The cell's own admin secret is part of the platform."""
    return secrets(cell), *(admin_secrets(cell) if kind != TENANTS else (customers_admin_secrets(cell),))


def rotators(kind: str, cell: str) -> tuple[str, ...]:
    """The functions that it may set to rotate them."""
    return _functions(cell, ("rotation", "admin-rotator") if kind == EVERYTHING else ("rotation",))


def cells_policy(cell: str, name: str) -> str:
    return f"arn:~:iam::~:policy/myflux-{cell}-{name}"


def _functions(cell: str, names: tuple[str, ...] = KINDS) -> tuple[str, ...]:
    return tuple(f"arn:~:lambda:~:~:function:myflux-{cell}-{name}" for name in names)


def _function_roles(cell: str, names: tuple[str, ...] = KINDS) -> tuple[str, ...]:
    return tuple(f"arn:~:iam::~:role/myflux-{cell}-{name}" for name in names)


def _roles(cell: str) -> tuple[str, ...]:
    """The cell's roles, without the pipeline's own."""
    return (*_function_roles(cell), _runtime(cell), f"arn:~:iam::~:role/myflux-{cell}_*")


def _runtime(cell: str) -> str:
    return f"arn:~:iam::~:role/myflux-{cell}-runtime"


def _on(service: str, actions: str, *places: str) -> tuple[Grant, ...]:
    named = tuple(f"{service}:{action}" for action in actions.split())
    return tuple(Grant(named, place) for place in places)


def _on_secrets(kind: str, cell: str) -> tuple[Grant, ...]:
    """What a tenant's stack needs: no role, no key policy, no function's code."""
    mine = governed(kind, cell)
    not_created = tuple(one.removesuffix("-??????") for one in mine)
    return (
        *_on(
            "secretsmanager",
            "CancelRotateSecret DeleteSecret PutResourcePolicy RemoveRegionsFromReplication RestoreSecret RotateSecret "
            "StopReplicationToReplica UntagResource UpdateSecret",
            *mine,
        ),
        *_on("secretsmanager", "CreateSecret ReplicateSecretToRegions TagResource", *mine, *not_created),
        *_on("kms", "Decrypt GenerateDataKey", _ANY_KEY),
        *_on("lambda", "InvokeFunction", *rotators(kind, cell), *_functions(cell, ("provisioner",))),
    )


def _platforms(cell: str) -> tuple[Grant, ...]:
    roles, read = _roles(cell), cells_policy(cell, "read")
    aliases = (_ANY_KEY, f"arn:~:kms:~:~:alias/myflux/{cell}", f"arn:~:kms:~:~:alias/myflux/{cell}/*")
    topic = _topic(cell)
    return (
        # A key that is not created yet has no ARN.
        *_on("kms", "CreateKey", "*"),
        *_on(
            "kms",
            "EnableKeyRotation ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription",
            _ANY_KEY,
        ),
        *_on("kms", "CreateAlias DeleteAlias UpdateAlias", *aliases),
        *_on(
            "lambda",
            "AddPermission CreateFunction DeleteFunction DeleteFunctionConcurrency PutFunctionConcurrency "
            "RemovePermission TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration",
            *_functions(cell),
        ),
        *_on(
            "iam",
            "CreateRole DeleteRole DeleteRolePolicy ListInstanceProfilesForRole PutRolePermissionsBoundary "
            "PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
            *roles,
        ),
        *_on("iam", "AttachRolePolicy DetachRolePolicy", _runtime(cell)),
        *_on("iam", "PassRole", *_function_roles(cell)),
        *_on("iam", "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion TagPolicy UntagPolicy", read),
        *_on("logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy", *(f"{group}:*" for group in _logs(cell))),
        *_on("logs", "TagResource UntagResource", *_logs(cell)),
        *_on("sns", "CreateTopic DeleteTopic SetTopicAttributes TagResource UntagResource", topic),
        *_on("sns", "Subscribe", topic),
        # SNS has no resource type for a subscription.
        *_on("sns", "Unsubscribe", "*"),
        *_on("sqs", "CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue", _queue(cell)),
    )


def _looks(cell: str) -> tuple[Grant, ...]:
    topic, roles = _topic(cell), [f"arn:~:iam::~:role/myflux-{cell}-{name}" for name in ("deployer", "handover")]
    policies = [cells_policy(cell, name) for name in ("read", "boundary", "deployer-looks", *_STATES)]
    return (
        *_on("cloudtrail", "LookupEvents", "*"),
        *_on("cloudwatch", "DescribeAlarms", "*"),
        *_on("iam", "GetOutboundWebIdentityFederationInfo", "*"),
        *_on("kms", "ListAliases", "*"),
        *_on("logs", "DescribeLogGroups", "*"),
        *_on("secretsmanager", "DescribeSecret GetResourcePolicy ListSecretVersionIds", *governed(EVERYTHING, cell)),
        *_on("kms", "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags", _ANY_KEY),
        *_on("iam", _READ_ROLE, *_roles(cell), *roles),
        *_on("iam", _READ_POLICY, *policies),
        *_on("logs", "ListTagsForResource", *_logs(cell)),
        *_on("sqs", "GetQueueAttributes GetQueueUrl ListQueueTags", _queue(cell)),
        *_on("sns", "GetSubscriptionAttributes", "*"),
        *_on("sns", "GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource", topic),
        *_on("lambda", _READ_FUNCTION, *_functions(cell)),
        *_on("lambda", "InvokeFunction", *_functions(cell, ("sweep",))),
        *_on("cloudwatch", "ListTagsForResource", _alarms(cell)),
        *_on("cloudwatch", "GetDashboard", _dashboard(cell)),
        *_on("s3", _READ_BUCKET, health_bucket(cell)),
        # The KMS keys of secrets' replicas.
        *_on("kms", "Decrypt Encrypt GenerateDataKey", "arn:~:kms:~:~:key/~"),
    )


def _connect(cell: str) -> tuple[Grant, ...]:
    """The page, the promoter and the settings of their bucket: nothing that customers handed in."""
    kinds = (*PAGES, *PROMOTERS)
    return (
        *_on("iam", _READ_ROLE, *_function_roles(cell, kinds)),
        *_on("iam", _READ_POLICY, cells_policy(cell, "deployer-connect")),
        *_on("lambda", _READ_FUNCTION, *_functions(cell, kinds)),
        *_on("lambda", "GetFunctionUrlConfig", *_functions(cell, PAGES)),
        *_on("logs", "ListTagsForResource", *_logs(cell, kinds)),
        *_on("events", _READ_RULE, *_rules(cell, ("promoter",))),
        *_on("s3", _READ_BUCKET, connect_bucket(cell)),
    )


def _state(kind: str, cell: str) -> tuple[Grant, ...]:
    """Any bucket, project and KMS key may hold the stacks' state, but the policy must name them in full. A cell's
    tenants' stacks are named ``TENANT.CELL``, its platform's ``CELL``."""
    tenants = _files(f"*.{cell}", ("json*", "pulumi-tags"))
    platform = _files(cell, (*_STATE_FILES, "pulumi-tags"))
    writes = (*tenants, *platform) if kind == EVERYTHING_STATE else tenants
    return (
        *_on("s3", "ListBucket", "arn:~:s3:::~"),
        *_on("s3", "DeleteObject GetObject PutObject", *writes),
        *_on("s3", "GetObject", "arn:~:s3:::~/.pulumi/meta.yaml", *platform),
        *_on("kms", "Decrypt Encrypt", "arn:~:kms:~:~:key/~"),
        *_on("events", _READ_RULE, *_rules(cell), *_rules(cell, ("handover-used",))),
        *_declarations(cell),
        *(_beside(cell) if kind == EVERYTHING_STATE else ()),
    )


def _declarations(cell: str) -> tuple[Grant, ...]:
    bucket = health_bucket(cell)
    return (
        *_on("s3", "DeleteObject GetObject GetObjectTagging PutObject", f"{bucket}/declarations/*"),
        # Every pipeline looks for drift of the platform, which wrote it.
        *_on("s3", "GetObject GetObjectTagging", f"{bucket}/catalogue.json"),
        *_on("s3", "ListBucket", bucket),
    )


def _beside(cell: str) -> tuple[Grant, ...]:
    """The health bucket, which is emptied before it is deleted, schedules, and CloudWatch."""
    bucket = health_bucket(cell)
    return (
        *_on("s3", "PutObject", f"{bucket}/catalogue.json"),
        *_on("s3", "DeleteObject DeleteObjectVersion", f"{bucket}/*"),
        *_on(
            "s3",
            "CreateBucket DeleteBucket DeleteBucketPolicy ListBucketVersions PutBucketPolicy "
            "PutBucketPublicAccessBlock PutBucketTagging PutEncryptionConfiguration TagResource",
            bucket,
        ),
        *_on("cloudwatch", "DeleteAlarms PutMetricAlarm TagResource UntagResource", _alarms(cell)),
        *_on("cloudwatch", "DeleteDashboards PutDashboard", _dashboard(cell)),
        *_on("events", "DeleteRule PutRule PutTargets RemoveTargets TagResource UntagResource", *_rules(cell)),
    )


def _files(stack: str, endings: tuple[str, ...]) -> tuple[str, ...]:
    return (
        *(f"arn:~:s3:::~/.pulumi/stacks/~/{stack}.{ending}" for ending in endings),
        *(f"arn:~:s3:::~/.pulumi/{folder}/~/{stack}/*" for folder in ("locks/organization", "history", "backups")),
    )


def _rules(cell: str, rules: tuple[str, ...] = _RULES) -> tuple[str, ...]:
    return tuple(f"arn:~:events:~:~:rule/myflux-{cell}-{rule}" for rule in rules)


def _logs(cell: str, names: tuple[str, ...] = KINDS) -> tuple[str, ...]:
    return tuple(f"arn:~:logs:~:~:log-group:/aws/lambda/myflux-{cell}-{name}" for name in names)


def _alarms(cell: str) -> str:
    return f"arn:~:cloudwatch:~:~:alarm:myflux-{cell}-*"


def _dashboard(cell: str) -> str:
    return f"arn:~:cloudwatch::~:dashboard/myflux-{cell}-health"


def _topic(cell: str) -> str:
    return f"arn:~:sns:~:~:myflux-{cell}-alarms"


def _queue(cell: str) -> str:
    return f"arn:~:sqs:~:~:myflux-{cell}-dead-letters"
