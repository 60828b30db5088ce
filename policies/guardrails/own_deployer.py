"""What a pipeline's role may do at most: the table of its two documents, and the condition each action needs.

Owns the table for a pipeline that deploys everything; one that deploys tenants has less of it. `looks` is the managed
policy that reads back, `deployer` what the role itself holds. Leaves out who becomes the role (`trust`) and the other
roles' table (`own_grants`). Its grants are many and none reads a key, so each is compared with its condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .iam.documents import Condition, Statement
from .iam.patterns import covers
from .own_grants import CRYPTOGRAPHY, Grant, admin_secrets, secrets
from .via_service import through_secrets_manager

NEVER: Final = (
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
    "sts:AssumeRole",
)
FUNCTIONS: Final = ("rotation", "provisioner", "admin-rotator", "sweep")
_ROTATORS: Final = ("rotation", "admin-rotator")
_ROTATES: Final = frozenset({"secretsmanager:rotatesecret", "secretsmanager:cancelrotatesecret"})
_ROTATED_BY: Final = "secretsmanager:rotationlambdaarn"
_EXACT: Final = ("stringequals", "arnequals", "bool")
_ANY_KEY: Final = "arn:~:kms:~:~:key/*"


def deployer_grants(kind: str, cell: str) -> tuple[Grant, ...]:
    return _looks(cell) if kind == "looks" else _builds(cell)


def unmet(kind: str, cell: str, statement: Statement) -> str:
    """Which condition an Allow lacks; empty if none. `kind` is `deployer` or `looks`, where a statement that makes data
    keys is one for secrets, and others are for the stacks' state."""
    if kind == "looks" and not statement.names("kms:GenerateDataKey"):
        return ""
    for action, demands in _demands(cell).items():
        for key, value in demands.items() if statement.names(action) else ():
            if not any(_only(condition, value) for condition in statement.on(key)):
                return f"allows {action} without demanding {key}"
    uses_a_key = any(statement.names(action) for action in CRYPTOGRAPHY)
    if uses_a_key and (wrong := through_secrets_manager(statement, _secrets(cell))):
        return wrong
    if statement.names("kms:ScheduleKeyDeletion") and not any(_no_platform(c) for c in statement.conditions):
        return "allows kms:ScheduleKeyDeletion on the platform's own key"
    if any(statement.names(one) for one in _ROTATES) and not any(
        rotated_by_ours(statement, condition, cell) for condition in statement.on(_ROTATED_BY)
    ):
        return "allows rotation by another function than the cell's"
    return ""


def rotated_by_ours(statement: Statement, condition: Condition, cell: str) -> bool:
    """RotateSecret names a function only where it sets one: to rotate at once it names none, and the one that stands
    there rotates. CancelRotateSecret never names one. So the key may be absent, which lets no other function in."""
    return (
        condition.key == _ROTATED_BY
        and condition.operator in ("stringequals", "arnequals")
        and not condition.over
        and {action.lower() for action in statement.actions} <= _ROTATES
        and bool(condition.values)
        and all(any(covers(one, value) for one in _functions(cell, _ROTATORS)) for value in condition.values)
    )


def denies_values(statements: tuple[Statement, ...]) -> bool:
    """Whether every request for a value, or to become another role, is denied, whatever other policies say."""
    shut = [
        one
        for one in statements
        if not (one.allows or one.conditions or one.but_resources or one.principals) and "*" in one.resources
    ]
    return all(any(one.names(action) for one in shut) for action in NEVER)


def _only(condition: Condition, pattern: str) -> bool:
    """Whether it holds only where the key is there and is what `pattern` says."""
    exact = condition.operator in _EXACT and not condition.over and not condition.passes_when_absent
    return exact and bool(condition.values) and all(covers(pattern, value) for value in condition.values)


def _no_platform(condition: Condition) -> bool:
    turned = condition.operator == "stringnotequals" and not condition.over
    return turned and condition.key == "aws:resourcetag/tenant" and condition.values == ("_platform",)


