"""The documents of a pipeline's role are enough to make, change and end everything that the program makes, with its
tags and as the official provider calls it, and end at the cell's names.

Its calls: https://github.com/hashicorp/terraform-provider-aws, internal/service (iam/role.go, kms/key.go,
logs/group.go, secretsmanager/secret.go, sns/topic_subscription.go). What each needs: `test_tags_on_create`,
`test_resource_arns`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from components.iam.boundary import permissions_boundary
from components.iam.denied_sessions import ALL, POLICY, changed
from components.iam.deployer_permissions import deployer_beside, deployer_looks, deployer_permissions
from components.iam.grants import Deploys
from components.iam.resource import tenant_secret
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import FUNCTIONS, ROTATION
from tests.aws_iam.served import ACCOUNT, AN_ALARM, Cell, allow, as_tags, document, refusal, trust, unique, user_arn
from tests.aws_iam.test_functions import archive

NAMES = CellNames("pipe", ACCOUNT, "us-east-1", "aws")
OTHER = CellNames("pipes", ACCOUNT, "us-east-1", "aws")
TAGS = dict(NAMES.tags)
LISTED = as_tags(TAGS)
ANYTHING = document(allow("sqs:ListQueues"))
TRUSTED = document(trust({"Service": "lambda.amazonaws.com"}))
Pipeline = Callable[[str], Any]
"""A client of the role, by service."""


def pipeline(cell: Cell, deploys: Deploys) -> Pipeline:
    """Its documents of the stacks' resources are in managed and one inline policy, as `Deployer` attaches them."""
    iam = cell.client("administrator", "iam")
    written = deployer_permissions(NAMES, deploys)["Statement"]
    role = cell.role([trust({"AWS": user_arn("administrator")})], written)
    for statements in (deployer_looks(NAMES)["Statement"], deployer_beside(NAMES, deploys)):
        held = iam.create_policy(PolicyName=unique("held"), PolicyDocument=document(*statements))
        iam.attach_role_policy(RoleName=role.rpartition("/")[2], PolicyArn=held["Policy"]["Arn"])
    session: boto3.Session = cell.assume("administrator", role)
    return lambda service: cell.client(session, service)


@pytest.fixture(scope="module")
def everything(cell: Cell) -> Pipeline:
    boundary = document(*permissions_boundary(NAMES)["Statement"])
    cell.client("administrator", "iam").create_policy(PolicyName=NAMES.boundary_policy, PolicyDocument=boundary)
    return pipeline(cell, "everything")


@pytest.fixture(scope="module")
def tenants(cell: Cell) -> Pipeline:
    return pipeline(cell, "tenants")


def denied(call: Callable[..., Any], **given: Any) -> bool:
    return refusal(lambda: call(**given))[0] in ("AccessDenied", "AccessDeniedException", "AuthorizationError")


@pytest.mark.parametrize("deploys", ["tenants", "everything"])
def test_a_tenants_secret(tenants: Pipeline, everything: Pipeline, deploys: str):
    secrets = (tenants if deploys == "tenants" else everything)("secretsmanager")
    tenant = NAMES.tenant(unique("t"))
    tags, copies = as_tags(dict(tenant.tags)), [{"Region": "eu-west-1"}]
    assert denied(secrets.create_secret, Name=OTHER.tenant("acme").secret, Tags=tags)
    arn = secrets.create_secret(Name=tenant.secret, Description="d", Tags=tags, AddReplicaRegions=copies)["ARN"]
    secrets.describe_secret(SecretId=arn)
    secrets.update_secret(SecretId=arn, Description="e")
    policy = tenant_secret(
        tenant, reader_role=NAMES.runtime_role_arn, writers=[], deployers=[f"arn:aws:iam::{ACCOUNT}:*"], enabled=True
    )
    open_to_us = [one for one in policy["Statement"] if one["Sid"] != "OnlyDeployersGovern"]
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=document(*open_to_us), BlockPublicPolicy=True)
    secrets.get_resource_policy(SecretId=arn)
    secrets.tag_resource(SecretId=arn, Tags=as_tags({"more": "1"}))
    secrets.untag_resource(SecretId=arn, TagKeys=["more"])
    secrets.remove_regions_from_replication(SecretId=arn, RemoveReplicaRegions=["eu-west-1"])
    secrets.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=copies)
    secrets.remove_regions_from_replication(SecretId=arn, RemoveReplicaRegions=["eu-west-1"])
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)


