"""On which resource an action is judged, where a policy on the obvious one does not allow it."""

from __future__ import annotations

from tests.aws_iam.served import ACCOUNT, Cell, allow, refusal, unique

TAGS = {"team": "a"}


def test_a_log_groups_arn_ends_with_a_star_except_for_its_tags(cell: Cell):
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html (arn, logGroupArn)"""
    name = unique("group")
    bare = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"
    writes, tags = ["logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DeleteLogGroup"], ["logs:TagResource"]
    _, right = cell.user([allow(writes, f"{bare}:*"), allow(tags, bare)])
    _, turned = cell.user([allow(writes, bare), allow(tags, f"{bare}:*")])
    logs, wrong = cell.client(right, "logs"), cell.client(turned, "logs")
    assert refusal(lambda: wrong.create_log_group(logGroupName=name))[0] == "AccessDeniedException"
    logs.create_log_group(logGroupName=name, tags=TAGS)
    assert refusal(lambda: wrong.put_retention_policy(logGroupName=name, retentionInDays=7))[0] == (
        "AccessDeniedException"
    )
    assert refusal(lambda: wrong.tag_resource(resourceArn=bare, tags=TAGS))[0] == "AccessDeniedException"
    logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    logs.tag_resource(resourceArn=bare, tags={"team": "b"})
    logs.delete_log_group(logGroupName=name)


def test_a_subscription_is_no_resource_so_a_statement_on_a_topic_does_not_allow_its_end(cell: Cell):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html: no resource type for
    Unsubscribe, GetSubscriptionAttributes and SetSubscriptionAttributes."""
    admin = cell.client("administrator", "sns")
    topic = admin.create_topic(Name=unique("topic"))["TopicArn"]
    queue = cell.client("administrator", "sqs").create_queue(QueueName=unique("queue"))["QueueUrl"]
    endpoint = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue.rpartition('/')[2]}"
    one = admin.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=endpoint)["SubscriptionArn"]
    rights = ["sns:Unsubscribe", "sns:GetSubscriptionAttributes"]
    _, narrow = cell.user([allow(rights, [topic, f"{topic}:*"])])
    _, every = cell.user([allow(rights)])
    sns, may = cell.client(narrow, "sns"), cell.client(every, "sns")
    for call in (sns.get_subscription_attributes, sns.unsubscribe):
        assert refusal(lambda c=call: c(SubscriptionArn=one))[0] == "AuthorizationError"
    assert may.get_subscription_attributes(SubscriptionArn=one)["Attributes"]
    may.unsubscribe(SubscriptionArn=one)
