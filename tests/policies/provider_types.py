"""What each type of the AWS provider can do to a resource of ours, of the services that ours are of.

Owns the table, and reading the types and their inputs from the installed `pulumi_aws`. A type is in the table if its
service has a resource of ours, or if it can name any service's resource. It is judged by rules, which are named; or it
is refused for ours, by `outside_types`; or it changes nothing of ours, for the reason given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pulumi_aws

from policies.guardrails.outside_types import CHANGERS

PACKAGE: Final = Path(pulumi_aws.__file__).parent
OF_OURS: Final = frozenset({"cloudwatch", "iam", "kms", "lambda", "s3", "secretsmanager", "sns", "sqs"})
"""The modules of the types that the program registers; a test compares them."""
PEOPLES: Final = "ssoadmin"
"""It gives people policies that are judged like any identity's."""
_GETTER: Final = re.compile(r'@pulumi\.getter(?:\(name="(\w+)"\))?\n(?:    @.*\n)*    def (\w+)\(')
_NAMES_ANY: Final = re.compile(
    r"(target)?[rR]esources?(Arn|Arns|Id|Identifier)?|targetArn|arn|secret(Arn|Id)(s|Lists)?|secretsManagerArn"
    r"|(lambdaF|f)unction(Arn|Name)|lambdaArn",
    re.ASCII,
)
"""Inputs that can hold the ARN or name of a resource of ours, in a type of another service."""