def test_a_key_and_its_alias(everything: Pipeline):
    """AWS's own reference also lists kms:PutKeyPolicy for CreateKey, which the developer guide says it includes."""
    kms = everything("kms")
    tags = [{"TagKey": name, "TagValue": value} for name, value in TAGS.items()]
    assert denied(kms.create_key, Tags=[{"TagKey": "cell", "TagValue": "pipes"}])
    key = kms.create_key(Description="d", Tags=tags)["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key)
    kms.describe_key(KeyId=key)
    kms.get_key_policy(KeyId=key)
    kms.get_key_rotation_status(KeyId=key)
    kms.list_resource_tags(KeyId=key)
    kms.update_key_description(KeyId=key, Description="e")
    kms.create_alias(AliasName=NAMES.kms_alias, TargetKeyId=key)
    kms.list_aliases()
    kms.delete_alias(AliasName=NAMES.kms_alias)


@pytest.fixture(scope="module")
def role(everything: Pipeline) -> Iterator[str]:
    """A function's role, made as the program makes it."""
    iam = everything("iam")
    boundary = NAMES.policy_arn(NAMES.boundary_policy)
    given = {"AssumeRolePolicyDocument": TRUSTED, "Description": "d", "Tags": LISTED}
    name = NAMES.function_role_arn(ROTATION).rpartition("/")[2]
    assert denied(iam.create_role, RoleName=name, **given)
    assert denied(iam.create_role, RoleName=f"{OTHER.rotation_function}", PermissionsBoundary=boundary, **given)
    yield iam.create_role(RoleName=name, PermissionsBoundary=boundary, **given)["Role"]["Arn"]
    iam.list_instance_profiles_for_role(RoleName=name)
    iam.delete_role(RoleName=name)


def test_a_role_and_its_policies(everything: Pipeline, role: str):
    iam, name = everything("iam"), role.rpartition("/")[2]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=ANYTHING)
    iam.get_role(RoleName=name)
    iam.list_role_policies(RoleName=name)
    iam.get_role_policy(RoleName=name, PolicyName="p")
    iam.list_attached_role_policies(RoleName=name)
    iam.update_role_description(RoleName=name, Description="e")
    iam.update_role(RoleName=name, MaxSessionDuration=7200)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=TRUSTED)
    iam.tag_role(RoleName=name, Tags=as_tags({"more": "1"}))
    iam.untag_role(RoleName=name, TagKeys=["more"])
    iam.delete_role_policy(RoleName=name, PolicyName="p")


def test_the_runtime_role_is_ended_with_the_denials_that_a_command_left_on_it(everything: Pipeline, tenants: Pipeline):
    """They are no resource of a stack, so the provider must take them off, as `forceDetachPolicies` says. Who deploys
    tenants alone sees them, and changes nothing of the role."""
    iam, name = everything("iam"), NAMES.runtime_role
    boundary = NAMES.policy_arn(NAMES.boundary_policy)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUSTED, PermissionsBoundary=boundary, Tags=LISTED)
    denials = document(*changed(None, "acme", ALL, datetime.now(UTC))["Statement"])
    held = {"RoleName": name, "PolicyName": POLICY}
    theirs = tenants("iam")
    assert denied(theirs.put_role_policy, **held, PolicyDocument=denials)
    iam.put_role_policy(**held, PolicyDocument=denials)
    assert theirs.get_role_policy(**held)["PolicyName"] == POLICY
    assert denied(theirs.delete_role_policy, **held)
    assert refusal(lambda: iam.delete_role(RoleName=name))[0] == "DeleteConflict"
    for one in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=one)
    iam.delete_role(RoleName=name)


def test_the_policy_that_the_runtime_reads_with(everything: Pipeline):
    iam = everything("iam")
    assert denied(iam.create_policy, PolicyName=OTHER.read_policy, PolicyDocument=ANYTHING, Tags=LISTED)
    arn = iam.create_policy(PolicyName=NAMES.read_policy, PolicyDocument=ANYTHING, Tags=LISTED)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=ANYTHING, SetAsDefault=True)
    iam.list_policy_versions(PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)


def test_a_function_and_who_may_call_it(everything: Pipeline, role: str):
    functions, name = everything("lambda"), NAMES.rotation_function
    given = {
        "Role": role,
        "Runtime": "python3.11",
        "Handler": "code.handler",
        "Code": {"ZipFile": archive()},
        "Tags": TAGS,
    }
    assert denied(functions.create_function, FunctionName=OTHER.rotation_function, **given)
    arn = functions.create_function(FunctionName=name, **given)["FunctionArn"]
    functions.get_function(FunctionName=name)
    functions.list_versions_by_function(FunctionName=name)
    functions.get_function_code_signing_config(FunctionName=name)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    functions.update_function_configuration(FunctionName=name, Role=role, Timeout=9)
    functions.update_function_code(FunctionName=name, ZipFile=archive())
    functions.add_permission(
        FunctionName=name,
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=ACCOUNT,
    )
    functions.get_policy(FunctionName=name)
    functions.remove_permission(FunctionName=name, StatementId="s")
    functions.tag_resource(Resource=arn, Tags={"more": "1"})
    functions.delete_function(FunctionName=name)


