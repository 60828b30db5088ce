"""Condition keys that requests fill, seen from outside: a policy that asks for the key lets in exactly what it should.

AWS: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.aws_iam.served import (
    ACCOUNT,
    AN_ALARM,
    Cell,
    allow,
    as_tags,
    deny,
    document,
    refusal,
    trust,
    unique,
    user_arn,
)
from tests.aws_iam.test_functions import create


def only_if(cell: Cell, action: str | list[str], condition: dict[str, Any], service: str = "secretsmanager") -> Any:
    """A client of a user who may do `action` under `condition` and nothing else."""
    _, session = cell.user([allow(action, Condition=condition)])
    return cell.client(session, service)


def test_the_staging_label_that_the_request_names(cell: Cell):
    condition = {"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}}
    secrets, arn = only_if(cell, "secretsmanager:GetSecretValue", condition), cell.secret()
    assert secrets.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"] == "a value"
    code, _ = refusal(lambda: secrets.get_secret_value(SecretId=arn, VersionStage="AWSPENDING"))
    assert code == "AccessDeniedException", "denied before Secrets Manager looks for the version"


def test_the_secret_by_its_arn_even_if_the_request_gives_its_name(cell: Cell):
    arn = cell.secret()
    secrets = only_if(cell, "secretsmanager:GetSecretValue", {"ArnEquals": {"secretsmanager:SecretId": arn}})
    name = secrets.get_secret_value(SecretId=arn)["Name"]
    assert secrets.get_secret_value(SecretId=name)["ARN"] == arn
    assert refusal(lambda: secrets.get_secret_value(SecretId=cell.secret()))[0] == "AccessDeniedException"


@pytest.mark.parametrize("prefix", ["secretsmanager", "aws"])
def test_the_resources_tags(cell: Cell, prefix: str):
    secrets = only_if(cell, "secretsmanager:DescribeSecret", {"StringEquals": {f"{prefix}:ResourceTag/team": "a"}})
    assert secrets.describe_secret(SecretId=cell.secret(tags={"team": "a"}))["Name"]
    for tags in ({"team": "b"}, {}):
        denied = cell.secret(tags=tags)
        assert refusal(lambda arn=denied: secrets.describe_secret(SecretId=arn))[0] == "AccessDeniedException"


def test_the_resources_tags_in_the_policy_on_the_resource_itself(cell: Cell):
    """The same statement on two secrets: what it does is decided by the tag of the secret that it sits on."""
    name, session = cell.user([allow("sts:GetCallerIdentity")])
    lets_in = allow(
        "secretsmanager:GetSecretValue",
        Principal={"AWS": user_arn(name)},
        Condition={"StringEquals": {"secretsmanager:ResourceTag/team": "a"}},
    )
    admin, secrets = cell.client("administrator", "secretsmanager"), cell.client(session, "secretsmanager")
    right, wrong, bare = (cell.secret(tags=tags) for tags in ({"team": "a"}, {"team": "b"}, {}))
    for arn in (right, wrong, bare):
        admin.put_resource_policy(SecretId=arn, ResourcePolicy=document(lets_in))
    assert secrets.get_secret_value(SecretId=right)["SecretString"] == "a value"
    for arn in (wrong, bare):
        assert refusal(lambda arn=arn: secrets.get_secret_value(SecretId=arn))[0] == "AccessDeniedException"


def test_the_resources_tags_in_a_session_policy(cell: Cell):
    reads = allow("secretsmanager:GetSecretValue")
    role = cell.role([trust({"AWS": user_arn("administrator")})], [reads])
    narrowed = document(reads | {"Condition": {"StringEquals": {"secretsmanager:ResourceTag/team": "a"}}})
    secrets = cell.client(cell.assume("administrator", role, Policy=narrowed), "secretsmanager")
    assert secrets.get_secret_value(SecretId=cell.secret(tags={"team": "a"}))["SecretString"] == "a value"
    denied = cell.secret(tags={"team": "b"})
    code, message = refusal(lambda: secrets.get_secret_value(SecretId=denied))
    assert code == "AccessDeniedException"
    assert "no session policy allows" in message, "the role itself reads both"


def test_a_deny_for_all_but_some_on_a_secret_spares_those_and_nobody_else(cell: Cell):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    name, session = cell.user([allow("secretsmanager:GetSecretValue")])
    root = f"arn:aws:iam::{ACCOUNT}:root"
    shut = deny("secretsmanager:GetSecretValue", NotPrincipal={"AWS": [user_arn(name), root]})
    arn, admin = cell.secret(), cell.client("administrator", "secretsmanager")
    admin.put_resource_policy(SecretId=arn, ResourcePolicy=document(shut))
    assert cell.client(session, "secretsmanager").get_secret_value(SecretId=arn)["SecretString"] == "a value"
    code, message = refusal(lambda: admin.get_secret_value(SecretId=arn))
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_the_tags_that_the_request_sets(cell: Cell):
    condition = {
        "StringEquals": {"aws:RequestTag/team": "a"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost"]},
    }
    secrets = only_if(cell, ["secretsmanager:CreateSecret", "secretsmanager:TagResource"], condition)
    make = secrets.create_secret
    assert make(Name=unique("tagged"), Tags=as_tags({"team": "a", "cost": "1"}))["ARN"]
    for tags in ({}, {"team": "b"}, {"team": "a", "other": "x"}):
        code, _ = refusal(lambda given=tags: make(Name=unique("tagged"), Tags=as_tags(given)))
        assert code == "AccessDeniedException"


def test_the_recovery_window_and_its_absence(cell: Cell):
    condition = {
        "NumericGreaterThanEquals": {"secretsmanager:RecoveryWindowInDays": "7"},
        "BoolIfExists": {"secretsmanager:ForceDeleteWithoutRecovery": "false"},
    }
    secrets = only_if(cell, "secretsmanager:DeleteSecret", condition)
    arn = cell.secret()
    assert refusal(lambda: secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True))[0] == (
        "AccessDeniedException"
    )
    assert secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=8)["ARN"] == arn


def test_a_resource_policy_must_block_the_public_where_the_key_says_so(cell: Cell):
    condition = {"Bool": {"secretsmanager:BlockPublicPolicy": "true"}}
    secrets, arn = only_if(cell, "secretsmanager:PutResourcePolicy", condition), cell.secret()
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",'
        '"Action":"secretsmanager:DeleteSecret","Resource":"*"}]}'
    )
    code, _ = refusal(lambda: secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy))
    assert code == "AccessDeniedException"
    assert secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy, BlockPublicPolicy=True)["ARN"] == arn


def test_the_principal_arn_of_a_session_is_its_roles(cell: Cell):
    """aws:PrincipalArn of a session holds the role's ARN, its path included, and never the session's."""
    name = unique("role")
    role = f"arn:aws:iam::{ACCOUNT}:role/team/{name}"
    made = cell.role(
        [trust({"AWS": user_arn("administrator")})],
        [allow("sqs:CreateQueue", Condition={"ArnEquals": {"aws:PrincipalArn": role}})],
        RoleName=name,
        Path="/team/",
    )
    assert made == role
    session = cell.assume("administrator", role)
    assert cell.client(session, "sqs").create_queue(QueueName=unique("q"))["QueueUrl"]


def test_a_session_arn_in_principal_arn_matches_nothing(cell: Cell):
    condition = {"ArnLike": {"aws:PrincipalArn": "arn:aws:sts::*:assumed-role/*"}}
    role = cell.role([trust({"AWS": user_arn("administrator")})], [allow("sqs:CreateQueue", Condition=condition)])
    sqs = cell.client(cell.assume("administrator", role), "sqs")
    assert refusal(lambda: sqs.create_queue(QueueName=unique("q")))[0] == "AccessDenied"


def test_the_principals_account_type_and_the_way_the_request_came(cell: Cell):
    condition = {
        "StringEquals": {
            "aws:PrincipalAccount": ACCOUNT,
            "aws:PrincipalType": "User",
            "aws:RequestedRegion": "us-east-1",
            "aws:ResourceAccount": ACCOUNT,
        },
        "Bool": {"aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false", "aws:SecureTransport": "false"},
        "IpAddress": {"aws:SourceIp": "127.0.0.0/8"},
        "Null": {"aws:CalledVia": "true", "aws:TokenIssueTime": "true"},
        "DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"},
    }
    assert only_if(cell, "secretsmanager:ListSecrets", condition).list_secrets()["SecretList"] is not None


def test_a_protocol_that_a_subscription_may_use(cell: Cell):
    topic = cell.client("administrator", "sns").create_topic(Name=unique("topic"))["TopicArn"]
    sns = only_if(cell, "sns:Subscribe", {"StringEquals": {"sns:Protocol": "sqs"}}, "sns")
    assert refusal(lambda: sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@b.example"))[0] == (
        "AuthorizationError"
    )


def test_a_role_must_carry_the_boundary_that_the_key_names(cell: Cell):
    """iam:PermissionsBoundary: the one asked for, or the one that the role already has. AWS does not list the key for a
    change of the trust, so a condition on it never holds there."""
    admin = cell.client("administrator", "iam")
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    boundary = admin.create_policy(PolicyName=unique("boundary"), PolicyDocument=document)["Policy"]["Arn"]
    condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    _, session = cell.user(
        [allow(["iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"], Condition=condition)]
    )
    iam = cell.client(session, "iam")
    name, trusted = unique("bound"), '{"Version":"2012-10-17","Statement":[]}'
    trusted = trusted.replace(
        "[]", '[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]'
    )
    assert refusal(lambda: iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted))[0] == "AccessDenied"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted, PermissionsBoundary=boundary)
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    assert refusal(lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=trusted))[0] == "AccessDenied"
    free = unique("free")
    admin.create_role(RoleName=free, AssumeRolePolicyDocument=trusted)
    assert refusal(lambda: iam.put_role_policy(RoleName=free, PolicyName="p", PolicyDocument=document))[0] == (
        "AccessDenied"
    )


def test_the_targets_and_the_events_of_a_rule(cell: Cell):
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html"""
    name = unique("rule")
    own, other = (f"arn:aws:sns:us-east-1:{ACCOUNT}:{topic}" for topic in ("own", "other"))
    source = {"StringEquals": {"events:source": "aws.secretsmanager", "events:detail-type": "AWS API Call"}}
    makes = only_if(cell, "events:PutRule", source, "events")
    pattern = {"source": ["aws.secretsmanager"], "detail-type": ["AWS API Call"]}
    for wrong in ({}, pattern | {"source": ["aws.ec2"]}, {"source": ["aws.secretsmanager"]}):
        given = json.dumps(wrong or {"account": [ACCOUNT]})
        code, _ = refusal(lambda g=given: makes.put_rule(Name=name, EventPattern=g))
        assert code == "AccessDeniedException"
    assert makes.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    targets = only_if(cell, "events:PutTargets", {"ForAllValues:ArnEquals": {"events:TargetArn": own}}, "events")
    assert targets.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": own}])["FailedEntryCount"] == 0
    two = [{"Id": "1", "Arn": own}, {"Id": "2", "Arn": other}]
    assert refusal(lambda: targets.put_targets(Rule=name, Targets=two))[0] == "AccessDeniedException"


