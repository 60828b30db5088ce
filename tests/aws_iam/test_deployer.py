"""The deployer's rights cover what `pulumi up`, `refresh` and `destroy` call for every resource type in use, and end at
the names that aren't the project's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, as_tags, document, refusal, trust, unique
from tests.aws_iam.test_functions import archive

OURS = as_tags({"managed-by": "myflux-keys"})


def test_secrets_and_their_policy(cell: Cell):
    secrets = cell.client("deployer", "secretsmanager")
    arn = secrets.create_secret(Name=unique("myflux/local/t"), Tags=OURS)["ARN"]
    secrets.put_resource_policy(
        SecretId=arn,
        ResourcePolicy=document(
            {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
        ),
        BlockPublicPolicy=True,
    )
    secrets.get_resource_policy(SecretId=arn)
    secrets.describe_secret(SecretId=arn)
    secrets.update_secret(SecretId=arn, Description="d")
    secrets.tag_resource(SecretId=arn, Tags=as_tags({"a": "1"}))
    secrets.untag_resource(SecretId=arn, TagKeys=["a"])
    secrets.delete_resource_policy(SecretId=arn)
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    secrets.restore_secret(SecretId=arn)


def test_keys_and_aliases(cell: Cell):
    kms, alias = cell.client("deployer", "kms"), f"alias/myflux/{unique('x')}"
    key = kms.create_key(Tags=[{"TagKey": "managed-by", "TagValue": "myflux-keys"}])["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key)
    kms.get_key_rotation_status(KeyId=key)
    kms.put_key_policy(KeyId=key, Policy=kms.get_key_policy(KeyId=key)["Policy"])
    kms.list_resource_tags(KeyId=key)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "1"}])
    kms.untag_resource(KeyId=key, TagKeys=["a"])
    kms.update_key_description(KeyId=key, Description="d")
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    kms.describe_key(KeyId=alias)
    kms.list_aliases()
    kms.update_alias(AliasName=alias, TargetKeyId=key)
    kms.delete_alias(AliasName=alias)
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    kms.disable_key_rotation(KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


def test_roles_and_policies(cell: Cell):
    iam, name = cell.client("deployer", "iam"), unique("myflux-role")
    trusted = document(trust({"Service": "lambda.amazonaws.com"}))
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted, Tags=OURS)
    iam.get_role(RoleName=name)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusted)
    iam.update_role(RoleName=name, MaxSessionDuration=7200)
    iam.tag_role(RoleName=name, Tags=as_tags({"a": "1"}))
    iam.list_role_tags(RoleName=name)
    iam.untag_role(RoleName=name, TagKeys=["a"])
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(allow("sqs:ListQueues")))
    iam.get_role_policy(RoleName=name, PolicyName="p")
    iam.list_role_policies(RoleName=name)
    made = iam.create_policy(PolicyName=unique("myflux-p"), PolicyDocument=document(allow("sqs:ListQueues")), Tags=OURS)
    policy = made["Policy"]["Arn"]
    iam.get_policy(PolicyArn=policy)
    iam.get_policy_version(PolicyArn=policy, VersionId="v1")
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document(allow("sqs:*")), SetAsDefault=True)
    iam.list_policy_versions(PolicyArn=policy)
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=policy)
    iam.delete_role_permissions_boundary(RoleName=name)
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    iam.list_attached_role_policies(RoleName=name)
    iam.list_entities_for_policy(PolicyArn=policy)
    iam.detach_role_policy(RoleName=name, PolicyArn=policy)
    iam.delete_policy(PolicyArn=policy)
    iam.list_instance_profiles_for_role(RoleName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="p")
    iam.delete_role(RoleName=name)


def test_functions_and_their_permissions(cell: Cell):
    role = cell.role([trust({"Service": "lambda.amazonaws.com"})], [], RoleName=unique("myflux-role"))
    client, name = cell.client("deployer", "lambda"), unique("myflux-function")
    arn = client.create_function(
        FunctionName=name, Role=role, Runtime="python3.11", Handler="code.handler", Code={"ZipFile": archive()}
    )["FunctionArn"]
    client.get_function(FunctionName=name)
    client.get_function_configuration(FunctionName=name)
    client.update_function_code(FunctionName=name, ZipFile=archive())
    client.update_function_configuration(FunctionName=name, Role=role, Timeout=9)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    client.get_function_concurrency(FunctionName=name)
    client.delete_function_concurrency(FunctionName=name)
    client.get_function_code_signing_config(FunctionName=name)
    client.list_versions_by_function(FunctionName=name)
    client.publish_version(FunctionName=name)
    client.add_permission(
        FunctionName=name,
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=ACCOUNT,
    )
    client.get_policy(FunctionName=name)
    client.remove_permission(FunctionName=name, StatementId="s")
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    client.get_function_event_invoke_config(FunctionName=name)
    client.delete_function_event_invoke_config(FunctionName=name)
    client.tag_resource(Resource=arn, Tags={"a": "1"})
    client.list_tags(Resource=arn)
    client.untag_resource(Resource=arn, TagKeys=["a"])
    client.delete_function(FunctionName=name)


def test_log_groups(cell: Cell):
    logs, name = cell.client("deployer", "logs"), f"/aws/lambda/{unique('myflux')}"
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"
    logs.create_log_group(logGroupName=name, tags={"managed-by": "myflux-keys"})
    logs.put_retention_policy(logGroupName=name, retentionInDays=30)
    logs.describe_log_groups(logGroupNamePrefix=name)
    logs.list_tags_for_resource(resourceArn=arn)
    logs.tag_resource(resourceArn=arn, tags={"a": "1"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    logs.delete_retention_policy(logGroupName=name)
    logs.delete_log_group(logGroupName=name)


def test_queues(cell: Cell):
    sqs = cell.client("deployer", "sqs")
    name = unique("myflux-queue")
    url = sqs.create_queue(QueueName=name, tags={"managed-by": "myflux-keys"})["QueueUrl"]
    sqs.get_queue_url(QueueName=name)
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1"})
    sqs.list_queue_tags(QueueUrl=url)
    sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
    sqs.delete_queue(QueueUrl=url)


def test_topics_and_subscriptions(cell: Cell):
    sns, name = cell.client("deployer", "sns"), unique("myflux-topic")
    queue = cell.client("deployer", "sqs").create_queue(QueueName=unique("myflux-queue"))["QueueUrl"]
    endpoint = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue.rpartition('/')[2]}"
    arn = sns.create_topic(Name=name, Tags=OURS)["TopicArn"]
    sns.get_topic_attributes(TopicArn=arn)
    sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="d")
    sns.list_tags_for_resource(ResourceArn=arn)
    sns.tag_resource(ResourceArn=arn, Tags=as_tags({"a": "1"}))
    sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
    subscription = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint)["SubscriptionArn"]
    sns.get_subscription_attributes(SubscriptionArn=subscription)
    sns.list_subscriptions_by_topic(TopicArn=arn)
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.delete_topic(TopicArn=arn)


def test_alarms(cell: Cell):
    cloudwatch, name = cell.client("deployer", "cloudwatch"), unique("myflux-alarm")
    arn = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{name}"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="Errors",
        Namespace="AWS/Lambda",
        Period=60,
        Statistic="Sum",
        Threshold=0,
        Tags=OURS,
    )
    cloudwatch.describe_alarms(AlarmNames=[name])
    cloudwatch.list_tags_for_resource(ResourceARN=arn)
    cloudwatch.tag_resource(ResourceARN=arn, Tags=as_tags({"a": "1"}))
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["a"])
    cloudwatch.delete_alarms(AlarmNames=[name])


def test_rules_and_targets(cell: Cell):
    events, name = cell.client("deployer", "events"), unique("myflux-rule")
    arn = events.put_rule(Name=name, ScheduleExpression="rate(1 day)", Tags=OURS)["RuleArn"]
    events.describe_rule(Name=name)
    events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:myflux-x"}])
    events.list_targets_by_rule(Rule=name)
    events.list_tags_for_resource(ResourceARN=arn)
    events.tag_resource(ResourceARN=arn, Tags=as_tags({"a": "1"}))
    events.untag_resource(ResourceARN=arn, TagKeys=["a"])
    events.disable_rule(Name=name)
    events.enable_rule(Name=name)
    events.remove_targets(Rule=name, Ids=["t"])
    events.delete_rule(Name=name)


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("secretsmanager", "create_secret", {"Name": "payroll/x"}),
        ("iam", "create_role", {"RoleName": "payroll", "AssumeRolePolicyDocument": "{}"}),
        ("iam", "create_user", {"UserName": "myflux-user"}),
        ("iam", "create_access_key", {"UserName": "administrator"}),
        ("sqs", "create_queue", {"QueueName": "payroll"}),
        ("sns", "create_topic", {"Name": "payroll"}),
        ("events", "put_rule", {"Name": "payroll", "ScheduleExpression": "rate(1 day)"}),
        ("logs", "create_log_group", {"logGroupName": "/aws/lambda/payroll"}),
        ("cloudwatch", "delete_alarms", {"AlarmNames": ["payroll"]}),
        ("cloudwatch", "delete_alarms", {"AlarmNames": ["myflux-x", "payroll"]}),
        ("lambda", "invoke", {"FunctionName": "payroll"}),
        ("s3", "list_buckets", {}),
        ("cloudtrail", "create_trail", {"Name": "payroll", "S3BucketName": "payroll"}),
    ],
)
def test_what_is_not_the_projects_is_out_of_reach(cell: Cell, service: str, call: str, arguments: dict[str, Any]):
    code, _ = refusal(lambda: getattr(cell.client("deployer", service), call)(**arguments))
    assert code in ("AccessDenied", "AccessDeniedException", "AuthorizationError")


def test_making_a_role_does_not_let_the_deployer_become_it(cell: Cell):
    name = unique("myflux-role")
    trusted = document(trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/deployer"}))
    role = cell.client("deployer", "iam").create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    assert refusal(lambda: cell.assume("deployer", role))[0] == "AccessDenied"