def test_the_log_group_of_every_function(everything: Pipeline):
    logs = everything("logs")
    assert denied(logs.create_log_group, logGroupName=OTHER.log_group(OTHER.rotation_function), tags=TAGS)
    for group in [NAMES.log_group(NAMES.function(one)) for one in FUNCTIONS]:
        arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}"
        logs.create_log_group(logGroupName=group, tags=TAGS)
        logs.put_retention_policy(logGroupName=group, retentionInDays=30)
        logs.describe_log_groups(logGroupNamePrefix=group)
        logs.list_tags_for_resource(resourceArn=arn)
        logs.tag_resource(resourceArn=arn, tags={"more": "1"})
        logs.untag_resource(resourceArn=arn, tagKeys=["more"])
        logs.delete_log_group(logGroupName=group)


def test_the_bucket_of_declarations_and_the_dashboard(everything: Pipeline, tenants: Pipeline):
    """As the provider calls S3: the bucket with its settings, an object read back, and the end with all objects."""
    s3, cloudwatch, theirs = everything("s3"), everything("cloudwatch"), tenants("s3")
    bucket, key = NAMES.health_bucket, NAMES.tenant("acme").declaration
    assert denied(s3.create_bucket, Bucket=OTHER.health_bucket)
    assert denied(theirs.create_bucket, Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": LISTED})
    closed = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    s3.get_bucket_encryption(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=document(allow("s3:ListBucket", NAMES.health_bucket_arn)))
    s3.get_bucket_policy(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)

    theirs.put_object(Bucket=bucket, Key=key, Body=b"{}")
    theirs.head_object(Bucket=bucket, Key=key)
    theirs.get_object_tagging(Bucket=bucket, Key=key)
    s3.put_object(Bucket=bucket, Key="catalogue.json", Body=b"{}")
    assert denied(theirs.put_object, Bucket=bucket, Key="catalogue.json", Body=b"{}")
    for client in (s3, theirs):
        assert denied(client.put_object, Bucket=bucket, Key="health/state.json", Body=b"{}"), "what is remembered"
        assert denied(client.get_object, Bucket=bucket, Key="health/state.json")
    theirs.delete_object(Bucket=bucket, Key=key)
    assert refusal(lambda: theirs.head_object(Bucket=bucket, Key=key))[0] == "404", "not 403, which is no answer"
    assert denied(theirs.delete_object, Bucket=bucket, Key="catalogue.json")
    for one in s3.list_object_versions(Bucket=bucket).get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    s3.delete_bucket(Bucket=bucket)

    assert denied(cloudwatch.put_dashboard, DashboardName=OTHER.dashboard, DashboardBody='{"widgets": []}')
    cloudwatch.put_dashboard(DashboardName=NAMES.dashboard, DashboardBody='{"widgets": []}')
    cloudwatch.get_dashboard(DashboardName=NAMES.dashboard)
    cloudwatch.delete_dashboards(DashboardNames=[NAMES.dashboard])


def test_the_alarms_way(everything: Pipeline):
    """Topic, subscription, queue, rule and alarm."""
    sns, sqs, events, cloudwatch = (everything(one) for one in ("sns", "sqs", "events", "cloudwatch"))
    rule, alarm = NAMES.rotation_failed_rule, NAMES.alarm("x")
    watches = {**AN_ALARM, "Tags": LISTED}
    daily = {"ScheduleExpression": "rate(1 day)", "Tags": LISTED}
    assert denied(sns.create_topic, Name=OTHER.alarm_topic, Tags=LISTED)
    assert denied(sqs.create_queue, QueueName=OTHER.dead_letter_queue, tags=TAGS)
    assert denied(events.put_rule, Name=OTHER.rotation_failed_rule, **daily)
    assert denied(cloudwatch.put_metric_alarm, AlarmName=OTHER.alarm("x"), **watches)
    queue = sqs.create_queue(QueueName=NAMES.dead_letter_queue, tags=TAGS)["QueueUrl"]
    sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
    sqs.list_queue_tags(QueueUrl=queue)
    topic = sns.create_topic(Name=NAMES.alarm_topic, Tags=LISTED)["TopicArn"]
    endpoint = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{NAMES.dead_letter_queue}"
    one = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint)["SubscriptionArn"]
    sns.get_subscription_attributes(SubscriptionArn=one)
    sns.get_topic_attributes(TopicArn=topic)
    sns.list_tags_for_resource(ResourceArn=topic)
    events.put_rule(Name=rule, **daily)
    events.put_targets(Rule=rule, Targets=[{"Id": "t", "Arn": topic}])
    events.list_targets_by_rule(Rule=rule)
    cloudwatch.put_metric_alarm(AlarmName=alarm, AlarmActions=[topic], **watches)
    cloudwatch.describe_alarms(AlarmNames=[alarm])
    cloudwatch.delete_alarms(AlarmNames=[alarm])
    events.remove_targets(Rule=rule, Ids=["t"])
    events.delete_rule(Name=rule)
    sns.unsubscribe(SubscriptionArn=one)
    sns.delete_topic(TopicArn=topic)
    sqs.delete_queue(QueueUrl=queue)
