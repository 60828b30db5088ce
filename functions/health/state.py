"""What the health function knows from one cycle to the next, and its JSON, schema 1.

Owns the records and their form. Leaves out where it is stored (`store.py`). It holds ids, dates, amounts and names of
models, never a key. A state of another schema is an error and not an empty one: an empty state would tell every open
trouble again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Any, Final

from functions.health.handover_facts import HandoverSeen, read_seen, shown
from functions.health.history import History, Trouble
from functions.health.notices import Scope

SCHEMA: Final = 1


class StateError(Exception):
    """The stored state is not ours, or of another schema."""


@dataclass(frozen=True)
class TenantState:
    """Times are Unix seconds. `called_at`: the last billed call that was not refused. `refused`: the last one was.
    `days`: US dollars by day; None if costs are not visible. `requests`: the tenant's own in this hour and the one
    before, by OpenAI's usage; None likewise. `limits_at`: when the
    limits were last read. `seen_at`: when OpenAI last answered for this tenant. `key_version`: the secret's
    version whose key was used last, with the two times that its payload has; None where it has none. `handovers` by
    consumer that a person serves; `handovers_at`: when the use of old keys was last read for them."""

    called_at: float | None = None
    refused: bool = False
    days: Mapping[date, Decimal] | None = None
    requests: int | None = None
    spend_limit_cents: int | None = None
    limit_raised_at: float | None = None
    limits_at: float = 0.0
    seen_at: float | None = None
    key_version: str | None = None
    key_minted_at: float | None = None
    key_expires_at: float | None = None
    handovers: Mapping[str, HandoverSeen] = field(default_factory=dict[str, HandoverSeen])
    handovers_at: float = 0.0


@dataclass(frozen=True)
class State:
    """`cursor`: the cycle goes on after this tenant; None between two cycles. `running_until`: an invocation works
    until then, by AWS's clock. `costs_as_of`: when costs were last read, by OpenAI's clock. `unsent`: messages (subject
    and body for SNS) that are not sent yet."""

    tenants: Mapping[str, TenantState] = field(default_factory=dict[str, TenantState])
    histories: Mapping[Scope, History] = field(default_factory=dict[Scope, History])
    together: Mapping[tuple[str, str], float] = field(default_factory=dict["tuple[str, str]", float])
    cursor: str | None = None
    running_until: float = 0.0
    cycle_began: float = 0.0
    costs_as_of: float = 0.0
    unsent: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        fields: dict[str, Any] = {
            "schema": SCHEMA,
            "tenants": {slug: _tenant(one) for slug, one in self.tenants.items()},
            "histories": [
                {"of": scope.of, "id": scope.id, **_history(one)} for scope, one in sorted(self.histories.items())
            ],
            "together": [[*slot, since] for slot, since in sorted(self.together.items())],
            "cursor": self.cursor,
            "running_until": self.running_until,
            "cycle_began": self.cycle_began,
            "costs_as_of": self.costs_as_of,
            "unsent": [list(one) for one in self.unsent],
        }
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> State:
        """Raises StateError."""
        try:
            fields: Any = json.loads(text)
            if fields["schema"] != SCHEMA:
                raise StateError(f"the stored state has schema {fields['schema']!r}, and this function knows {SCHEMA}")
            return cls(
                {slug: _read_tenant(one) for slug, one in fields["tenants"].items()},
                {Scope(one["of"], one["id"]): _read_history(one) for one in fields["histories"]},
                {(kind, subject): since for kind, subject, since in fields["together"]},
                fields["cursor"],
                _seconds(fields["running_until"]),
                _seconds(fields["cycle_began"]),
                _seconds(fields["costs_as_of"]),
                tuple((subject, body) for subject, body in fields["unsent"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise StateError(f"the stored state cannot be read ({type(error).__name__}): {error}") from None


def _seconds(value: Any) -> float:
    """Raises ValueError for what is no time: all that reads the state counts with it."""
    if not isinstance(value, int | float) or not 0 <= value < _LATEST:
        raise ValueError(f"{value!r} is no time in Unix seconds")
    return value


_LATEST: Final = 1e11
"""The year 5138: milliseconds are above it."""
_FIELDS: Final = frozenset(one.name for one in fields(TenantState))


def _tenant(one: TenantState) -> dict[str, Any]:
    days = None if one.days is None else {day.isoformat(): str(usd) for day, usd in sorted(one.days.items())}
    return {**one.__dict__, "days": days, "handovers": shown(one.handovers)}


def _read_tenant(fields: dict[str, Any]) -> TenantState:
    days = fields["days"]
    read = None if days is None else {date.fromisoformat(day): Decimal(usd) for day, usd in days.items()}
    # A later version may remember more: going back to this one must not stop it.
    known: dict[str, Any] = {name: value for name, value in fields.items() if name in _FIELDS} | {"days": read}
    known["handovers"] = read_seen(fields.get("handovers"))
    return TenantState(**known)


def _history(one: History) -> dict[str, Any]:
    return {
        "open": [{**trouble.__dict__, "values": dict(trouble.values)} for trouble in one.open.values()],
        "seen": [[*slot, text] for slot, text in one.seen.items()],
    }


def _read_history(fields: dict[str, Any]) -> History:
    troubles = [_read_trouble(one) for one in fields["open"]]
    seen: dict[tuple[str, str], str] = {(kind, subject): text for kind, subject, text in fields["seen"]}
    return History({trouble.slot: trouble for trouble in troubles}, seen)


def _read_trouble(fields: dict[str, Any]) -> Trouble:
    _seconds(fields["since"])
    return Trouble(**fields)
