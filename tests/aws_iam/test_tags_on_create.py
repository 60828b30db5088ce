"""Who may create a thing may not tag it by that alone. Each case names the page of AWS that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, AN_ALARM, Cell, allow, as_tags, deny, document, refusal, trust, unique
from tests.aws_iam.test_functions import archive

TAGS = {"team": "a"}
TRUSTED = document(trust({"Service": "lambda.amazonaws.com"}))
ANYTHING = document(allow("sqs:ListQueues"))


@dataclass(frozen=True)
class Creation:
    """`call` takes a client, the tags' arguments and the ARN of a role that Lambda may assume."""

    service: str
    creates: str
    tags: str
    call: Callable[[Any, dict[str, Any], str], Any]
    given: dict[str, Any]
    source: str


_API = "https://docs.aws.amazon.com/"
_IAM = {"Tags": as_tags(TAGS)}
CREATIONS = {
    "a secret": Creation(
        "secretsmanager",
        "CreateSecret",
        "TagResource",
        lambda c, tags, _: c.create_secret(Name=unique("made"), **tags),
        {"Tags": as_tags(TAGS)},
        _API + "secretsmanager/latest/apireference/API_CreateSecret.html",
    ),
    "a key": Creation(
        "kms",
        "CreateKey",
        "TagResource",
        lambda c, tags, _: c.create_key(**tags),
        {"Tags": [{"TagKey": "team", "TagValue": "a"}]},
        _API + "kms/latest/APIReference/API_CreateKey.html",
    ),
    "a role": Creation(
        "iam",
        "CreateRole",
        "TagRole",
        lambda c, tags, _: c.create_role(RoleName=unique("made"), AssumeRolePolicyDocument=TRUSTED, **tags),
        _IAM,
        "https://github.com/openshift/installer/issues/1073",
    ),
    "a user": Creation(
        "iam",
        "CreateUser",
        "TagUser",
        lambda c, tags, _: c.create_user(UserName=unique("made"), **tags),
        _IAM,
        _API + "IAM/latest/UserGuide/id_tags_users.html",
    ),
    "a managed policy": Creation(
        "iam",
        "CreatePolicy",
        "TagPolicy",
        lambda c, tags, _: c.create_policy(PolicyName=unique("made"), PolicyDocument=ANYTHING, **tags),
        _IAM,
        _API + "IAM/latest/UserGuide/id_tags_customer-managed-policies.html",
    ),
    "an identity provider": Creation(
        "iam",
        "CreateOpenIDConnectProvider",
        "TagOpenIDConnectProvider",
        lambda c, tags, _: c.create_open_id_connect_provider(Url=f"https://{unique('made')}.example", **tags),
        _IAM,
        _API + "IAM/latest/UserGuide/id_tags_oidc.html",
    ),
    "a function": Creation(
        "lambda",
        "CreateFunction",
        "TagResource",
        lambda c, tags, role: c.create_function(
            FunctionName=unique("made"),
            Role=role,
            Runtime="python3.11",
            Handler="code.handler",
            Code={"ZipFile": archive()},
            **tags,
        ),
        {"Tags": TAGS},
        _API + "lambda/latest/dg/configuration-tags.html",
    ),
    "a topic": Creation(
        "sns",
        "CreateTopic",
        "TagResource",
        lambda c, tags, _: c.create_topic(Name=unique("made"), **tags),
        {"Tags": as_tags(TAGS)},
        _API + "sns/latest/api/API_CreateTopic.html",
    ),
    "a queue": Creation(
        "sqs",
        "CreateQueue",
        "TagQueue",
        lambda c, tags, _: c.create_queue(QueueName=unique("made"), **tags),
        {"tags": TAGS},
        _API + "AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html",
    ),
    "a rule": Creation(
        "events",
        "PutRule",
        "TagResource",
        lambda c, tags, _: c.put_rule(Name=unique("made"), ScheduleExpression="rate(1 day)", **tags),
        {"Tags": as_tags(TAGS)},
        _API + "eventbridge/latest/APIReference/API_PutRule.html",
    ),
    "a log group": Creation(
        "logs",
        "CreateLogGroup",
        "TagResource",
        lambda c, tags, _: c.create_log_group(logGroupName=unique("made"), **tags),
        {"tags": TAGS},
        _API + "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
    ),
    "an alarm": Creation(
        "cloudwatch",
        "PutMetricAlarm",
        "TagResource",
        lambda c, tags, _: c.put_metric_alarm(AlarmName=unique("made"), **AN_ALARM, **tags),
        {"Tags": as_tags(TAGS)},
        _API + "AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
    ),
    "a bucket": Creation(
        "s3",
        "CreateBucket",
        "TagResource",
        lambda c, tags, _: c.create_bucket(Bucket=unique("made"), **tags),
        {"CreateBucketConfiguration": {"Tags": as_tags(TAGS)}},
        _API + "AmazonS3/latest/API/API_CreateBucketConfiguration.html",
    ),
    "a table": Creation(
        "dynamodb",
        "CreateTable",
        "TagResource",
        lambda c, tags, _: c.create_table(
            TableName=unique("made"),
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **tags,
        ),
        {"Tags": as_tags(TAGS)},
        _API + "amazondynamodb/latest/developerguide/Tagging.Operations.html",
    ),
}


