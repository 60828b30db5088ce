"""What each user of the local cell may do: pure JSON documents, no wildcard where AWS offers something narrower.

Owns the five users' identity policies, as in a real account: the deployer can create everything but read no value,
except by the hand-over role with a second factor, CI can only read, the runtime can only assume its role, the stranger
has the broad permissions of another team, and the administrator is the account's emergency user. Leaves out the
tenants' secrets' own resource policies.
"""

from __future__ import annotations

import json
from typing import Any

ACCOUNT_ID = "000000000000"
PERSON = "deployer"
"""The user with a second factor, by which they become the hand-over role."""

Statement = dict[str, Any]


def _arns(service: str, *resources: str, region: str = "*") -> list[str]:
    return [f"arn:aws:{service}:{region}:{ACCOUNT_ID}:{resource}" for resource in resources]


def _actions(service: str, names: str) -> list[str]:
    return [f"{service}:{name}" for name in names.split()]


def _allow(sid: str, actions: list[str], resources: list[str], condition: dict[str, Any] | None = None) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


_SECRETS = _arns("secretsmanager", "secret:myflux/*", "secret:myflux-admin/*")
_ADMIN_SECRETS = _arns("secretsmanager", "secret:myflux-admin/*")
_KEYS = _arns("kms", "key/*")
_ALIASES = _arns("kms", "alias/myflux/*", "alias/myflux-intake/*", "alias/myflux-link/*")
_ROLES = _arns("iam", "role/myflux-*", region="")
_MANAGED_POLICIES = _arns("iam", "policy/myflux-*", region="")
_LOG_GROUPS = _arns("logs", "log-group:/aws/lambda/myflux-*")
_QUEUES = _arns("sqs", "myflux-*")
_TOPICS = _arns("sns", "myflux-*")
_FUNCTIONS = _arns("lambda", "function:myflux-*")
_ALARMS = _arns("cloudwatch", "alarm:myflux-*")
_RULES = _arns("events", "rule/myflux-*")
_DASHBOARDS = _arns("cloudwatch", "dashboard/myflux-*", region="")
_BUCKETS = ["arn:aws:s3:::myflux-health-*", "arn:aws:s3:::myflux-connect-*"]
_OBJECTS = ["arn:aws:s3:::myflux-health-*/*"]

_HANDOVER = _arns("iam", "role/myflux-*-handover", region="")

