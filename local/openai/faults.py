"""Injected faults: which call, how often, and before or after it was applied.

Owns the list of faults and their matching. Leaves out the injection: `gateway.py` injects faults of the connection, the
routes inject faults in what a call does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

WIRE: Final = ("429", "500", "slow", "dropped", "dropped_after_apply", "truncated", "timeout")
"""429 and 500 answer with that status, without rate-limit headers. `slow` answers late. `dropped` closes the
connection. `truncated` sends half of the body. `timeout` sends no response and closes the connection later."""
REFUSALS: Final = (
    *("country_refused", "address_refused", "tier_refused"),
    *("balance_gone", "project_limit", "quota_unnamed"),
)
"""A call is refused, and nothing is booked: because of the country or the IP address it comes from, the service tier,
an empty balance, a project's spend limit, or a quota that the answer does not name, as in older answers. The first two
refuse any call."""
MEANING: Final = ("propagation_delay", "old_delete_rule", "not_done", "dies_late", *REFUSALS)
"""`not_done`: the response says that a key or a federation rule was deleted, or a project archived, but nothing was
done. `dies_late`: a deleted key is removed from every list at once, but is accepted for some more seconds."""
NAMES: Final = WIRE + MEANING
_ALWAYS_AFTER: Final = ("dropped_after_apply", "truncated")
_WHOSE: Final = ("organization_id", "project_id")
_CHOOSE: Final = ("429", "500", "slow", "timeout")
DEFAULT_SECONDS: Final = {"slow": 1.0, "timeout": 30.0, "propagation_delay": 2.0, "dies_late": 2.0}


@dataclass
class Fault:
    """`count` None: until cleared. `after`: the call is applied, only its response is lost or late. A refusal can be
    limited to an organization's or a project's calls."""

    name: str
    method: str | None
    path: re.Pattern[str] | None
    count: int | None
    seconds: float
    after: bool
    organization_id: str | None = None
    project_id: str | None = None

    def matches(self, method: str, path: str) -> bool:
        return (self.method is None or self.method == method) and (self.path is None or bool(self.path.search(path)))

    def as_json(self) -> dict[str, Any]:
        pattern = self.path.pattern if self.path else None
        return {
            "name": self.name,
            "method": self.method,
            "path": pattern,
            "count": self.count,
            "seconds": self.seconds,
            "after": self.after,
            "organization_id": self.organization_id,
            "project_id": self.project_id,
        }


def parse(fields: dict[str, Any]) -> Fault:
    """Raises ValueError with the field, the value and the rule."""
    unknown = set(fields) - {"name", "method", "path", "count", "seconds", "after", *_WHOSE}
    if unknown:
        raise ValueError(f"a fault has no field {sorted(unknown)[0]!r}")
    name = fields.get("name")
    if name not in NAMES:
        raise ValueError(f"there is no fault {name!r}: the faults are {', '.join(NAMES)}")
    method, path, count, seconds = (fields.get(f) for f in ("method", "path", "count", "seconds"))
    after = fields.get("after", False)
    if method is not None and method not in ("GET", "POST", "DELETE"):
        raise ValueError(f"method must be GET, POST or DELETE, got {method!r}")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise ValueError(f"count must be a whole number from 1, or null for until cleared, got {count!r}")
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0):
        raise ValueError(f"seconds must be a number from 0, got {seconds!r}")
    if not isinstance(after, bool) or (after and name not in _CHOOSE + _ALWAYS_AFTER):
        raise ValueError(f"after is {after!r}: only {', '.join(_CHOOSE)} can be injected after the call")
    for field in _WHOSE:
        value = fields.get(field)
        if value is not None and (not isinstance(value, str) or name not in REFUSALS):
            raise ValueError(
                f"{field} is {value!r}: it must be an id, and only {', '.join(REFUSALS)} are limited by it"
            )
    try:
        pattern = re.compile(path) if path is not None else None
    except (re.error, TypeError):
        raise ValueError(f"path must be a regular expression for the request's path, got {path!r}") from None
    return Fault(
        name,
        method,
        pattern,
        count,
        DEFAULT_SECONDS.get(name, 0.0) if seconds is None else float(seconds),
        after or name in _ALWAYS_AFTER,
        fields.get("organization_id"),
        fields.get("project_id"),
    )


class Faults:
    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def take(
        self, method: str, path: str, *names: str, organization_id: str | None = None, project_id: str | None = None
    ) -> Fault | None:
        """The oldest matching fault with one of these names; its count decreases by one. The ids are the call's."""
        for fault in self.waiting:
            theirs = fault.organization_id in (None, organization_id) and fault.project_id in (None, project_id)
            if fault.name in names and theirs and fault.matches(method, path):
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count == 0:
                        self.waiting.remove(fault)
                return fault
        return None
