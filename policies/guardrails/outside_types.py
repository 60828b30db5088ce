"""The types of resources that change a resource of ours from outside, though no rule judges what they ask for.

Owns the table. Leaves out finding such resources (`outside`), and the types that a rule judges by their content:
policies, attachments, rotations, permissions, grants, targets. components/ uses none of the types here. A test compares
the table with the types of the installed AWS provider, so that a new version's new type is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from . import ownership

EVENT_RULE: Final = "aws:cloudwatch/eventRule:EventRule"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
METRIC_FILTER: Final = "aws:cloudwatch/logMetricFilter:LogMetricFilter"


@dataclass(frozen=True)
class Changer:
    """`path` leads to the property that names what is changed, which is of type `of`; `does` says what it does."""

    type: str
    path: tuple[str, ...]
    of: str
    does: str


_BESIDE: Final = "changes the bucket of declarations, or its objects, beside its own settings"
_OF_A_BUCKET: Final = (
    *(
        f"{one}{version}"
        for version in ("", "V2")
        for one in (
            "BucketAccelerateConfiguration",
            "BucketAcl",
            "BucketCorsConfiguration",
            "BucketLifecycleConfiguration",
            "BucketLogging",
            "BucketObjectLockConfiguration",
            "BucketRequestPaymentConfiguration",
            "BucketVersioning",
            "BucketWebsiteConfiguration",
        )
    ),
    "AccessPoint",
    "AnalyticsConfiguration",
    "BucketAbac",
    "BucketIntelligentTieringConfiguration",
    "BucketMetadataConfiguration",
    "BucketNotification",
    "BucketObject",
    "BucketOwnershipControls",
    "BucketReplicationConfig",
    "BucketServerSideEncryptionConfigurationV2",
    "BucketV2",
    "FilesFileSystem",
    "Inventory",
    "ObjectCopy",
)

CHANGERS: Final = (
    Changer(
        "aws:secretsmanager/tag:Tag",
        ("secretId",),
        ownership.A_SECRET,
        "sets a tag of our secret, whatever the secret's own tags say",
    ),
    Changer(
        "aws:msk/scramSecretAssociation:ScramSecretAssociation",
        ("secretArnLists",),
        ownership.A_SECRET,
        "lets Amazon MSK attach a policy to our secret",
    ),
    Changer(
        "aws:msk/singleScramSecretAssociation:SingleScramSecretAssociation",
        ("secretArn",),
        ownership.A_SECRET,
        "lets Amazon MSK attach a policy to our secret",
    ),
    Changer(
        "aws:kms/replicaKey:ReplicaKey",
        ("primaryKeyArn",),
        ownership.KEY,
        "copies our KMS key to another Region, under a policy of its own",
    ),
    Changer(
        "aws:kms/replicaExternalKey:ReplicaExternalKey",
        ("primaryKeyArn",),
        ownership.KEY,
        "copies our KMS key to another Region, under a policy of its own",
    ),
    Changer(
        "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",
        ("roleName",),
        ownership.ROLE,
        "deletes the inline policies of our role that it does not name",
    ),
    Changer(
        "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
        ("roleName",),
        ownership.ROLE,
        "detaches the policies of our role that it does not name",
    ),
    Changer(
        "aws:iam/instanceProfile:InstanceProfile",
        ("role",),
        ownership.ROLE,
        "gives our role to virtual machines",
    ),
    Changer(
        "aws:lambda/resourcePolicy:ResourcePolicy",
        ("resourceArn",),
        ownership.FUNCTION,
        "replaces the policy that says who may call our function",
    ),
    Changer(
        "aws:connect/lambdaFunctionAssociation:LambdaFunctionAssociation",
        ("functionArn",),
        ownership.FUNCTION,
        "lets Amazon Connect call our function",
    ),
    Changer(
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        ("functionName",),
        ownership.FUNCTION,
        "calls our function with events of a queue or stream",
    ),
    Changer(
        "aws:lambda/alias:Alias",
        ("functionName",),
        ownership.FUNCTION,
        "keeps an earlier version of our function callable",
    ),
    Changer(
        "aws:lambda/functionRecursionConfig:FunctionRecursionConfig",
        ("functionName",),
        ownership.FUNCTION,
        "decides whether Lambda stops our function when it calls itself",
    ),
    Changer(
        "aws:lambda/functionScalingConfig:FunctionScalingConfig",
        ("functionName",),
        ownership.FUNCTION,
        "changes how many copies of our function run",
    ),
    Changer(
        "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
        ("functionName",),
        ownership.FUNCTION,
        "changes how many copies of our function run",
    ),
    Changer(
        "aws:lambda/runtimeManagementConfig:RuntimeManagementConfig",
        ("functionName",),
        ownership.FUNCTION,
        "can keep our function on a version of its runtime that gets no security updates",
    ),
    Changer(
        "aws:sns/dataProtectionPolicy:DataProtectionPolicy",
        ("arn",),
        ownership.TOPIC,
        "can mask or refuse the messages of our topic",
    ),
    Changer(
        "aws:sqs/redrivePolicy:RedrivePolicy",
        ("queueUrl",),
        ownership.QUEUE,
        "moves the messages of our queue to another queue",
    ),
    Changer(
        "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
        ("queueUrl",),
        ownership.QUEUE,
        "decides which other queues move their messages to our queue",
    ),
    Changer(
        "aws:cloudwatch/alarmMuteRule:AlarmMuteRule",
        ("muteTargets", "alarmNames"),
        ALARM,
        "keeps our alarms from notifying anybody",
    ),
    Changer(
        "aws:cloudwatch/logDataProtectionPolicy:LogDataProtectionPolicy",
        ("logGroupName",),
        LOG_GROUP,
        "can mask what our function logs",
    ),
    Changer(
        "aws:cloudwatch/logTransformer:LogTransformer",
        ("logGroupArn",),
        LOG_GROUP,
        "can rewrite what our function logs",
    ),
    Changer(METRIC_FILTER, ("logGroupName",), LOG_GROUP, "makes metrics of what our function logs"),
    *(
        Changer(f"aws:s3/{one[0].lower()}{one[1:]}:{one}", ("bucket",), ownership.BUCKET, _BESIDE)
        for one in _OF_A_BUCKET
    ),
)

OVERWRITES: Final = {
    ownership.RESOURCE_POLICY: ("secretArn", ownership.A_SECRET, ""),
    ownership.ROTATION: ("secretId", ownership.A_SECRET, ""),
    "aws:iam/rolePolicy:RolePolicy": ("role", ownership.ROLE, "name"),
    "aws:sns/topicPolicy:TopicPolicy": ("arn", ownership.TOPIC, ""),
    "aws:sqs/queuePolicy:QueuePolicy": ("queueUrl", ownership.QUEUE, ""),
    "aws:cloudwatch/eventTarget:EventTarget": ("rule", EVENT_RULE, "targetId"),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("bucket", ownership.BUCKET, ""),
    "aws:s3/bucketObjectv2:BucketObjectv2": ("bucket", ownership.BUCKET, "key"),
    "aws:s3/bucketPolicy:BucketPolicy": ("bucket", ownership.BUCKET, ""),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("bucket", ownership.BUCKET, ""),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "bucket",
        ownership.BUCKET,
        "",
    ),
}
"""Types of which AWS keeps one for the resource that the first property names and, if there is one, the id in the last:
of two, the one that is written later overwrites the other."""

SUBJECTS: Final = (
    ("aws:iam/rolePolicy:RolePolicy", "role", ownership.ROLE),
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "role", ownership.ROLE),
    ("aws:iam/policyAttachment:PolicyAttachment", "roles", ownership.ROLE),
    ("aws:sns/topicPolicy:TopicPolicy", "arn", ownership.TOPIC),
    ("aws:sns/topicSubscription:TopicSubscription", "topic", ownership.TOPIC),
    ("aws:sqs/queuePolicy:QueuePolicy", "queueUrl", ownership.QUEUE),
    ("aws:cloudwatch/eventTarget:EventTarget", "rule", EVENT_RULE),
    ("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "functionName", ownership.FUNCTION),
)
"""Types that rules judge if they are for a resource of ours, and otherwise leave alone: the property that names it."""