def _functions(cell: str, names: tuple[str, ...] = FUNCTIONS) -> tuple[str, ...]:
    return tuple(f"arn:~:lambda:~:~:function:myflux-{cell}-{name}" for name in names)


def _function_roles(cell: str) -> tuple[str, ...]:
    return tuple(f"arn:~:iam::~:role/myflux-{cell}-{name}" for name in FUNCTIONS)


def _roles(cell: str) -> tuple[str, ...]:
    """Its own is not among them."""
    return (*_function_roles(cell), _runtime(cell), f"arn:~:iam::~:role/myflux-{cell}_*")


def _runtime(cell: str) -> str:
    return f"arn:~:iam::~:role/myflux-{cell}-runtime"


def _policy(cell: str, name: str) -> str:
    return f"arn:~:iam::~:policy/myflux-{cell}-{name}"


def _secrets(cell: str) -> tuple[str, ...]:
    return secrets(cell), *admin_secrets(cell)


def _demands(cell: str) -> Mapping[str, Mapping[str, str]]:
    """Action to the keys of a request that must be there, and the pattern of what they may be."""
    bounded = {"iam:PermissionsBoundary": _policy(cell, "boundary")}
    attached = bounded | {"iam:PolicyARN": _policy(cell, "read")}
    tagged = {"aws:ResourceTag/cell": cell}
    tried = {"kms:EncryptionContext:SecretVersionId": "RequestToValidateKeyAccess"}
    return {
        "iam:CreateRole": bounded,
        "iam:PutRolePermissionsBoundary": bounded,
        "iam:PutRolePolicy": bounded,
        "iam:DeleteRolePolicy": bounded,
        "iam:AttachRolePolicy": attached,
        "iam:DetachRolePolicy": attached,
        "iam:PassRole": {"iam:PassedToService": "lambda.amazonaws.com"},
        "kms:Decrypt": tried,
        "kms:GenerateDataKey": tried,
        "kms:TagResource": {"aws:RequestTag/cell": cell},
        "kms:EnableKeyRotation": tagged,
        "kms:UntagResource": tagged,
        "kms:UpdateKeyDescription": tagged,
        "kms:ScheduleKeyDeletion": tagged,
        "secretsmanager:PutResourcePolicy": {"secretsmanager:BlockPublicPolicy": "true"},
    }


def _on(service: str, actions: str, *places: str) -> tuple[Grant, ...]:
    named = tuple(f"{service}:{action}" for action in actions.split())
    return tuple(Grant(named, place) for place in places)


def _builds(cell: str) -> tuple[Grant, ...]:
    secrets_, roles, read = _secrets(cell), _roles(cell), _policy(cell, "read")
    unborn = tuple(one.removesuffix("-??????") for one in secrets_)
    aliases = (_ANY_KEY, f"arn:~:kms:~:~:alias/myflux/{cell}", f"arn:~:kms:~:~:alias/myflux/{cell}/*")
    rules, topic = _rules(cell), _topic(cell)
    return (
        *_on(
            "secretsmanager",
            "CancelRotateSecret DeleteSecret PutResourcePolicy RemoveRegionsFromReplication ReplicateSecretToRegions "
            "RestoreSecret RotateSecret StopReplicationToReplica UntagResource UpdateSecret",
            *secrets_,
        ),
        *_on("secretsmanager", "CreateSecret TagResource", *secrets_, *unborn),
        # AWS knows no resource for a key that is not made yet.
        *_on("kms", "CreateKey", "*"),
        *_on(
            "kms",
            "Decrypt EnableKeyRotation GenerateDataKey ScheduleKeyDeletion TagResource UntagResource "
            "UpdateKeyDescription",
            _ANY_KEY,
        ),
        *_on("kms", "CreateAlias DeleteAlias UpdateAlias", *aliases),
        *_on(
            "lambda",
            "AddPermission CreateFunction DeleteFunction DeleteFunctionConcurrency InvokeFunction "
            "PutFunctionConcurrency RemovePermission TagResource UntagResource UpdateFunctionCode "
            "UpdateFunctionConfiguration",
            *_functions(cell),
        ),
        *_on(
            "iam",
            "CreateRole DeleteRole DeleteRolePolicy PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole "
            "UpdateAssumeRolePolicy UpdateRole",
            *roles,
        ),
        *_on("iam", "AttachRolePolicy DetachRolePolicy", _runtime(cell)),
        *_on("iam", "PassRole", *_function_roles(cell)),
        *_on("iam", "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion TagPolicy UntagPolicy", read),
        *_on("events", "DeleteRule PutRule PutTargets RemoveTargets TagResource UntagResource", *rules),
        *_on("logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy TagResource UntagResource", *_logs(cell)),
        *_on("cloudwatch", "DeleteAlarms PutMetricAlarm TagResource UntagResource", _alarms(cell)),
        *_on("sns", "CreateTopic DeleteTopic SetTopicAttributes TagResource UntagResource", topic),
        *_on("sns", "Subscribe Unsubscribe", topic, f"{topic}:*"),
        *_on("sqs", "CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue", _queue(cell)),
    )


