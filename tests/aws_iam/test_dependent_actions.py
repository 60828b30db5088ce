"""Rights for what a call implies, next to tags: replicas, a role to pass, a service-linked role, an S3 header.

AWS: the column "Dependent actions" of
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
and each operation's own reference, which the tests name.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, document, refusal, trust, unique
from tests.aws_iam.test_functions import archive


def test_a_secret_that_is_made_with_replicas_needs_the_right_to_replicate(cell: Cell):
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html ("Required permissions")"""
    replicas = [{"Region": "eu-west-1"}]
    once, far = (
        {"StringEquals": {"secretsmanager:AddReplicaRegions": "eu-west-1"}},
        {"StringEquals": {"secretsmanager:AddReplicaRegions": "us-west-2"}},
    )
    for allowed, statements in (
        (False, []),
        (True, [allow("secretsmanager:ReplicateSecretToRegions")]),
        (True, [allow("secretsmanager:ReplicateSecretToRegions", Condition=once)]),
        (False, [allow("secretsmanager:ReplicateSecretToRegions", Condition=far)]),
    ):
        _, session = cell.user([allow("secretsmanager:CreateSecret"), *statements])
        secrets = cell.client(session, "secretsmanager")

        def make(secrets: Any = secrets) -> Any:
            return secrets.create_secret(Name=unique("made"), SecretString="v", AddReplicaRegions=replicas)

        if allowed:
            assert make()["ReplicationStatus"]
        else:
            assert "secretsmanager:ReplicateSecretToRegions" in refusal(make)[1]


def test_a_multi_region_key_needs_the_right_to_make_its_service_linked_role(cell: Cell):
    """https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-auth.html"""
    only = {"StringEquals": {"iam:AWSServiceName": "mrk.kms.amazonaws.com"}}
    _, bare = cell.user([allow("kms:CreateKey")])
    _, whole = cell.user([allow("kms:CreateKey"), allow("iam:CreateServiceLinkedRole", Condition=only)])
    message = refusal(lambda: cell.client(bare, "kms").create_key(MultiRegion=True))[1]
    assert "iam:CreateServiceLinkedRole" in message
    assert cell.client(bare, "kms").create_key()
    assert cell.client(whole, "kms").create_key(MultiRegion=True)["KeyMetadata"]["MultiRegion"]


def test_a_key_with_a_policy_of_its_own_needs_no_right_to_put_one(cell: Cell):
    """https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies.html: kms:CreateKey includes it. The policy
    must still let its author change it, or be made with BypassPolicyLockoutSafetyCheck."""
    _, session = cell.user([allow("kms:CreateKey")])
    policy = document(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
    kms = cell.client(session, "kms")
    assert kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
    assert refusal(lambda: kms.create_key(Policy=policy))[0] == "MalformedPolicyDocumentException"


def test_a_role_for_a_topics_delivery_logs_must_be_passed(cell: Cell):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html"""
    logs = cell.role([trust({"Service": "sns.amazonaws.com"})], [])
    to_sns = {"StringEquals": {"iam:PassedToService": "sns.amazonaws.com"}}
    given = {"LambdaSuccessFeedbackRoleArn": logs}
    rights = allow(["sns:CreateTopic", "sns:SetTopicAttributes"])
    _, bare = cell.user([rights])
    _, whole = cell.user([rights, allow("iam:PassRole", Condition=to_sns)])
    without, with_role = cell.client(bare, "sns"), cell.client(whole, "sns")
    assert "iam:PassRole" in refusal(lambda: without.create_topic(Name=unique("t"), Attributes=given))[1]
    topic = with_role.create_topic(Name=unique("t"), Attributes=given)["TopicArn"]
    ((name, value),) = given.items()
    change = {"TopicArn": topic, "AttributeName": name, "AttributeValue": value}
    assert "iam:PassRole" in refusal(lambda: without.set_topic_attributes(**change))[1]
    with_role.set_topic_attributes(**change)
    without.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="d")


def test_headers_of_a_new_bucket_and_object_need_their_own_rights(cell: Cell):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html and API_PutObject.html ("Permissions")"""
    _, session = cell.user([allow(["s3:CreateBucket", "s3:PutObject"])])
    _, whole = cell.user([allow("s3:*")])
    s3, every = cell.client(session, "s3"), cell.client(whole, "s3")
    held = unique("made")
    s3.create_bucket(Bucket=held)
    s3.put_object(Bucket=held, Key="k", Body=b"x")
    for call, asked, needed in (
        ("create_bucket", {"ObjectOwnership": "BucketOwnerEnforced"}, "s3:PutBucketOwnershipControls"),
        ("create_bucket", {"ObjectLockEnabledForBucket": True}, "s3:PutBucketObjectLockConfiguration"),
        ("put_object", {"Tagging": "team=a"}, "s3:PutObjectTagging"),
    ):
        place = {"Bucket": held, "Key": "k", "Body": b"x"} if call == "put_object" else {"Bucket": unique("made")}
        denied = refusal(lambda c=call, p=place, a=asked: getattr(s3, c)(**p, **a))
        assert denied[0] == "AccessDenied", needed
        assert needed in denied[1]
        getattr(every, call)(**place, **asked)


@pytest.mark.parametrize(
    ("service", "action", "said"),
    [("sqs", "sqs:SendMessage", "SendMessage on SQS"), ("sns", "sns:Publish", "Publish on SNS")],
)
def test_a_functions_role_must_be_allowed_to_send_to_its_dead_letter_target(
    cell: Cell, service: str, action: str, said: str
):
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html; the words are AWS's, in
    https://github.com/elastic/beats/issues/13963 and
    https://github.com/functionalone/serverless-iam-roles-per-function/issues/5."""
    made, functions = cell.client("administrator", service), cell.client("administrator", "lambda")
    name = unique("dead")
    made.create_queue(QueueName=name) if service == "sqs" else made.create_topic(Name=name)
    target = f"arn:aws:{service}:us-east-1:{ACCOUNT}:{name}"
    lambda_ = [trust({"Service": "lambda.amazonaws.com"})]
    bare, sends = cell.role(lambda_, []), cell.role(lambda_, [allow(action, target)])
    given: dict[str, Any] = {
        "Runtime": "python3.11",
        "Handler": "code.handler",
        "Code": {"ZipFile": archive()},
    }
    dead = {"DeadLetterConfig": {"TargetArn": target}}
    refused = "InvalidParameterValueException", f"The provided execution role does not have permissions to call {said}"
    assert refusal(lambda: functions.create_function(FunctionName=unique("f"), Role=bare, **given, **dead)) == refused
    assert functions.create_function(FunctionName=unique("f"), Role=sends, **given, **dead)["FunctionArn"]
    plain = functions.create_function(FunctionName=unique("f"), Role=bare, **given)["FunctionName"]
    assert refusal(lambda: functions.update_function_configuration(FunctionName=plain, **dead)) == refused
    functions.update_function_configuration(FunctionName=plain, Role=sends, **dead)
