"""What is known of a fleet at one moment, ready to be shown: cells, their tenants, what is wrong, and what mends it.

Owns the records, their order and their words, all pure. Leaves out reading AWS (`status.py`, `health_memory.py`), which
facts make which row (`tenant_view.py`), and every form of output. None always means that a fact is not known; it is
never a zero and never "fine". Nothing here holds a key: ids, dates, amounts and names only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

Severity = Literal["broken", "attention", "unknown", "off", "ok"]
"""``broken``: the tenant's calls fail, or its key cannot be read. ``attention``: a person must act before that happens.
``unknown``: what would show it was not asked, did not answer, or is too old. ``off``: the tenant is disabled."""
ORDER: Final[tuple[Severity, ...]] = ("broken", "attention", "unknown", "off", "ok")
"""What needs a person comes first."""
NEEDS_A_PERSON: Final[frozenset[Severity]] = frozenset({"broken", "attention"})


@dataclass(frozen=True)
class TroubleView:
    """`kind` is a word for machines, of `functions/health/trouble.py`, `ops/actions/orphans.py` or `tenant_view.py`.
    `sentence` says what is wrong, and `do` what to do, both without a full stop. `since` None: it is not known since
    when. `command` is what to type; None where nothing can be typed that mends it. `page` is the section that says
    more. `whose` is ``us``, ``customer`` or ``openai``: who can mend it."""

    kind: str
    severity: Severity
    sentence: str
    since: datetime | None = None
    do: str | None = None
    command: str | None = None
    page: str | None = None
    whose: str = "us"


@dataclass(frozen=True)
class KeyTimes:
    """Of the live key. `minted` and `expires` are what the key's own record says, as the health function last read it;
    `promoted` and `next_rotation` are AWS's. `overlap_ends`: until when the key before it is valid, or was; None if
    there is none. `pending`: the version that is being made, or that a failed rotation left."""

    minted: datetime | None = None
    promoted: datetime | None = None
    overlap_ends: datetime | None = None
    expires: datetime | None = None
    next_rotation: datetime | None = None
    pending: str | None = None


@dataclass(frozen=True)
class DayView:
    """US dollars before tax of one day (UTC). `provisional`: OpenAI may still restate it. A day that OpenAI has not
    told is not in the list."""

    day: date
    usd: Decimal
    provisional: bool


@dataclass(frozen=True)
class SpendView:
    """`days` in their order, of the last five weeks. `month_usd`: the sum of those of this month. `budget_usd`: of the
    file; None: none declared. `hard`: OpenAI blocks calls beyond it. `limit_usd`: the spend limit at OpenAI; None:
    none, or not known. `as_of`: when the costs were read."""

    days: tuple[DayView, ...]
    month_usd: Decimal
    budget_usd: int | None
    hard: bool | None
    limit_usd: Decimal | None
    as_of: datetime


@dataclass(frozen=True)
class ModelView:
    """`default`: the file names it first. `ends`: the day on which OpenAI shuts it down; None: none announced. The two
    limits are the file's, a minute; None: the organization's apply."""

    model: str
    default: bool
    ends: date | None
    replacement: str | None
    requests_per_minute: int | None
    tokens_per_minute: int | None


@dataclass(frozen=True)
class LinkView:
    """An open link to the connect page. `state` is ``open``, ``handed in``, ``waiting`` or ``refused``. The last three
    are of a key that waits for a person, and None otherwise; `organization` is the name that OpenAI's answers gave."""

    id: str
    state: str
    expires: datetime
    waiting_since: datetime | None = None
    organization: str | None = None
    last_four: str | None = None


@dataclass(frozen=True)
class HandoverView:
    """Whether a consumer that a person serves has the current key, as the health function last saw it.

    `state` is ``due``, ``saved``, ``done``, ``unknown`` (a customer's own key), or ``not checked``. `since`: of ``due``
    when the key became live, else the confirmation. `connected`: the first confirmation ever. `ends`: when the old key
    ends at the latest, while it waits.
    """

    consumer: str
    state: str
    since: datetime | None = None
    connected: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True)
class TenantView:
    """`state` is one or two words for people, and `severity` the same for machines and colours; both include what is
    wrong with its organization, which `through` then names and `CellView.troubles` explains. `source` is ``managed``,
    ``customer`` or ``?`` (no file). `enabled` is what the file says, `readable` what AWS allows. `requests`: those of
    this hour and the one before, by OpenAI's usage; None: not visible. `seen`: when OpenAI last answered for it."""

    slug: str
    name: str | None
    source: str
    enabled: bool | None
    readable: bool | None
    state: str
    severity: Severity
    troubles: tuple[TroubleView, ...] = ()
    through: str | None = None
    key: KeyTimes = field(default_factory=KeyTimes)
    spend: SpendView | None = None
    requests: int | None = None
    models: tuple[ModelView, ...] = ()
    consumers: tuple[str, ...] = ()
    handovers: tuple[HandoverView, ...] = ()
    seen: datetime | None = None
    links: tuple[LinkView, ...] = ()
    keyless: bool = False
    """By its file it has no key, and the runtime gets tokens."""


@dataclass(frozen=True)
class CellView:
    """`as_of`: when AWS was asked. `health_as_of`: when the health function began its last look; None: it never did, or
    that is not known. `troubles` are those of the cell, of its organizations and of the health function itself.
    `tenants` with those first that need a person."""

    name: str
    as_of: datetime
    health_as_of: datetime | None
    troubles: tuple[TroubleView, ...]
    tenants: tuple[TenantView, ...]

    @property
    def severity(self) -> Severity:
        return worst([*(one.severity for one in self.troubles), *(one.severity for one in self.tenants)])


@dataclass(frozen=True)
class FleetView:
    """`as_of`: when the last cell was asked."""

    as_of: datetime
    cells: tuple[CellView, ...]

    @property
    def severity(self) -> Severity:
        return worst(one.severity for one in self.cells)


def worst(found: Iterable[Severity]) -> Severity:
    """The first of `found` in the order of need; ``ok`` of nothing."""
    present = set(found)
    for one in ORDER:
        if one in present:
            return one
    return "ok"


def by_need(tenants: Iterable[TenantView]) -> tuple[TenantView, ...]:
    """What needs a person first, then by slug."""
    return tuple(sorted(tenants, key=lambda one: (ORDER.index(one.severity), one.slug)))


def troubles_by_need(troubles: Iterable[TroubleView]) -> tuple[TroubleView, ...]:
    """The worst first, then the oldest; of which nothing is known comes last."""
    return tuple(
        sorted(
            troubles,
            key=lambda one: (ORDER.index(one.severity), one.since is None, one.since.timestamp() if one.since else 0.0),
        )
    )
