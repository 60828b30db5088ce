"""Service events of rotations reach CloudTrail and EventBridge.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
"""

from __future__ import annotations

import json
from typing import Any


def test_a_rule_on_failed_rotations_fires(secrets: Any, rotator: Any, name: str, cell: Any) -> None:
    """The pattern of AWS's page: source, detail-type, detail.eventName; the secret is in additionalEventData."""
    arn = secrets.create_secret(Name=name, SecretString="a")["ARN"]
    queues, rules, unique = cell.client("sqs"), cell.client("events"), name.rpartition("/")[2]
    url = queues.create_queue(QueueName=unique)["QueueUrl"]
    queue = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    deliver = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deliver]})
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    pattern = {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS Service Event via CloudTrail"],
        "detail": {
            "eventSource": ["secretsmanager.amazonaws.com"],
            "eventName": ["RotationFailed"],
            "additionalEventData": {"SecretId": [{"prefix": f"{arn[:-7]}-"}]},
        },
    }
    rules.put_rule(Name=unique, EventPattern=json.dumps(pattern))
    rules.put_targets(Rule=unique, Targets=[{"Id": "queue", "Arn": queue}])
    rotator.tell(name, fail={"testSecret": 5})
    token = rotator.rotate(name)
    messages: list[Any] = []
    rotator.wait_until(
        lambda: bool(messages.extend(queues.receive_message(QueueUrl=url).get("Messages", [])) or messages), "the event"
    )
    assert len(messages) == 1, "RotationStarted is of no interest to the rule"
    event = json.loads(messages[0]["Body"])
    assert (event["source"], event["detail-type"]) == ("aws.secretsmanager", "AWS Service Event via CloudTrail")
    detail = event["detail"]
    assert detail["eventName"] == "RotationFailed"
    assert detail["eventType"] == "AwsServiceEvent"
    assert detail["additionalEventData"] == {"SecretId": arn}
    assert detail["requestID"] == f"Rotation-{arn}-{token}"
    assert detail["errorMessage"] == f"Error when executing lambda {rotator.arn} during testSecret step"
    assert "value-" not in messages[0]["Body"], "no value is in an event"