def test_the_actions_of_an_alarm(cell: Cell):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html"""
    own, other = (f"arn:aws:sns:us-east-1:{ACCOUNT}:{topic}" for topic in ("own", "other"))
    condition = {"ForAllValues:StringEquals": {"cloudwatch:AlarmActions": own}}
    alarms = only_if(cell, "cloudwatch:PutMetricAlarm", condition, "cloudwatch")
    usual = {**AN_ALARM, "AlarmName": unique("alarm")}
    alarms.put_metric_alarm(**usual, AlarmActions=[own])
    code, _ = refusal(lambda: alarms.put_metric_alarm(**usual, AlarmActions=[own, other]))
    assert code == "AccessDeniedException"


def test_who_a_functions_policy_lets_in_and_how_its_address_is_called(cell: Cell):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html"""
    role = cell.role([trust({"Service": "lambda.amazonaws.com"})], [])
    function = create(cell.client("administrator", "lambda"), role).rpartition(":")[2]
    lets_in = only_if(cell, "lambda:AddPermission", {"StringEquals": {"lambda:Principal": ACCOUNT}}, "lambda")
    usual = {"FunctionName": function, "Action": "lambda:InvokeFunction"}
    code, _ = refusal(lambda: lets_in.add_permission(**usual, StatementId="a", Principal="*"))
    assert code == "AccessDeniedException"
    assert lets_in.add_permission(**usual, StatementId="b", Principal=ACCOUNT)["Statement"]
    signed = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    addresses = only_if(cell, "lambda:CreateFunctionUrlConfig", signed, "lambda")
    make = addresses.create_function_url_config
    assert refusal(lambda: make(FunctionName=function, AuthType="NONE"))[0] == "AccessDeniedException"
    assert make(FunctionName=function, AuthType="AWS_IAM")["FunctionUrl"]


@pytest.mark.parametrize("call", ["attach_role_policy", "detach_role_policy"])
def test_the_policy_that_is_attached(cell: Cell, call: str):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html"""
    admin = cell.client("administrator", "iam")
    right, wrong = (
        admin.create_policy(PolicyName=unique("p"), PolicyDocument=document(allow("sqs:ListQueues")))["Policy"]["Arn"]
        for _ in range(2)
    )
    name = cell.role([trust({"Service": "lambda.amazonaws.com"})], []).rpartition("/")[2]
    for policy in (right, wrong) if call == "detach_role_policy" else ():
        admin.attach_role_policy(RoleName=name, PolicyArn=policy)
    action = f"iam:{''.join(word.title() for word in call.split('_'))}"
    iam = only_if(cell, action, {"ArnEquals": {"iam:PolicyARN": right}}, "iam")
    assert refusal(lambda: getattr(iam, call)(RoleName=name, PolicyArn=wrong))[0] == "AccessDenied"
    getattr(iam, call)(RoleName=name, PolicyArn=right)
