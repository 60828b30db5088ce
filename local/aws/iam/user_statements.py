"""The statements of what the local cell's deployer looks at and builds, on resources of this project's names.

Owns the lists, each of which fits a managed policy. Leaves out which user has which (`user_policies`).
"""

from __future__ import annotations

from typing import Any

ACCOUNT_ID = "000000000000"

Statement = dict[str, Any]


def arns(service: str, *resources: str, region: str = "*") -> list[str]:
    return [f"arn:aws:{service}:{region}:{ACCOUNT_ID}:{resource}" for resource in resources]


def actions(service: str, names: str) -> list[str]:
    return [f"{service}:{name}" for name in names.split()]


def allow(sid: str, actions: list[str], resources: list[str], condition: dict[str, Any] | None = None) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


_SECRETS = arns("secretsmanager", "secret:myflux/*", "secret:myflux-admin/*")
_ADMIN_SECRETS = arns("secretsmanager", "secret:myflux-admin/*")
_KEYS = arns("kms", "key/*")
_ALIASES = arns("kms", "alias/myflux/*", "alias/myflux-intake/*", "alias/myflux-link/*")
ROLES = arns("iam", "role/myflux-*", region="")
_MANAGED_POLICIES = arns("iam", "policy/myflux-*", region="")
_LOG_GROUPS = arns("logs", "log-group:/aws/lambda/myflux-*")
_QUEUES = arns("sqs", "myflux-*")
_TOPICS = arns("sns", "myflux-*")
_FUNCTIONS = arns("lambda", "function:myflux-*")
_ALARMS = arns("cloudwatch", "alarm:myflux-*")
_RULES = arns("events", "rule/myflux-*")
_DASHBOARDS = arns("cloudwatch", "dashboard/myflux-*", region="")
_BUCKETS = ["arn:aws:s3:::myflux-health-*", "arn:aws:s3:::myflux-connect-*"]
_OBJECTS = ["arn:aws:s3:::myflux-health-*/*"]

# Operations without a resource type of their own in AWS's service authorization reference.
_LOOK_EVERYWHERE = [
    "cloudtrail:LookupEvents",
    "cloudwatch:DescribeAlarms",
    "iam:GetOutboundWebIdentityFederationInfo",
    "kms:ListAliases",
    "kms:ListKeys",
    "logs:DescribeLogGroups",
    "secretsmanager:ListSecrets",
    "sns:GetSubscriptionAttributes",
]

LOOK = [
    allow("LookEverywhere", _LOOK_EVERYWHERE, ["*"]),
    allow(
        "LookAtSecrets",
        actions("secretsmanager", "DescribeSecret GetResourcePolicy ListSecretVersionIds ValidateResourcePolicy"),
        _SECRETS,
    ),
    allow(
        "LookAtKeys",
        actions("kms", "DescribeKey GetKeyPolicy GetKeyRotationStatus ListKeyPolicies ListResourceTags"),
        _KEYS,
    ),
    allow(
        "LookAtRoles",
        actions(
            "iam",
            "GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags",
        ),
        ROLES,
    ),
    allow(
        "LookAtPolicies",
        actions("iam", "GetPolicy GetPolicyVersion ListEntitiesForPolicy ListPolicyTags ListPolicyVersions"),
        _MANAGED_POLICIES,
    ),
    allow("LookAtLogGroups", actions("logs", "ListTagsForResource"), _LOG_GROUPS),
    allow("LookAtQueues", actions("sqs", "GetQueueAttributes GetQueueUrl ListQueueTags"), _QUEUES),
    allow(
        "LookAtTopics",
        actions("sns", "GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource"),
        _TOPICS,
    ),
    allow(
        "LookAtFunctions",
        actions(
            "lambda",
            "GetFunction GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration "
            "GetFunctionEventInvokeConfig GetFunctionUrlConfig GetPolicy ListTags ListVersionsByFunction",
        ),
        _FUNCTIONS,
    ),
    allow("LookAtAlarms", actions("cloudwatch", "ListTagsForResource"), _ALARMS),
    allow("LookAtDashboards", actions("cloudwatch", "GetDashboard"), _DASHBOARDS),
    allow(
        "LookAtBuckets",
        actions(
            "s3",
            "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLogging GetBucketObjectLockConfiguration "
            "GetBucketPolicy GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning "
            "GetBucketWebsite GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration "
            "ListBucket",
        ),
        _BUCKETS,
    ),
    allow("LookAtObjects", actions("s3", "GetObject GetObjectTagging"), _OBJECTS),
    allow("LookAtRules", actions("events", "DescribeRule ListTagsForResource ListTargetsByRule"), _RULES),
]