def _looks(cell: str) -> tuple[Grant, ...]:
    """The bucket and the key of the stacks' state are anybody's to choose, but must be named in full."""
    topic, role = _topic(cell), f"arn:~:iam::~:role/myflux-{cell}-deployer"
    policies = [_policy(cell, name) for name in ("read", "boundary", "deployer-looks")]
    return (
        *_on("cloudtrail", "LookupEvents", "*"),
        *_on("cloudwatch", "DescribeAlarms", "*"),
        *_on("kms", "ListAliases", "*"),
        *_on("logs", "DescribeLogGroups", "*"),
        *_on("secretsmanager", "DescribeSecret GetResourcePolicy ListSecretVersionIds", *_secrets(cell)),
        *_on("kms", "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags", _ANY_KEY),
        *_on(
            "iam",
            "GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies ListRoleTags",
            *_roles(cell),
            role,
        ),
        *_on("iam", "GetPolicy GetPolicyVersion ListPolicyTags ListPolicyVersions", *policies),
        *_on("logs", "ListTagsForResource", *_logs(cell)),
        *_on("sqs", "GetQueueAttributes GetQueueUrl ListQueueTags", _queue(cell)),
        *_on(
            "sns",
            "GetSubscriptionAttributes GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource",
            topic,
            f"{topic}:*",
        ),
        *_on(
            "lambda",
            "GetFunction GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration GetPolicy "
            "ListTags ListVersionsByFunction",
            *_functions(cell),
        ),
        *_on("lambda", "InvokeFunction", *_functions(cell, ("sweep",))),
        *_on("cloudwatch", "ListTagsForResource", _alarms(cell)),
        *_on("events", "DescribeRule ListTagsForResource ListTargetsByRule", *_rules(cell)),
        *_on("s3", "ListBucket", "arn:~:s3:::~"),
        *_on("s3", "DeleteObject GetObject PutObject", "arn:~:s3:::~/*"),
        # The key of the stacks' state, and those of secrets' copies.
        *_on("kms", "Decrypt Encrypt GenerateDataKey", "arn:~:kms:~:~:key/~"),
    )


def _rules(cell: str) -> tuple[str, ...]:
    return tuple(f"arn:~:events:~:~:rule/myflux-{cell}-{rule}" for rule in ("rotation-failed", "sweep", "admin-tidy"))


def _logs(cell: str) -> tuple[str, ...]:
    return tuple(f"arn:~:logs:~:~:log-group:/aws/lambda/myflux-{cell}-{name}" for name in FUNCTIONS)


def _alarms(cell: str) -> str:
    return f"arn:~:cloudwatch:~:~:alarm:myflux-{cell}-*"


def _topic(cell: str) -> str:
    return f"arn:~:sns:~:~:myflux-{cell}-alarms"


def _queue(cell: str) -> str:
    return f"arn:~:sqs:~:~:myflux-{cell}-dead-letters"
