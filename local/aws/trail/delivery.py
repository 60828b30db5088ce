"""Delivery of CloudTrail's events to EventBridge: a rule hears of a call of AWS's API, denied ones too.

A rule that is merely enabled gets no read-only event; one in the state for all management events does. In an AWS
account both need a trail, which the local cell takes as given.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

from ministack.services import eventbridge

from local.aws.iam.patching import require_shape

_ALL: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def install() -> None:
    events = "ministack.services.eventbridge"
    require_shape(events, "_matches_pattern_view", "pattern_str, view, owner")
    require_shape(events, "_invoke_target", "target, event, rule, view")
    require_shape(events, "_pattern_event_view", "event")


def deliver(record: Mapping[str, Any], moment: float) -> None:
    """`record` is CloudTrail's record of the call."""
    heard = {_ALL} if record["readOnly"] else {_ALL, "ENABLED"}
    rules = {
        key: rule
        for key, rule in eventbridge._rules.items()
        if rule.get("State") in heard and rule.get("EventPattern") and rule.get("EventBusName", "default") == "default"
    }
    if not rules:
        return
    event = {
        "EventId": str(uuid.uuid4()),
        "Source": f"aws.{record['eventSource'].partition('.')[0]}",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps(record),
        "EventBusName": "default",
        "Time": int(moment),
        "Resources": [],
        "Account": record["recipientAccountId"],
        "Region": record["awsRegion"],
    }
    view = eventbridge._pattern_event_view(event)
    for key, rule in rules.items():
        if eventbridge._matches_pattern_view(rule["EventPattern"], view, f"rule {key}"):
            for target in eventbridge._targets.get(key, []):
                eventbridge._invoke_target(target, event, rule, view)