BUILD = [
    allow(
        "BuildSecrets",
        actions(
            "secretsmanager",
            "CancelRotateSecret CreateSecret DeleteResourcePolicy DeleteSecret PutResourcePolicy "
            "RemoveRegionsFromReplication ReplicateSecretToRegions RestoreSecret RotateSecret StopReplicationToReplica "
            "TagResource UntagResource UpdateSecret",
        ),
        _SECRETS,
    ),
    allow("StoreAdminKey", actions("secretsmanager", "PutSecretValue"), _ADMIN_SECRETS),
    # A managed tenant's secret refuses both: only its rotation writes there.
    allow("StoreCustomersKeys", actions("secretsmanager", "PutSecretValue UpdateSecretVersionStage"), _SECRETS),
    # Secrets Manager tries a key for its caller when a secret is put under it, and when the admin key is stored.
    allow(
        "EncryptThroughSecretsManager",
        actions("kms", "Decrypt Encrypt GenerateDataKey"),
        _KEYS,
        {
            "StringLike": {
                "kms:EncryptionContext:SecretARN": _SECRETS,
                "kms:ViaService": "secretsmanager.*.amazonaws.com",
            }
        },
    ),
    allow("MakeKeys", actions("kms", "CreateKey"), ["*"]),
    allow(
        "BuildKeys",
        actions(
            "kms",
            "DisableKey DisableKeyRotation EnableKey EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion "
            "TagResource UntagResource UpdateKeyDescription",
        ),
        _KEYS,
    ),
    allow("NameKeys", actions("kms", "CreateAlias DeleteAlias UpdateAlias"), _KEYS + _ALIASES),
    allow(
        "BuildRoles",
        actions(
            "iam",
            "AttachRolePolicy CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy "
            "PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole "
            "UpdateRoleDescription",
        ),
        ROLES,
    ),
    allow(
        "BuildPolicies",
        actions(
            "iam",
            "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion SetDefaultPolicyVersion TagPolicy "
            "UntagPolicy",
        ),
        _MANAGED_POLICIES,
    ),
    allow(
        "GiveRolesToFunctions",
        actions("iam", "PassRole"),
        ROLES,
        {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    ),
    allow(
        "BuildLogGroups",
        actions(
            "logs",
            "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DisassociateKmsKey PutRetentionPolicy "
            "TagResource UntagResource",
        ),
        _LOG_GROUPS,
    ),
    allow("BuildQueues", actions("sqs", "CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue"), _QUEUES),
    allow(
        "BuildTopics",
        actions(
            "sns",
            "CreateTopic DeleteTopic SetTopicAttributes Subscribe TagResource UntagResource",
        ),
        _TOPICS,
    ),
    allow("BuildSubscriptions", actions("sns", "SetSubscriptionAttributes Unsubscribe"), ["*"]),
    allow(
        "BuildFunctions",
        actions(
            "lambda",
            "AddPermission CreateFunction DeleteFunction DeleteFunctionConcurrency DeleteFunctionEventInvokeConfig "
            "PublishVersion PutFunctionConcurrency PutFunctionEventInvokeConfig RemovePermission TagResource "
            "UntagResource UpdateFunctionCode UpdateFunctionConfiguration UpdateFunctionEventInvokeConfig",
        ),
        _FUNCTIONS,
    ),
    allow("Provision", actions("lambda", "InvokeFunction"), arns("lambda", "function:myflux-*-provisioner")),
    # RotateSecret asks its caller for lambda:InvokeFunction on the rotation function.
    allow("Rotate", actions("lambda", "InvokeFunction"), arns("lambda", "function:myflux-*-rotation")),
    allow("Sweep", actions("lambda", "InvokeFunction"), arns("lambda", "function:myflux-*-sweep")),
    allow("RotateAdminKey", actions("lambda", "InvokeFunction"), arns("lambda", "function:myflux-*-admin-rotator")),
    allow(
        "BuildAlarms",
        actions("cloudwatch", "DeleteAlarms PutMetricAlarm TagResource UntagResource"),
        _ALARMS,
    ),
    allow(
        "BuildRules",
        actions(
            "events", "DeleteRule DisableRule EnableRule PutRule PutTargets RemoveTargets TagResource UntagResource"
        ),
        _RULES,
    ),
]

BUILD_HEALTH = [
    allow(
        "FederateTheAccount",
        actions("iam", "DisableOutboundWebIdentityFederation EnableOutboundWebIdentityFederation"),
        ["*"],
    ),
    allow(
        "BuildBuckets",
        actions(
            "s3",
            "CreateBucket DeleteBucket DeleteBucketPolicy ListBucketVersions PutBucketPolicy "
            "PutBucketPublicAccessBlock PutBucketTagging PutEncryptionConfiguration TagResource",
        ),
        _BUCKETS,
    ),
    allow("BuildObjects", actions("s3", "DeleteObject DeleteObjectVersion PutObject"), _OBJECTS),
    allow("BuildDashboards", actions("cloudwatch", "DeleteDashboards PutDashboard"), _DASHBOARDS),
    allow("LookNow", actions("lambda", "InvokeFunction"), arns("lambda", "function:myflux-*-health")),
]

CONNECT = [
    allow("SignLinks", actions("kms", "GenerateMac"), _KEYS),
    allow(
        "IssueLinks",
        actions("s3", "DeleteObject DeleteObjectVersion GetObject PutObject"),
        ["arn:aws:s3:::myflux-connect-*/*"],
    ),
    allow("BuildIntake", actions("s3", "PutLifecycleConfiguration"), _BUCKETS),
    allow(
        "BuildPages",
        actions("lambda", "CreateFunctionUrlConfig DeleteFunctionUrlConfig UpdateFunctionUrlConfig"),
        _FUNCTIONS,
    ),
    allow("Promote", actions("lambda", "InvokeFunction"), arns("lambda", "function:myflux-*-promoter")),
]
