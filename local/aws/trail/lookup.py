"""LookupEvents page by page: MiniStack answers with the newest events only and has no next page.

Owns the filter, the token and the pages. Leaves out what is recorded (`history.py`).
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ministack.services import cloudtrail

from local.aws.iam.patching import require_shape

PAGE: Final = 50
_PLAIN: Final = ("AccessKeyId", "EventId", "EventName", "EventSource", "ReadOnly", "Username")
_OF_RESOURCES: Final = ("ResourceName", "ResourceType")

Answer = tuple[int, dict[str, str], bytes]
Event = Mapping[str, Any]


def install() -> None:
    require_shape("ministack.services.cloudtrail", "_lookup_events", "body")
    require_shape("ministack.services.cloudtrail", "_get_event_queue", "")
    operations: dict[str, Callable[[dict[str, Any]], Answer]] = cloudtrail._DISPATCH  # pyright: ignore[reportAssignmentType]
    operations["LookupEvents"] = lookup


def lookup(body: Mapping[str, Any]) -> Answer:
    """The events after the one that NextToken names, newest first. A token goes with the parameters it came from."""
    asked = {name: value for name, value in body.items() if name not in ("NextToken", "MaxResults")}
    attributes: list[dict[str, str]] = asked.get("LookupAttributes") or []
    if len(attributes) > 1:
        return cloudtrail._err("InvalidLookupAttributesException", "You can only specify one lookup attribute.")
    most = min(int(body.get("MaxResults") or PAGE), PAGE)
    newest_first: Iterator[Event] = reversed(list(cloudtrail._get_event_queue()))
    found = list(matching(newest_first, attributes, asked.get("StartTime"), asked.get("EndTime")))
    if body.get("NextToken"):
        position = _position(body["NextToken"], asked, found)
        if position is None:
            return cloudtrail._err("InvalidNextTokenException", "The token is invalid, or not of this request.")
        found = found[position + 1 :]
    answer: dict[str, Any] = {"Events": found[:most]}
    if len(found) > most:
        token = json.dumps({"asked": asked, "after": found[most - 1]["EventId"]})
        answer["NextToken"] = base64.b64encode(token.encode()).decode()
    return cloudtrail._ok(answer)


def matching(
    events: Iterable[Event], attributes: Iterable[Mapping[str, str]], start: float | None, end: float | None
) -> Iterator[Event]:
    """Both bounds are part of the time asked for."""
    wanted = [(each["AttributeKey"], each["AttributeValue"]) for each in attributes]
    for event in events:
        time = event["EventTime"]
        in_time = (start is None or time >= start) and (end is None or time <= end)
        if in_time and all(_has(event, key, value) for key, value in wanted):
            yield event


def _has(event: Event, key: str, value: str) -> bool:
    if key in _OF_RESOURCES:
        return any(resource.get(key) == value for resource in event.get("Resources", []))
    return key in _PLAIN and event.get(key, "") == value


def _position(token: str, asked: Mapping[str, Any], found: list[Event]) -> int | None:
    try:
        told = json.loads(base64.b64decode(token, validate=True))
        after = told["after"] if told["asked"] == asked else None
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
    return next((place for place, event in enumerate(found) if event["EventId"] == after), None)
