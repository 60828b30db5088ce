"""What `doctor` says of the account's CloudTrail trails, from which the message about each hand-over comes.

EventBridge hears of a read of a secret only from a trail that logs, whose selectors take it in:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html. Pure functions.
Leaves out every call (`doctor_trail_looks.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ops.actions.doctor import Finding, not_checked, ok, wrong

CHECK: Final = "CloudTrail trail"
_READ: Final = {
    "eventCategory": "Management",
    "eventName": "GetSecretValue",
    "eventSource": "secretsmanager.amazonaws.com",
    "eventType": "AwsApiCall",
    "readOnly": "true",
}
"""The read that a hand-over makes, by the fields of advanced selectors:
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html"""
_FITS: Final[Mapping[str, Callable[[str, Sequence[str]], bool]]] = {
    "Equals": lambda value, listed: value in listed,
    "NotEquals": lambda value, listed: value not in listed,
    "StartsWith": lambda value, listed: value.startswith(tuple(listed)),
    "NotStartsWith": lambda value, listed: not value.startswith(tuple(listed)),
    "EndsWith": lambda value, listed: value.endswith(tuple(listed)),
    "NotEndsWith": lambda value, listed: not value.endswith(tuple(listed)),
}


@dataclass(frozen=True)
class TrailSeen:
    """A trail that covers the cell's Region. `selectors` is GetEventSelectors' answer."""

    arn: str
    logs: bool
    selectors: Mapping[str, Any]

    @property
    def command(self) -> str:
        """How a command of `aws cloudtrail` names it: changes are made in its own Region."""
        return f"--region {self.arn.split(':')[3]}"


def local() -> Finding:
    return not_checked(CHECK, "a local cell tells each read without a trail")


def trail(region: str, seen: Sequence[TrailSeen]) -> Finding:
    """`seen` are the trails that cover the Region."""
    hears = "so nobody is told when a person reads a key by the hand-over role"
    if not seen:
        return wrong(
            CHECK,
            f"the account has none for {region}, {hears}",
            "make one in the console: CloudTrail, Create trail, with management events, Read and Write",
        )
    reading = [one for one in seen if takes_reads(one.selectors)]
    if logs := next((one for one in reading if one.logs), None):
        return ok(CHECK, f"{logs.arn} logs, reads included")
    if reading:
        first = reading[0]
        return wrong(
            CHECK,
            f"{first.arn} does not log, {hears}",
            f"`aws cloudtrail start-logging {first.command} --name {first.arn}`",
        )
    first = next((one for one in seen if one.logs), seen[0])
    return wrong(
        CHECK,
        f"{first.arn} leaves out reads of secrets, {hears}",
        f"in the console: CloudTrail, {first.arn.rpartition('/')[2]}, Management events, Read and Write",
    )


def takes_reads(selectors: Mapping[str, Any]) -> bool:
    """Whether a trail with these selectors takes in a read of a secret. A trail has selectors of one of two kinds."""
    basic: list[Any] = selectors.get("EventSelectors") or []
    advanced: list[Any] = selectors.get("AdvancedEventSelectors") or []
    return any(map(_basic, basic)) or any(map(_advanced, advanced))


def _basic(selector: Mapping[str, Any]) -> bool:
    """Without a word of it a selector takes in management events, reads and writes:
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html"""
    taken = selector.get("IncludeManagementEvents", True) and selector.get("ReadWriteType", "All") != "WriteOnly"
    return taken and _READ["eventSource"] not in selector.get("ExcludeManagementEventSources", [])


def _advanced(selector: Mapping[str, Any]) -> bool:
    """A field that says nothing of the read, as who made it, may fit."""
    fields: list[Any] = selector.get("FieldSelectors", [])
    return all(
        _FITS[operator](_READ[field["Field"]], listed)
        for field in fields
        for operator, listed in field.items()
        if operator in _FITS and field["Field"] in _READ
    )