_NO_VALUES: Statement = {
    "Sid": "NeverAValue",
    "Effect": "Deny",
    "Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
    "Resource": "*",
}
_NO_ROLES: Statement = {"Sid": "NeverARole", "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}
_ONE_ROLE: Statement = {
    "Sid": "NeverAnotherRole",
    "Effect": "Deny",
    "Action": "sts:AssumeRole",
    "NotResource": _HANDOVER,
}
_WITH_A_SECOND_FACTOR: Statement = {
    "Sid": "NeverByTheAccessKeyAlone",
    "Effect": "Deny",
    "Action": "sts:AssumeRole",
    "Resource": "*",
    "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
}
"""A user who may write a trust policy could allow itself to assume the role: these prevent that. BoolIfExists holds for
a request without the key, which is what a call by an access key alone is."""

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

_LOOK = [
    _allow("LookEverywhere", _LOOK_EVERYWHERE, ["*"]),
    _allow(
        "LookAtSecrets",
        _actions("secretsmanager", "DescribeSecret GetResourcePolicy ListSecretVersionIds ValidateResourcePolicy"),
        _SECRETS,
    ),
    _allow(
        "LookAtKeys",
        _actions("kms", "DescribeKey GetKeyPolicy GetKeyRotationStatus ListKeyPolicies ListResourceTags"),
        _KEYS,
    ),
    _allow(
        "LookAtRoles",
        _actions(
            "iam",
            "GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags",
        ),
        _ROLES,
    ),
    _allow(
        "LookAtPolicies",
        _actions("iam", "GetPolicy GetPolicyVersion ListEntitiesForPolicy ListPolicyTags ListPolicyVersions"),
        _MANAGED_POLICIES,
    ),
    _allow("LookAtLogGroups", _actions("logs", "ListTagsForResource"), _LOG_GROUPS),
    _allow("LookAtQueues", _actions("sqs", "GetQueueAttributes GetQueueUrl ListQueueTags"), _QUEUES),
    _allow(
        "LookAtTopics",
        _actions("sns", "GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource"),
        _TOPICS,
    ),
    _allow(
        "LookAtFunctions",
        _actions(
            "lambda",
            "GetFunction GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration "
            "GetFunctionEventInvokeConfig GetFunctionUrlConfig GetPolicy ListTags ListVersionsByFunction",
        ),
        _FUNCTIONS,
    ),
    _allow("LookAtAlarms", _actions("cloudwatch", "ListTagsForResource"), _ALARMS),
    _allow("LookAtDashboards", _actions("cloudwatch", "GetDashboard"), _DASHBOARDS),
    _allow(
        "LookAtBuckets",
        _actions(
            "s3",
            "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLogging GetBucketObjectLockConfiguration "
            "GetBucketPolicy GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning "
            "GetBucketWebsite GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration "
            "ListBucket",
        ),
        _BUCKETS,
    ),
    _allow("LookAtObjects", _actions("s3", "GetObject GetObjectTagging"), _OBJECTS),
    _allow("LookAtRules", _actions("events", "DescribeRule ListTagsForResource ListTargetsByRule"), _RULES),
]

_BUILD = [
    _allow(
        "BuildSecrets",
        _actions(
            "secretsmanager",
            "CancelRotateSecret CreateSecret DeleteResourcePolicy DeleteSecret PutResourcePolicy "
            "RemoveRegionsFromReplication ReplicateSecretToRegions RestoreSecret RotateSecret StopReplicationToReplica "
            "TagResource UntagResource UpdateSecret",
        ),
        _SECRETS,
    ),
    _allow("StoreAdminKey", _actions("secretsmanager", "PutSecretValue"), _ADMIN_SECRETS),
    # A managed tenant's secret refuses both: only its rotation writes there.
    _allow("StoreCustomersKeys", _actions("secretsmanager", "PutSecretValue UpdateSecretVersionStage"), _SECRETS),
    # Secrets Manager tries a key for its caller when a secret is put under it, and when the admin key is stored.
    _allow(
        "EncryptThroughSecretsManager",
        _actions("kms", "Decrypt Encrypt GenerateDataKey"),
        _KEYS,
        {
            "StringLike": {
                "kms:EncryptionContext:SecretARN": _SECRETS,
                "kms:ViaService": "secretsmanager.*.amazonaws.com",
            }
        },
    ),
    _allow("MakeKeys", _actions("kms", "CreateKey"), ["*"]),
    _allow(
        "BuildKeys",
        _actions(
            "kms",
            "DisableKey DisableKeyRotation EnableKey EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion "
            "TagResource UntagResource UpdateKeyDescription",
        ),
        _KEYS,
    ),
    _allow("NameKeys", _actions("kms", "CreateAlias DeleteAlias UpdateAlias"), _KEYS + _ALIASES),
    _allow(
        "BuildRoles",
        _actions(
            "iam",
            "AttachRolePolicy CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy "
            "PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole "
            "UpdateRoleDescription",
        ),
        _ROLES,
    ),
    _allow(
        "BuildPolicies",
        _actions(
            "iam",
            "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion SetDefaultPolicyVersion TagPolicy "
            "UntagPolicy",
        ),
        _MANAGED_POLICIES,
    ),
    _allow(
        "GiveRolesToFunctions",
        _actions("iam", "PassRole"),
        _ROLES,
        {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    ),
    _allow(
        "BuildLogGroups",
        _actions(
            "logs",
            "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DisassociateKmsKey PutRetentionPolicy "
            "TagResource UntagResource",
        ),
        _LOG_GROUPS,
    ),
    _allow("BuildQueues", _actions("sqs", "CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue"), _QUEUES),
    _allow(
        "BuildTopics",
        _actions(
            "sns",
            "CreateTopic DeleteTopic SetTopicAttributes Subscribe TagResource UntagResource",
        ),
        _TOPICS,
    ),
    _allow("BuildSubscriptions", _actions("sns", "SetSubscriptionAttributes Unsubscribe"), ["*"]),
    _allow(
        "BuildFunctions",
        _actions(
            "lambda",
            "AddPermission CreateFunction DeleteFunction DeleteFunctionConcurrency DeleteFunctionEventInvokeConfig "
            "PublishVersion PutFunctionConcurrency PutFunctionEventInvokeConfig RemovePermission TagResource "
            "UntagResource UpdateFunctionCode UpdateFunctionConfiguration UpdateFunctionEventInvokeConfig",
        ),
        _FUNCTIONS,
    ),
    _allow("Provision", _actions("lambda", "InvokeFunction"), _arns("lambda", "function:myflux-*-provisioner")),
    # RotateSecret asks its caller for lambda:InvokeFunction on the rotation function.
    _allow("Rotate", _actions("lambda", "InvokeFunction"), _arns("lambda", "function:myflux-*-rotation")),
    _allow("Sweep", _actions("lambda", "InvokeFunction"), _arns("lambda", "function:myflux-*-sweep")),
    _allow("RotateAdminKey", _actions("lambda", "InvokeFunction"), _arns("lambda", "function:myflux-*-admin-rotator")),
    _allow(
        "BuildAlarms",
        _actions("cloudwatch", "DeleteAlarms PutMetricAlarm TagResource UntagResource"),
        _ALARMS,
    ),
    _allow(
        "BuildRules",
        _actions(
            "events", "DeleteRule DisableRule EnableRule PutRule PutTargets RemoveTargets TagResource UntagResource"
        ),
        _RULES,
    ),
]

_BUILD_HEALTH = [
    _allow(
        "FederateTheAccount",
        _actions("iam", "DisableOutboundWebIdentityFederation EnableOutboundWebIdentityFederation"),
        ["*"],
    ),
    _allow(
        "BuildBuckets",
        _actions(
            "s3",
            "CreateBucket DeleteBucket DeleteBucketPolicy ListBucketVersions PutBucketPolicy "
            "PutBucketPublicAccessBlock PutBucketTagging PutEncryptionConfiguration TagResource",
        ),
        _BUCKETS,
    ),
    _allow("BuildObjects", _actions("s3", "DeleteObject DeleteObjectVersion PutObject"), _OBJECTS),
    _allow("BuildDashboards", _actions("cloudwatch", "DeleteDashboards PutDashboard"), _DASHBOARDS),
    _allow("LookNow", _actions("lambda", "InvokeFunction"), _arns("lambda", "function:myflux-*-health")),
]

_CONNECT = [
    _allow("SignLinks", _actions("kms", "GenerateMac"), _KEYS),
    _allow(
        "IssueLinks",
        _actions("s3", "DeleteObject DeleteObjectVersion GetObject PutObject"),
        ["arn:aws:s3:::myflux-connect-*/*"],
    ),
    _allow("BuildIntake", _actions("s3", "PutLifecycleConfiguration"), _BUCKETS),
    _allow(
        "BuildPages",
        _actions("lambda", "CreateFunctionUrlConfig DeleteFunctionUrlConfig UpdateFunctionUrlConfig"),
        _FUNCTIONS,
    ),
    _allow("Promote", _actions("lambda", "InvokeFunction"), _arns("lambda", "function:myflux-*-promoter")),
]

_BECOME_RUNTIME = [_allow("BecomeRuntime", _actions("sts", "AssumeRole TagSession"), _ROLES)]

_HAND_OVER = [
    _allow("HandOver", _actions("sts", "AssumeRole TagSession"), _HANDOVER),
    _allow("OwnDevices", _actions("iam", "ListMFADevices"), _arns("iam", "user/${aws:username}", region="")),
]

_UNRELATED_TEAM = [
    _allow("Secrets", ["secretsmanager:*"], ["*"]),
    _allow("Keys", _actions("kms", "Decrypt DescribeKey Encrypt GenerateDataKey ListAliases ListKeys"), ["*"]),
    _allow("Roles", _actions("sts", "AssumeRole TagSession"), ["*"]),
    _allow("Own", ["dynamodb:*", "s3:*", "sns:*", "sqs:*"], ["*"]),
    _allow("Look", ["iam:Get*", "iam:List*", "lambda:Get*", "lambda:List*"], ["*"]),
]

_EVERYTHING = [_allow("Everything", ["*"], ["*"])]


def _document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


POLICIES = {
    PERSON: (
        _document(_NO_VALUES, _ONE_ROLE, _WITH_A_SECOND_FACTOR, *_HAND_OVER, *_LOOK),
        _document(*_BUILD),
        _document(*_BUILD_HEALTH),
        _document(*_CONNECT),
    ),
    "ci": (_document(_NO_VALUES, _NO_ROLES, *_LOOK),),
    "runtime": (_document(*_BECOME_RUNTIME),),
    "stranger": (_document(*_UNRELATED_TEAM),),
    "administrator": (_document(*_EVERYTHING),),
}
"""By user name: JSON texts, each of which fits a managed policy."""