@cache
def types() -> Mapping[str, frozenset[str]]:
    """Every type of the installed provider with its inputs, by the provider's own names."""
    found: dict[str, frozenset[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        for type_ in re.findall(r"__self__\)\.__init__\(\s*'(aws:[^']+)'", text):
            found[type_] = frozenset(_inputs(text))
    return found


def _inputs(text: str) -> Iterator[str]:
    """The file has the class of the resource's arguments first."""
    (arguments, *_) = re.findall(r"^class \w+Args:\n(.*?)^(?:class|@pulumi)", text, re.DOTALL | re.MULTILINE)
    for renamed, method in _GETTER.findall(arguments):
        yield renamed or method


def module(type_: str) -> str:
    return file_of(type_).partition("/")[0]


def file_of(type_: str) -> str:
    return type_.split(":")[1]


def asked_about() -> frozenset[str]:
    """The types that must be in the table."""
    return frozenset(
        type_
        for type_, inputs in types().items()
        if module(type_) in {*OF_OURS, PEOPLES}
        or any(_NAMES_ANY.fullmatch(name) for name in inputs)
        or re.search(r"/\w*[tT]ag:", type_)
    )


JUDGED: Final[Mapping[str, str]] = {
    "aws:secretsmanager/secret:Secret": "secret-name-and-tags-agree",
    "aws:secretsmanager/secretPolicy:SecretPolicy": "secret-has-its-policy",
    "aws:secretsmanager/secretRotation:SecretRotation": "rotated-by-our-function",
    "aws:secretsmanager/secretVersion:SecretVersion": "no-secret-version",
    "aws:iam/accessKey:AccessKey": "no-credential-in-state",
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential": "no-credential-in-state",
    "aws:iam/userLoginProfile:UserLoginProfile": "no-credential-in-state",
    "aws:iam/virtualMfaDevice:VirtualMfaDevice": "no-credential-in-state",
    "aws:iam/groupPolicy:GroupPolicy": "tenant-secrets-read-by-ours-alone",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": "policies-attached-where-they-belong",
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive": "policies-attached-where-they-belong",
    "aws:iam/policy:Policy": "tenant-secrets-read-by-ours-alone",
    "aws:iam/policyAttachment:PolicyAttachment": "policies-attached-where-they-belong",
    "aws:iam/role:Role": "trust-names-its-principals",
    "aws:iam/rolePolicy:RolePolicy": "own-roles-narrow",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "policies-attached-where-they-belong",
    "aws:iam/userPolicy:UserPolicy": "tenant-secrets-read-by-ours-alone",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": "policies-attached-where-they-belong",
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": "policies-attached-where-they-belong",
    "aws:kms/grant:Grant": "kms-key-not-handed-on",
    "aws:kms/key:Key": "kms-key-kept",
    "aws:kms/keyPolicy:KeyPolicy": "kms-key-used-through-secrets-manager",
    "aws:lambda/function:Function": "functions-run-our-code",
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": "functions-are-bridled",
    "aws:lambda/functionUrl:FunctionUrl": "functions-called-by-ours-alone",
    "aws:lambda/invocation:Invocation": "projects-made-by-the-provisioner",
    "aws:lambda/permission:Permission": "functions-called-by-ours-alone",
    "aws:sns/topic:Topic": "alarms-topic-closed",
    "aws:sns/topicPolicy:TopicPolicy": "alarms-topic-closed",
    "aws:sns/topicSubscription:TopicSubscription": "alarms-topic-closed",
    "aws:sqs/queue:Queue": "alarms-topic-closed",
    "aws:sqs/queuePolicy:QueuePolicy": "alarms-topic-closed",
    "aws:cloudwatch/eventRule:EventRule": "functions-look-by-the-clock",
    "aws:cloudwatch/eventTarget:EventTarget": "failed-rotations-told",
    "aws:cloudwatch/logGroup:LogGroup": "functions-keep-their-logs",
    "aws:cloudwatch/logAccountPolicy:LogAccountPolicy": "logs-stay-in-the-account",
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": "logs-stay-in-the-account",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "alarms-ring",
    "aws:s3/bucket:Bucket": "declarations-closed",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "intake-closed",
    "aws:s3/bucketObjectv2:BucketObjectv2": "stack-of-one-tenant",
    "aws:s3/bucketPolicy:BucketPolicy": "declarations-closed",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "declarations-closed",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "declarations-closed",
    "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment": (
        "policies-attached-where-they-belong"
    ),
    "aws:ssoadmin/customerManagedPolicyAttachmentsExclusive:CustomerManagedPolicyAttachmentsExclusive": (
        "policies-attached-where-they-belong"
    ),
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment": "policies-attached-where-they-belong",
    "aws:ssoadmin/managedPolicyAttachmentsExclusive:ManagedPolicyAttachmentsExclusive": (
        "policies-attached-where-they-belong"
    ),
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy": "tenant-secrets-read-by-ours-alone",
}
"""Type to a rule that judges by its content what it does to ours."""

REFUSED: Final = frozenset(one.type for one in CHANGERS)

HARMLESS: Final[Mapping[str, tuple[str, ...]]] = {
    "it is of a user or group, whom no rule lets read secrets; a group's policies are judged where they are": (
        "iam/group", "iam/groupMembership", "iam/groupPoliciesExclusive", "iam/signingCertificate", "iam/sshKey",
        "iam/user", "iam/userGroupMembership", "iam/userPoliciesExclusive",
    ),
    "it is of the account as a whole, and grants nothing": (
        "iam/accountAlias", "iam/accountPasswordPolicy", "iam/organizationsFeatures",
        "iam/outboundWebIdentityFederation", "iam/securityTokenServicePreferences", "iam/serverCertificate",
        "cloudwatch/logStorageTierPolicy", "cloudwatch/otelEnrichment", "s3/accountPublicAccessBlock",
        "sns/smsPreferences",
    ),
    "who may assume a role stands in the role's trust policy, which is judged": (
        "iam/openIdConnectProvider", "iam/samlProvider", "iam/serviceLinkedRole",
        "cognito/identityPoolProviderPrincipalTag",
    ),
    "secrets and policies name a key by its ARN, so no alias leads them to another": ("kms/alias",),
    "it is a key of its own, or uses one as its caller may": (
        "kms/ciphertext", "kms/customKeyStore", "kms/externalKey",
    ),
    "it is a thing of its own, which our functions do not use: what they run is judged": (
        "lambda/capacityProvider", "lambda/codeSigningConfig", "lambda/coreNetworkConnector", "lambda/layerVersion",
        "lambda/layerVersionPermission", "lambda/microvmsImage", "s3/directoryBucket", "s3/filesAccessPoint",
        "s3/filesFileSystemPolicy", "s3/filesMountTarget", "s3/filesSynchronizationConfiguration", "s3/vectorsIndex",
        "s3/vectorsVectorBucket", "s3/vectorsVectorBucketPolicy",
    ),
    "it publishes to a topic as its policy lets it, which is judged": ("sns/platformApplication",),
    "it looks, or notifies, and changes nothing that it looks at": (
        "cloudwatch/compositeAlarm", "cloudwatch/contributorInsightRule", "cloudwatch/contributorManagedInsightRule",
        "cloudwatch/dashboard", "cloudwatch/internetMonitor", "s3/bucketMetric", "cloudwatch/logAnomalyDetector",
        "cloudwatch/logIndexPolicy", "cloudwatch/metricStream", "cloudwatch/queryDefinition",
        "cloudwatch/resourceMetricsConfiguration",
    ),
    "nobody can send an event whose source begins with `aws.`, which our rules demand, and none of ours sends events": (
        "cloudwatch/eventApiDestination", "cloudwatch/eventArchive", "cloudwatch/eventBus",
        "cloudwatch/eventBusPolicy", "cloudwatch/eventConnection", "cloudwatch/eventEndpoint",
        "cloudwatch/eventPermission",
    ),
    "it takes log events only where a filter, which is judged, sends them, or lets a service write some": (
        "cloudwatch/logDelivery", "cloudwatch/logDeliveryDestination",
        "cloudwatch/logDeliveryDestinationPolicy", "cloudwatch/logDeliverySource", "cloudwatch/logDestination",
        "cloudwatch/logDestinationPolicy", "cloudwatch/logResourcePolicy", "cloudwatch/logS3TableIntegrationSource",
        "cloudwatch/logStream",
    ),
    "it says which people have a permission set, whose policies are judged": (
        "ssoadmin/accountAssignment", "ssoadmin/application", "ssoadmin/applicationAccessScope",
        "ssoadmin/applicationAssignment", "ssoadmin/applicationAssignmentConfiguration",
        "ssoadmin/instanceAccessControlAttributes", "ssoadmin/permissionSet", "ssoadmin/permissionsBoundaryAttachment",
        "ssoadmin/region", "ssoadmin/trustedTokenIssuer",
    ),
    "its service takes ARNs or ids of its own kinds of resources, of which none is ours": (
        "acmpca/policy", "apigateway/integration", "apigateway/integrationResponse", "apigateway/method",
        "apigateway/methodResponse", "apigateway/vpcLink", "appconfig/extensionAssociation",
        "arczonalshift/zonalAutoshiftConfiguration", "autoscaling/tag", "backup/selection",
        "bedrock/agentcoreResourcePolicy", "codebuild/resourcePolicy", "codestarnotifications/notificationRule",
        "connect/phoneNumber", "costexplorer/costAllocationTag", "dms/replicationConfig", "dms/replicationTask",
        "dynamodb/resourcePolicy", "dynamodb/tag", "ec2/tag", "ecs/tag", "globalaccelerator/crossAccountAttachment",
        "inspector/assessmentTemplate", "kinesis/firehoseDeliveryStream", "kinesis/resourcePolicy", "kinesis/stream",
        "lakeformation/lfTag", "lakeformation/resource", "lakeformation/resourceLfTag", "licensemanager/association",
        "networkfirewall/resourcePolicy", "notifications/channelAssociation", "odb/iamRoleAssociation",
        "opensearchingest/resourcePolicy", "organizations/tag", "pinpoint/smsvoicev2ResourcePolicy",
        "pricingplanmanager/subscription", "ram/resourceAssociation", "ram/resourceShareAssociationsExclusive",
        "rds/clusterActivityStream", "rds/integration", "redshift/integration", "redshift/resourcePolicy",
        "redshiftserverless/resourcePolicy", "redshiftserverless/usageLimit", "route53/profilesAssociation",
        "route53/profilesResourceAssociation", "route53/resolverConfig", "route53/resolverDnsSecConfig",
        "route53/resolverFirewallConfig", "route53/resolverQueryLogConfigAssociation",
        "servicecatalog/budgetResourceAssociation", "servicecatalog/tagOptionResourceAssociation",
        "sesv2/tenantResourceAssociation", "shield/applicationLayerAutomaticResponse", "shield/protection",
        "ssm/parameter", "transfer/tag", "vpclattice/accessLogSubscription", "vpclattice/authPolicy",
        "vpclattice/resourcePolicy", "wafregional/webAclAssociation", "wafv2/webAclAssociation",
        "wafv2/webAclLoggingConfiguration",
    ),
    "it uses a secret or function as the policies of its caller or role allow, which are judged": (
        "cfg/organizationCustomRule", "directconnect/macsecKeyAssociation", "dms/endpoint", "redshiftdata/statement",
    ),
    "it lists resources, and changes none": (
        "resourcegroups/resource", "route53recoveryreadiness/resourceSet", "xray/samplingRule",
    ),
    "it scales a version or an alias of a function, and ours have none": (
        "appautoscaling/policy", "appautoscaling/scheduledAction", "appautoscaling/target",
    ),
}  # fmt: skip
"""Why a type changes nothing of ours, with the types, each by its module and file."""
