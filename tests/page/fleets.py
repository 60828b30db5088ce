"""Fleets to show: one with each state and each kind of fact, and one of any number of tenants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ops.actions.fleet_view import (
    ORDER,
    CellView,
    DayView,
    FleetView,
    KeyTimes,
    ModelView,
    Severity,
    SpendView,
    TenantView,
    TroubleView,
    by_need,
)

NOW = datetime(2026, 11, 30, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

MODELS = (
    ModelView("gpt-5-mini", True, date(2026, 12, 11), "gpt-5.4-mini", 500, 200_000),
    ModelView("gpt-4.1", False, date(2027, 1, 14), "gpt-5.4", 60, None),
    ModelView("gpt-5.4-nano", False, None, None, None, None),
)
KEY = KeyTimes(
    minted=NOW - 9 * DAY,
    promoted=NOW - 9 * DAY + timedelta(minutes=2),
    overlap_ends=NOW - 8 * DAY,
    expires=NOW + 25 * DAY,
    next_rotation=NOW + 21 * DAY,
)


def spend(usd: str, budget: int | None, *, without: tuple[int, ...] = (), hard: bool = True) -> SpendView:
    """Weekdays at `usd`, less at weekends. `without`: days ago that OpenAI has not told."""
    days = [NOW.date() - timedelta(days=ago) for ago in reversed(range(35)) if ago not in without]
    told = tuple(
        DayView(day, Decimal(usd) * (3 + day.day % 4) / 5 / (4 if day.weekday() > 4 else 1), day >= NOW.date() - DAY)
        for day in days
    )
    month = sum((one.usd for one in told if one.day.month == NOW.month), Decimal(0))
    limit = Decimal(budget) if budget is not None and hard else None
    return SpendView(told, month, budget, hard if budget is not None else None, limit, NOW - timedelta(minutes=12))


def trouble(
    kind: str, severity: Severity, sentence: str, ago: timedelta | None, do: str, command: str | None
) -> TroubleView:
    since = None if ago is None else NOW - ago
    return TroubleView(kind, severity, sentence, since, do, command, f"docs/runbook.md#{kind.replace('_', '-')}")


BROKEN = TenantView(
    "solmar",
    "Clínica Sol y Mar",
    "managed",
    enabled=True,
    readable=True,
    state="calls fail",
    severity="broken",
    troubles=(
        trouble(
            "project_spend_limit",
            "broken",
            "OpenAI blocks its calls: the project's spend limit of $200.00 is reached",
            3 * HOUR,
            "raise budget.monthly_usd in its file and deploy it, or wait for 1 December, 00:00 UTC",
            "myflux-keys up solmar",
        ),
        trouble(
            "model_retiring",
            "attention",
            "its default model gpt-5-mini is shut down on 11 December 2026",
            19 * DAY,
            "put gpt-5.4-mini first in its file",
            "myflux-keys models --tenant solmar",
        ),
    ),
    key=KEY,
    spend=spend("9.9", 200),
    requests=2_060,
    models=MODELS,
    consumers=("myflux", "cinnox"),
    seen=NOW - timedelta(minutes=14),
)
ATTENTION = TenantView(
    "acme",
    "Acme Travel",
    "managed",
    enabled=True,
    readable=True,
    state="rotation late",
    severity="attention",
    troubles=(
        trouble(
            "rotation_late",
            "attention",
            "its key is 4 days older than its rotation allows",
            4 * DAY,
            "rotate it now, and read what the rotation says",
            "myflux-keys rotate acme",
        ),
    ),
    key=KeyTimes(NOW - 34 * DAY, NOW - 34 * DAY, None, NOW + 2 * DAY, NOW - 4 * DAY, "3f1d9c52-pending"),
    spend=spend("2.5", 120, without=(0, 11, 12), hard=False),
    requests=61,
    models=MODELS[:1],
    consumers=("myflux",),
    seen=NOW - HOUR,
)
UNKNOWN = TenantView("nordlys", "Nordlys Hotell", "customer", True, None, "no answer", "unknown")
OFF = TenantView("old-shop", "Old Shop", "managed", False, False, "disabled", "off", key=KEY, models=MODELS[2:])
OK = TenantView(
    "lumen",
    "Lumen Dental",
    "managed",
    enabled=True,
    readable=True,
    state="ok",
    severity="ok",
    key=KEY,
    spend=spend("0.004", None, without=(0,)),
    requests=0,
    models=MODELS[1:],
    consumers=("myflux",),
    seen=NOW - timedelta(minutes=20),
)
KEYLESS = TenantView(
    "harbor",
    "Harbor Hotels",
    "managed",
    enabled=True,
    readable=None,
    state="tokens",
    severity="ok",
    spend=spend("1.2", 60),
    requests=240,
    models=MODELS[1:],
    consumers=("myflux",),
    seen=NOW - timedelta(minutes=20),
    keyless=True,
)
HOSTILE = (
    "</script><script>document.title = 'owned'</script>",
    "<img src=x onerror=\"document.title = 'owned'\">",
    "\u202egnirts desrever\u202c & <b>bold</b>",
    "שלום <!-- --> ]]>",
    "\u2028\u2029\\u003c\"'`${1}",
)
OUT_OF_CREDIT = trouble(
    "balance_gone",
    "broken",
    "the organization MyFlux EU has no credit left: every call of its tenants fails",
    2 * HOUR,
    "its owner buys credit in OpenAI's billing page; nothing here needs to be changed",
    None,
)


_QUIET = (
    "Panadería Ola", "Praxis am See", "Mercado Central", "Hotel Alba", "Casa Verde", "Kaffee Nord", "Ferretería Vega",
    "Librería Faro", "Óptica Luz", "Bistro Linden", "Taller Mora", "Museo Azul", "Farmacia Rey",
)  # fmt: skip


def one_of_each() -> FleetView:
    quiet = tuple(
        TenantView(slug, name, "managed", True, True, "ok", "ok", key=KEY, spend=spend("1", 60), models=MODELS[2:])
        for slug, name in ((name.split()[-1].lower(), name) for name in _QUIET)
    )
    tenants = by_need((BROKEN, ATTENTION, UNKNOWN, OFF, OK, *quiet))
    return FleetView(NOW, (CellView("prod-eu1", NOW, NOW - timedelta(minutes=20), (), tenants),))


def in_order() -> FleetView:
    return FleetView(NOW, (CellView("prod-eu1", NOW, NOW - timedelta(minutes=20), (), (OK,)),))


def without_a_key() -> FleetView:
    return FleetView(NOW, (CellView("prod-eu1", NOW, NOW - timedelta(minutes=20), (), (KEYLESS,)),))


def empty() -> FleetView:
    return FleetView(NOW, (CellView("local", NOW, None, (), ()),))


def a_cell_without_credit() -> FleetView:
    through = tuple(
        TenantView(
            f"shop-{number}",
            f"Shop {number}",
            "managed",
            True,
            True,
            "out of credit",
            "broken",
            through=OUT_OF_CREDIT.sentence,
        )
        for number in range(1, 25)
    )
    first = CellView("prod-eu1", NOW, NOW - timedelta(minutes=20), (OUT_OF_CREDIT,), by_need((*through, ATTENTION)))
    return FleetView(NOW, (first, CellView("prod-us1", NOW, None, (), (OK,))))


def hostile() -> FleetView:
    tenants = tuple(
        TenantView(
            f"bad-{number}",
            text,
            "customer",
            True,
            True,
            f"state {text}",
            ORDER[number],
            (trouble("kind", ORDER[number], f"Sentence {text}", None, f"Do {text}", f"command {text}"),),
            through=text,
            models=(ModelView(text, True, None, text, 1, 1),),
            consumers=(text,),
        )
        for number, text in enumerate(HOSTILE)
    )
    return FleetView(NOW, (CellView("cell", NOW, NOW, (OUT_OF_CREDIT,), tenants),))


def of(number: int, *, all_troubled: bool = False) -> FleetView:
    """`number` tenants that work like a real fleet: three of 50 have trouble. Names, amounts and times differ."""
    return FleetView(NOW, (CellView("prod-eu1", NOW, NOW, (), by_need(_many(number, all_troubled))),))


def _many(number: int, all_troubled: bool) -> Iterator[TenantView]:
    for each in range(number):
        severity = "broken" if all_troubled else ORDER[each % 50] if each % 50 < len(ORDER) else "ok"
        slug, ago, told = f"tenant-{each:05}", timedelta(minutes=each), ()
        if severity in ("broken", "attention", "unknown"):
            sentence = f"its key is {each} hours older than its rotation allows"
            do = "rotate it now, and read what the rotation says"
            told = (trouble("rotation_late", severity, sentence, each * HOUR, do, f"myflux-keys rotate {slug}"),)
        yield TenantView(
            slug,
            f"Customer number {each} of the fleet",
            "managed",
            enabled=severity != "off",
            readable=severity != "off",
            state=severity,
            severity=severity,
            troubles=told,
            key=KeyTimes(NOW - 9 * DAY - ago, NOW - 9 * DAY, NOW - 8 * DAY - ago, NOW + 25 * DAY - ago, NOW + 21 * DAY),
            spend=spend(f"{each % 97}.37", 100 + each),
            requests=each,
            models=MODELS,
            consumers=("myflux",),
            seen=NOW - timedelta(minutes=each % 60),
        )
