"""What tenants used and what OpenAI billed, side by side, from the health function's rows.

Owns the sums and their difference. Pure. Leaves out the calls (`run_usage.py`), the prices (`ops.prices`) and printing.
Two sources: costs, as OpenAI bills them, and usage in tokens times the prices of the table. OpenAI says that they may
differ, and that costs are the ones for money. A day of which OpenAI has no bucket is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from ops import prices
from ops.prices import Call, NoPrice, Processing

By = Literal["model", "key", "day"]
NOBODY: Final = "not attributed"
"""What OpenAI books to the organization and to no project, as Scale Tier is."""
OTHERS: Final = "other projects"
"""Those of no tenant: archived ones, and those that people made."""
PROVISIONAL_DAYS: Final = 2
"""Today and yesterday: OpenAI restates them, and promises no time."""
_STANDARD: Final = frozenset({None, "", "default", "standard", "auto"})
"""Service tiers that cost the standard price."""


@dataclass
class Line:
    """Sums of one tenant, or of what is none's. `what` is the model, key id or day. `billed` is None where OpenAI has
    no costs yet. `priced` are tokens times prices, without what `unpriced` names; `compared` those of them that are of
    days with costs. Cached tokens are among those sent, reasoning tokens among those answered."""

    tenant: str
    what: str = ""
    billed: Decimal | None = None
    priced: Decimal = Decimal(0)
    compared: Decimal = Decimal(0)
    unpriced: set[str] = field(default_factory=set[str])
    requests: int = 0
    sent: int = 0
    cached: int = 0
    answered: int = 0

    @property
    def difference(self) -> Decimal | None:
        """Billed less priced, of the days with costs; None where one of them is not known."""
        return None if self.billed is None or self.unpriced else self.billed - self.compared

    def bill(self, usd: Decimal) -> None:
        self.billed = (self.billed or Decimal(0)) + usd

    def use(self, used: Used, *, has_costs: bool) -> None:
        self.requests += used.requests
        self.sent, self.cached = self.sent + used.call.input, self.cached + used.call.cached
        self.answered += used.call.output
        if used.priced is None:
            self.unpriced.add(used.model)
        else:
            self.priced += used.priced
            self.compared += used.priced if has_costs else 0


@dataclass(frozen=True)
class Used:
    """`priced` is None where the table has no such price, with `remark` saying why."""

    model: str
    call: Call
    requests: int
    priced: Decimal | None
    remark: str = ""


@dataclass(frozen=True)
class Day:
    """`billed` is None where OpenAI has no costs of the day yet. `partly`: some of the organizations have none."""

    day: date
    billed: Decimal | None
    priced: Decimal
    provisional: bool
    partly: bool


@dataclass(frozen=True)
class Report:
    """Of one cell, days from `since` to the one of `as_of`, UTC. `not_read`: nothing from before this day was read.
    `left_out` counts rows. `without` says of a tenant why there is nothing, `failed` of an organization. `no_price` and
    `priced_as` say of a model why it has no price, and whose it has. `others` are the projects of no tenant."""

    cell: str
    as_of: datetime
    since: date
    by: By | None
    lines: Sequence[Line]
    total: Line
    days: Sequence[Day]
    not_read: date | None
    left_out: int
    without: Mapping[str, str]
    failed: Mapping[str, str]
    no_price: Mapping[str, str]
    priced_as: Mapping[str, str]
    others: Sequence[str]
    prices_as_of: date | None

    @property
    def today(self) -> date:
        return self.as_of.date()

    @property
    def old(self) -> bool:
        """Where something was priced."""
        return bool(self.total.priced) and prices.are_old(self.prices_as_of, self.today)

    @property
    def complete(self) -> bool:
        return not (self.no_price or self.failed or self.left_out or self.not_read)


def report(cell: str, answers: Sequence[Mapping[str, Any]], by: By | None, tenants: Iterable[str] | None) -> Report:
    """From the answers of the health function to one request, the newest days first. `tenants` None: all."""
    as_of = datetime.fromtimestamp(answers[0]["as_of"], UTC)
    since, following = date.fromisoformat(answers[0]["since"]), answers[-1]["next"]
    not_read = date.fromisoformat(following) if following else None
    organizations = [one for answer in answers for one in answer["organizations"]]
    wanted = None if tenants is None else set(tenants)
    known: dict[str, set[str]] = {}
    for one in organizations:
        known.setdefault(one["id"], set()).update(one["days"])
    books = _Books(by, {project: tenant for one in organizations for project, tenant in one["projects"].items()})
    for one in organizations:
        for row in one["costs"]:
            books.cost(*row)
        for row in one["usage"]:
            books.usage(known[one["id"]], *row)
    # Without an organization OpenAI was not asked, and no day has costs that are still to come.
    days = list(_days(max(since, not_read or since), as_of.date(), known, books)) if organizations else []
    of_tenants = {tenant: known[one["id"]] for one in organizations for tenant in one["projects"].values()}
    books.fill({tenant: there for tenant, there in of_tenants.items() if wanted is None or tenant in wanted}, days)
    priced = sorted(books.models - books.no_price.keys())
    return Report(
        cell=cell,
        as_of=as_of,
        since=since,
        by=by,
        lines=sorted(books.lines.values(), key=_order),
        total=books.total,
        days=days,
        not_read=not_read,
        left_out=sum(answer["left_out"] for answer in answers),
        without={tenant: why for answer in answers for tenant, why in answer["without"].items()},
        failed={one["id"]: one["failed"] for one in organizations if one["failed"]},
        no_price=books.no_price,
        priced_as={model: family for model in priced if (family := prices.find(model).id) != model},
        others=sorted(books.others),
        prices_as_of=prices.as_of(priced) if priced else None,
    )


class _Books:
    """Rows become sums. `owners` are tenants by project."""

    def __init__(self, by: By | None, owners: Mapping[str, str]) -> None:
        self.by, self.owners = by, owners
        self.lines: dict[tuple[str, str], Line] = {}
        self.total = Line("total")
        self.billed: dict[str, Decimal] = {}
        self.priced: dict[str, Decimal] = {}
        self.others: set[str] = set()
        self.models: set[str] = set()
        self.no_price: dict[str, str] = {}

    def cost(self, day: str, project: str | None, item: str | None, key: str | None, usd: str) -> None:
        amount = Decimal(usd)
        self._line_of(project, model_of(item or ""), key or "", day).bill(amount)
        self.total.bill(amount)
        self.billed[day] = self.billed.get(day, Decimal(0)) + amount

    def usage(
        self, with_costs: Collection[str], day: str, project: str | None, model: str, key: str | None, *more: Any
    ) -> None:
        """`more` are the batch, the service tier and the counts of `reckon`."""
        batch, tier, *counts = more
        used = reckon(model, counts, date.fromisoformat(day), batch=bool(batch), tier=tier)
        self.models.add(model)
        if used.priced is None:
            self.no_price[model] = used.remark
        for line in (self._line_of(project, model, key or "", day), self.total):
            line.use(used, has_costs=day in with_costs)
        self.priced[day] = self.priced.get(day, Decimal(0)) + (used.priced or 0)

    def _line_of(self, project: str | None, model: str, key: str, day: str) -> Line:
        owner = NOBODY if project is None else self.owners.get(project, OTHERS)
        if owner == OTHERS and project is not None:
            self.others.add(project)
        return self._line(owner, {"model": model, "key": key, "day": day, None: ""}[self.by])

    def _line(self, owner: str, what: str = "") -> Line:
        return self.lines.setdefault((owner, what), Line(owner, what))

    def fill(self, known: Mapping[str, Collection[str]], days: Sequence[Day]) -> None:
        """Adds the lines of tenants that used nothing, and zero where OpenAI has costs of the day and no row. `known`
        are the days with costs by tenant."""
        for tenant, with_costs in known.items():
            if self.by is None:
                self._line(tenant)
            if self.by == "day":
                for name in (day.day.isoformat() for day in days):
                    if name not in with_costs:
                        self._line(tenant, name)
        every = {day.day.isoformat() for day in days if day.billed is not None}
        for (owner, what), line in self.lines.items():
            there = known.get(owner, every)
            if line.billed is None and (what in there if self.by == "day" else there):
                line.billed = Decimal(0)
        if self.total.billed is None and every:
            self.total.billed = Decimal(0)


def reckon(model: str, counts: Sequence[int], day: date, *, batch: bool, tier: str | None) -> Used:
    """`counts` are tokens sent, those of them that were cached, tokens answered, and requests."""
    sent, cached, answered, requests = counts
    call = Call(sent, answered, cached)
    processing: Processing = "batch" if batch else "flex" if tier == "flex" else "standard"
    if processing == "standard" and tier not in _STANDARD:
        return Used(model, call, requests, None, f"{prices.SOURCE} has no {tier} price of {model}")
    try:
        return Used(model, call, requests, prices.cost_of_many(model, call, day, processing))
    except NoPrice as error:
        return Used(model, call, requests, None, str(error))


def model_of(item: str) -> str:
    """The model in the name of a cost's line item, as ``gpt-5.4-mini, input_tokens``; other items are themselves."""
    return item.split(", ")[0]


def _days(first: date, today: date, known: Mapping[str, Collection[str]], books: _Books) -> Iterator[Day]:
    """`known` are the days with costs by organization."""
    for number in range((today - first).days + 1):
        day = first + timedelta(days=number)
        name = day.isoformat()
        having = sum(name in found for found in known.values())
        yield Day(
            day,
            books.billed.get(name, Decimal(0)) if having else None,
            books.priced.get(name, Decimal(0)),
            provisional=(today - day).days < PROVISIONAL_DAYS,
            partly=0 < having < len(known),
        )


def _order(line: Line) -> tuple[int, str, str]:
    """Tenants by name, then what is none's."""
    return (line.tenant == OTHERS) + 2 * (line.tenant == NOBODY), line.tenant, line.what
