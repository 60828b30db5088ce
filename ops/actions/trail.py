"""CloudTrail's events about tenants' secrets: 90 days, up to a quarter of an hour late, without values."""

# Looked up by event name in short periods: a look-up by resource would mostly return the readers' GetSecretValue.
# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types_boto3_cloudtrail import CloudTrailClient

KEPT_DAYS: Final = 90
"""https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html"""


@dataclass(frozen=True)
class TrailEvent:
    """One event. `secret` is the ARN or name that the caller gave; `version` is the version id, or empty; `who` is the
    caller's ARN, or the service; `error` is empty for a call that succeeded."""

    name: str
    at: datetime
    secret: str
    version: str
    who: str
    user_agent: str
    error: str
    stage: str


def events(client: CloudTrailClient, name: str, since: datetime, until: datetime | None = None) -> Iterator[TrailEvent]:
    """Events called `name`, newest first."""
    window = {"StartTime": since} | ({"EndTime": until} if until else {})
    pages = client.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
        **window,  # pyright: ignore[reportArgumentType]
    )
    for page in pages:
        for entry in page.get("Events", []):
            at, text = entry.get("EventTime"), entry.get("CloudTrailEvent")
            event = read(at, json.loads(text)) if at and text else None
            if event is not None:
                yield event


def read(at: datetime, event: dict[str, Any]) -> TrailEvent | None:
    """From an event's JSON; None for one that is not about a secret."""
    if event.get("eventSource") != "secretsmanager.amazonaws.com":
        return None
    parameters: dict[str, Any] = event.get("requestParameters") or {}
    more: dict[str, Any] = event.get("additionalEventData") or {}
    identity: dict[str, Any] = event.get("userIdentity") or {}
    secret = str(parameters.get("secretId") or more.get("SecretId") or "")
    if not secret:
        return None
    return TrailEvent(
        name=str(event.get("eventName", "")),
        at=at,
        secret=secret,
        version=str(parameters.get("clientRequestToken") or parameters.get("moveToVersionId") or ""),
        who=str(identity.get("arn") or identity.get("invokedBy") or ""),
        user_agent=str(event.get("userAgent", "")),
        error=str(event.get("errorCode") or event.get("errorMessage") or ""),
        stage=str(parameters.get("versionStage") or ""),
    )


def rotation_failures(client: CloudTrailClient, since: datetime) -> list[TrailEvent]:
    """Every rotation that Secrets Manager gave up on since then; `secret` is the ARN."""
    return [event for name in ("RotationAbandoned", "RotationFailed") for event in events(client, name, since)]
