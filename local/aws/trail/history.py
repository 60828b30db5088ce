"""CloudTrail's event history: who called what, also denied calls, and never a secret.

Owns the event's shape. Leaves out trails, which MiniStack serves, and LookupEvents (`lookup`). Like AWS's event history
it has only management events: invocations, messages, objects and log lines are data events.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudtrail

from local import clock
from local.aws.iam import web_identity
from local.aws.iam.patching import replace
from local.aws.iam.request import ServiceRequest
from local.aws.trail import delivery
from local.aws.trail.errors import error_of
from local.aws.trail.identity import ANONYMOUS, user_identity
from local.aws.trail.parameters import request_parameters, response_elements

_DATA_EVENTS = {
    "lambda": ("Invoke",),
    "logs": ("PutLogEvents",),
    "monitoring": ("PutMetricData",),
    "sns": ("Publish",),
    "sqs": ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
    "dynamodb": (
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchGet",
        "BatchWrite",
        "Query",
        "Scan",
        "Transact",
    ),
    "s3": ("GetObject", "PutObject", "DeleteObject", "HeadObject", "CopyObject", "UploadPart"),
}
"""From MiniStack's service name to the beginnings of the names of its data events."""


def install() -> None:
    # This module records each request instead of MiniStack.
    replace(
        "ministack.app",
        "_maybe_record_cloudtrail",
        "service, method, path, headers, body, query_params, request_id, region",
        _nothing,
    )


def _nothing(_original: Callable[..., Any]) -> Callable[..., Any]:
    def _maybe_record_cloudtrail(*arguments: Any, **named: Any) -> None:
        del arguments, named

    return _maybe_record_cloudtrail


def record(request: ServiceRequest, answer: Sequence[Any]) -> None:
    """Appends the event of a request; `answer` is its response: (status, headers, body)."""
    name = event_name(request)
    if name is None or request.service == "cloudtrail":
        return
    status, body = answer[0], answer[2]
    failed = status >= 400
    payload = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else b""
    code, message = error_of(payload, answer[1]) if failed else (None, None)
    identity = user_identity() if iam_evaluator._verified_key.get() else web_identity.LAST.get() or ANONYMOUS
    event: dict[str, Any] = {
        "userIdentity": identity,
        "eventSource": _source(request),
        "eventName": name,
        "sourceIPAddress": iam_evaluator._request_origin.get()[0],
        "userAgent": request.headers.get("user-agent", ""),
        "requestParameters": None if code == "AccessDenied" else request_parameters(request),
        "responseElements": None if failed else response_elements(request, name, payload),
        "requestID": request.request_id,
        "eventType": "AwsApiCall",
    }
    if failed:
        event |= {"errorCode": code, "errorMessage": message}
    _append(event, _resources(request))


def event_name(request: ServiceRequest) -> str | None:
    """None for a data event and for a request that is not an AWS call."""
    name = request.operation or iam_actions._match_rest_action(request.service, request.method, request.path, {})
    if name is None:
        name = app._ct_event_name(request.service, request.method, request.path, request.headers, {})
    return None if "." in name or name.startswith(_DATA_EVENTS.get(request.service, ("\0",))) else name


def _source(request: ServiceRequest) -> str:
    return f"{request.service}.amazonaws.com"


def _resources(request: ServiceRequest) -> list[dict[str, str]]:
    if request.service == "secretsmanager":
        name = request.parameters.get("SecretId") or request.parameters.get("Name")
        return [{"ResourceName": name, "ResourceType": "AWS::SecretsManager::Secret"}] if name else []
    return app._ct_resources(request.service, request.method, request.path, request.body)


def _append(event: dict[str, Any], resources: Sequence[dict[str, str]]) -> None:
    now = clock.now()
    identity = event["userIdentity"]
    event_id = str(uuid.uuid4())
    read_only = event["eventName"].startswith(("Get", "List", "Describe", "Head", "Lookup", "BatchGet"))
    whole = {
        "eventVersion": "1.11",
        "eventTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "awsRegion": get_region(),
        "eventID": event_id,
        "readOnly": read_only,
        "managementEvent": True,
        "recipientAccountId": get_account_id(),
        "eventCategory": "Management",
        **event,
    }
    cloudtrail._get_event_queue().append(
        {
            "EventId": event_id,
            "EventName": event["eventName"],
            "EventSource": event["eventSource"],
            "EventTime": now,
            "Username": _username(identity),
            "AccessKeyId": identity.get("accessKeyId", ""),
            "ReadOnly": str(read_only).lower(),
            "Resources": list(resources),
            "CloudTrailEvent": json.dumps(whole),
        }
    )
    delivery.deliver(whole, now)


def _username(identity: Mapping[str, Any]) -> str:
    """The user's name, the session's name or the service."""
    arn = identity.get("arn", "")
    return identity.get("userName") or arn.rpartition("/")[2] or identity.get("invokedBy", "")
