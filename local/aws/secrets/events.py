"""Service events of Secrets Manager: CloudTrail records them and EventBridge delivers them without an API call.

Owns their shape and delivery. Leaves out when they happen.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudtrail, eventbridge

from local.aws.secrets.store import Record, acting_for, now, scope_of

SOURCE = "secretsmanager.amazonaws.com"

USED = {
    "ministack.services.cloudtrail._get_event_queue": "",
    "ministack.services.eventbridge._archive_event": "event, view",
    "ministack.services.eventbridge._dispatch_event": "event, view",
}
"""MiniStack's functions that this module calls, with their parameters."""

ROTATION_STARTED = "RotationStarted"
ROTATION_SUCCEEDED = "RotationSucceeded"
ROTATION_FAILED = "RotationFailed"
ROTATION_ABANDONED = "RotationAbandoned"
TEST_ROTATION_FAILED = "TestRotationFailed"


def publish(secret: Record, name: str, version_id: str, error: str | None = None) -> None:
    """Records `name` in CloudTrail and sends it to the default event bus, which applies its rules."""
    account, region = scope_of(secret)
    moment = now()
    time = datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail: dict[str, Any] = {
        "eventVersion": "1.08",
        "userIdentity": {"accountId": account, "invokedBy": SOURCE},
        "eventTime": time,
        "eventSource": SOURCE,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": SOURCE,
        "userAgent": SOURCE,
        "requestParameters": None,
        "responseElements": None,
        "additionalEventData": {"SecretId": secret["ARN"]},
        "requestID": f"Rotation-{secret['ARN']}-{version_id}",
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if error is not None:
        detail["errorMessage"] = error
    with acting_for(secret):
        if cloudtrail._recording_enabled:
            _record(secret, detail, moment)
        _deliver(detail, moment)


def _record(secret: Record, detail: dict[str, Any], moment: float) -> None:
    cloudtrail._get_event_queue().append(
        {
            "EventId": detail["eventID"],
            "EventName": detail["eventName"],
            "EventSource": SOURCE,
            "EventTime": moment,
            "Username": "",
            "AccessKeyId": "",
            "ReadOnly": "false",
            "Resources": [{"ResourceType": "AWS::SecretsManager::Secret", "ResourceName": secret["ARN"]}],
            "CloudTrailEvent": json.dumps(detail),
        }
    )


def _deliver(detail: dict[str, Any], moment: float) -> None:
    event = {
        "EventId": str(uuid.uuid4()),
        "Source": "aws.secretsmanager",
        "DetailType": "AWS Service Event via CloudTrail",
        "Detail": json.dumps(detail),
        "EventBusName": "default",
        "Time": int(moment),
        "Resources": [],
        "Account": detail["recipientAccountId"],
        "Region": detail["awsRegion"],
    }
    eventbridge._dispatch_event(event)
    eventbridge._archive_event(event)