@pytest.fixture(scope="module")
def role(cell: Cell) -> str:
    return cell.role([trust({"Service": "lambda.amazonaws.com"})], [])


def client(cell: Cell, case: Creation, *statements: dict[str, Any]) -> Any:
    """A client of a user who may create the thing, pass roles and do what the statements say."""
    _, session = cell.user([allow([f"{case.service}:{case.creates}", "iam:PassRole"]), *statements])
    return cell.client(session, case.service)


@pytest.mark.parametrize("what", CREATIONS)
def test_tags_on_what_is_created_need_the_right_to_tag_it(cell: Cell, role: str, what: str):
    case = CREATIONS[what]
    tagging = f"{case.service}:{case.tags}"
    creates, tags_too = client(cell, case), client(cell, case, allow(tagging))
    code, message = refusal(lambda: case.call(creates, case.given, role))
    assert code in ("AccessDenied", "AccessDeniedException", "AuthorizationError"), case.source
    assert f"not authorized to perform: {tagging}" in message, case.source
    assert case.call(creates, {}, role), "without tags the right to create is enough"
    assert case.call(tags_too, case.given, role)


@pytest.mark.parametrize("what", CREATIONS)
def test_the_right_to_tag_sees_the_tags_of_the_creation(cell: Cell, role: str, what: str):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (aws:RequestTag)"""
    case = CREATIONS[what]
    tagging = f"{case.service}:{case.tags}"
    right, wrong = (
        client(cell, case, allow(tagging, Condition={"StringEquals": {"aws:RequestTag/team": team}}))
        for team in ("a", "b")
    )
    assert case.call(right, case.given, role)
    assert tagging in refusal(lambda: case.call(wrong, case.given, role))[1]


def test_either_right_to_tag_is_enough_for_a_log_group(cell: Cell, role: str):
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html (tags)"""
    case = CREATIONS["a log group"]
    assert case.call(client(cell, case, allow("logs:TagLogGroup")), case.given, role)


def test_tags_of_a_new_key_need_the_right_on_any_key(cell: Cell, role: str):
    """Its ARN is not known before: https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html"""
    case = CREATIONS["a key"]
    some = client(cell, case, allow("kms:TagResource", f"arn:aws:kms:*:{ACCOUNT}:key/1*"))
    every = client(cell, case, allow("kms:TagResource", f"arn:aws:kms:*:{ACCOUNT}:key/*"))
    assert "kms:TagResource" in refusal(lambda: case.call(some, case.given, role))[1]
    assert case.call(every, case.given, role)


def test_reading_a_tagged_function_needs_the_right_to_read_its_tags(cell: Cell, role: str):
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html ("Permissions required")"""
    made = CREATIONS["a function"]
    admin = cell.client("administrator", "lambda")
    tagged, bare = (made.call(admin, given, role)["FunctionName"] for given in (made.given, {}))
    _, session = cell.user([allow("lambda:GetFunction")])
    _, with_tags = cell.user([allow(["lambda:GetFunction", "lambda:ListTags"])])
    reads = cell.client(session, "lambda")
    assert "lambda:ListTags" in refusal(lambda: reads.get_function(FunctionName=tagged))[1]
    assert reads.get_function(FunctionName=bare)["Configuration"]
    assert cell.client(with_tags, "lambda").get_function(FunctionName=tagged)["Tags"] == TAGS


def test_a_deny_of_tags_stops_the_creation_too(cell: Cell):
    """An explicit deny wins:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html
    """
    _, session = cell.user([allow("secretsmanager:*"), deny("secretsmanager:TagResource")])
    secrets = cell.client(session, "secretsmanager")
    assert secrets.create_secret(Name=unique("made"))["ARN"]
    message = refusal(lambda: secrets.create_secret(Name=unique("made"), Tags=as_tags(TAGS)))[1]
    assert message.endswith("with an explicit deny in an identity-based policy")
