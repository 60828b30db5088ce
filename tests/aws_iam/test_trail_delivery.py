"""CloudTrail's events reach EventBridge's rules: a read only where the rule asks for all management events.

AWS: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
"""

from __future__ import annotations

import json
from typing import Any

from tests.aws_iam.served import ACCOUNT, Cell, allow, document, refusal, trust, unique, user_arn

ALL = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def heard_by(cell: Cell, pattern: dict[str, Any], state: str) -> Any:
    """A queue that gets what a new rule hears: a function that returns the events so far."""
    sqs, events, name = cell.client("administrator", "sqs"), cell.client("administrator", "events"), unique("heard")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    policy = document(allow("sqs:SendMessage", queue, Principal={"Service": "events.amazonaws.com"}))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), State=state)
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])

    def got() -> list[dict[str, Any]]:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(one["Body"]) for one in answer]

    return got


def test_a_read_of_a_secret_by_a_role_is_heard_by_a_rule_for_all_events_alone(cell: Cell):
    name, session = cell.user([allow("sts:AssumeRole")])
    secret = cell.secret("the value")
    role = cell.role([trust({"AWS": user_arn(name)})], [allow("secretsmanager:GetSecretValue", secret)])
    pattern = {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [role]}}}},
    }
    all_events, merely = heard_by(cell, pattern, ALL), heard_by(cell, pattern, "ENABLED")
    reads = cell.client(cell.assume(session, role), "secretsmanager")
    reads.get_secret_value(SecretId=secret)
    assert refusal(lambda: reads.put_secret_value(SecretId=secret, SecretString="x"))[0] == "AccessDeniedException"
    cell.client("administrator", "secretsmanager").get_secret_value(SecretId=secret)
    told = {one["detail"]["eventName"]: one["detail"] for one in all_events()}
    assert sorted(told) == ["GetSecretValue", "PutSecretValue"], "the administrator's read is of another identity"
    assert told["GetSecretValue"]["userIdentity"]["arn"].endswith("/work"), "who it was"
    assert told["GetSecretValue"]["requestParameters"] == {"secretId": secret}
    assert told["PutSecretValue"]["errorCode"] == "AccessDenied", "an attempt is told too"
    assert "the value" not in json.dumps(told)
    assert [one["detail"]["eventName"] for one in merely()] == ["PutSecretValue"]
