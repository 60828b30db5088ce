"""What a change does to tenants, as their files say it: who is new, who differs and how, and whose file is gone.

Leaves out resources (`difference`). Some fields, as a tenant's name and country, are part of no resource.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ops.review.remark import Outcome, Remark
from ops.review.source_lines import Places
from ops.review.stacks import Files
from tenancy import Fleet, Tenant
from tenancy.spending import Budget

What = Literal["new", "changed", "off-boarded", "file removed"]

FIELDS: Final = (
    *("cell", "name", "country", "source", "models", "budget", "rotation", "isolation", "enabled"),
    *("permission", "consumers", "rate_limits", "alerts", "credential"),
)


@dataclass(frozen=True)
class TenantChange:
    """`before` and `after` hold `FIELDS` as text. `before` is empty for a new tenant, `after` for one without a
    file."""

    tenant: str
    what: What
    before: Mapping[str, str]
    after: Mapping[str, str]


def tenant_changes(then: Files, now: Files, gone: Collection[str]) -> tuple[TenantChange, ...]:
    """By slug. `gone` are the tenants whose file was removed and not archived. A tenant whose file is wrong on one side
    is left out: the problem in its file is reported instead."""
    return tuple(_changes(then, now, gone))


def switched(changes: Iterable[TenantChange], places: Places) -> Iterator[Remark]:
    """Advice where a deployed tenant's credential differs: the diff does not show whether the command made it."""
    for one in changes:
        was, becomes = one.before.get("credential"), one.after.get("credential")
        if one.what == "changed" and was != becomes:
            yield Remark(
                rule="credential-changed",
                outcome=Outcome.ADVICE,
                severity="high",
                message=f"{one.tenant}: credential {was} → {becomes}",
                why="`myflux-keys credential` proves the new one by a call, and waits for readers, before the old one "
                "ends. `up` of a file that a person edited ends the old one at once.",
                fix=f"merge it if `myflux-keys credential {one.tenant}` wrote it; else undo it, and run that command.",
                place=places.named(f"tenants/{one.tenant}.yaml"),
            )


def kept(then: Fleet, now: Fleet, gone: Collection[str]) -> Fleet:
    """`now` with the tenants of `then` whose file is `gone`: removing a file removes nothing else, so their projects
    and secrets still count."""
    left = {slug: then.tenants[slug] for slug in gone if slug in then.tenants and then.tenants[slug].cell in now.cells}
    return Fleet({**left, **now.tenants}, now.cells)


def _changes(then: Files, now: Files, gone: Collection[str]) -> Iterator[TenantChange]:
    wrong = {problem.file for problem in (*then.problems, *now.problems)}
    was, are = then.fleet.tenants, now.fleet.tenants
    for slug in sorted({*was, *are}):
        if f"tenants/{slug}.yaml" in wrong or (slug in was and was[slug] == are.get(slug)):
            continue
        before = _fields(was[slug]) if slug in was else {}
        after = _fields(are[slug]) if slug in are else {}
        what: What = "changed" if before and after else "new" if after else "off-boarded"
        if before != after:
            yield TenantChange(slug, "file removed" if slug in gone else what, before, after)


def _fields(tenant: Tenant) -> dict[str, str]:
    budget, rotation = tenant.budget, tenant.rotation
    texts = (
        tenant.cell,
        tenant.name,
        tenant.country,
        f"{tenant.source}, {tenant.organization_id}" if tenant.organization_id else tenant.source,
        ", ".join(tenant.models),
        f"{budget.monthly_usd:,} USD a month{'' if budget.hard else ', alerts only'}" if budget else "none",
        f"every {_interval(rotation.interval_hours)}, overlap {rotation.overlap_hours} h" if rotation else "none",
        tenant.isolation,
        "true" if tenant.enabled else "false",
        tenant.permission or "",
        ", ".join(one.name for one in tenant.consumers.used),
        "; ".join(
            f"{model} {limit.requests_per_minute:,} requests and {limit.tokens_per_minute:,} tokens a minute"
            for model, limit in tenant.rate_limits.items()
        ),
        _alerts(budget),
        f"{tenant.credential}, switching from {tenant.switching_from}" if tenant.switching_from else tenant.credential,
    )
    return dict(zip(FIELDS, texts, strict=True))


def _alerts(budget: Budget | None) -> str:
    if budget is None or not budget.alert_percent:
        return ""
    return f"{', '.join(map(str, budget.alert_percent))} % to {', '.join(budget.emails)}"


def _interval(hours: int) -> str:
    return f"{hours} h" if hours < 24 else f"{hours // 24} days"
