"""`myflux-keys models`: price, context, limits, end and replacement of each model."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from ops.actions import models as known
from ops.actions.models import ModelFacts
from ops.cli import options, output
from ops.cli.table import table, wrapped
from ops.prices import SOURCE, are_old, page


def models(
    tenant: Annotated[
        str | None,
        typer.Option(
            help="The models of one tenant, with its limits and the lines of its file to change.",
            show_default=False,
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show what a model costs for a million tokens, its context, when OpenAI ends it, and what replaces it.

    Asks nobody: models and their ends are those of tenancy/data/, prices those of the package genai-prices. OpenAI may
    have announced an end since.
    """
    today = datetime.now(UTC).date()
    file = known.file_of(fleet, tenant) if tenant else None
    found = known.of_tenant(file, today) if file else known.offered(today)
    lines, as_of = known.lines(file) if file else "", known.as_of(found)
    output.result(
        {
            "tenant": tenant,
            "models": [_facts(one) for one in found],
            "change": lines.splitlines(),
            "prices": {"source": SOURCE, "as_of": as_of.isoformat() if as_of else None, "old": are_old(as_of, today)},
        },
        _text(found, tenant, lines, _dated(as_of, today)),
        as_json=as_json,
    )


def _dated(as_of: date | None, today: date) -> str:
    told = f"{SOURCE}, read on {as_of.isoformat() if as_of else 'an unknown day'}."
    return f"{told} They are old: compare them with {page()}." if are_old(as_of, today) else told


def _text(found: list[ModelFacts], tenant: str | None, lines: str, dated: str) -> str:
    shown = found if tenant else known.told_apart(found)
    rows = [
        (
            one.model,
            _usd(one.price and one.price.input),
            _usd(one.price and one.price.cached),
            _usd(one.price and one.price.output),
            f"{one.price.context / 1000:,g}k" if one.price and one.price.context else "-",
            one.ends.isoformat() if one.ends else "-",
            one.replacement or "-",
        )
        for one in shown
    ]
    blocks = [
        table(("MODEL", "SENT", "CACHED", "ANSWER", "CONTEXT", "ENDS", "REPLACED BY"), rows),
        *wrapped(
            "SENT, CACHED, ANSWER: USD for a million tokens, standard processing, shortest prompts, before tax; "
            f"{dated} CONTEXT: thousands of tokens."
        ),
    ]
    if len(shown) < len(found):
        blocks += wrapped("Left out: dated snapshots of which all this is the same. --json has them.")
    if tenant:
        limits = [(one.model, _allowed(one), *_limits(one)) for one in shown]
        blocks.append("\n" + table(("MODEL", "ALLOWED", "REQUESTS/MIN", "TOKENS/MIN"), limits))
        blocks += wrapped("Limits are those of the tenant's file. \"-\": it has none, and the organization's apply.")
    if lines:
        blocks.append(f"\nTo replace what ends, in tenants/{tenant}.yaml:\n{lines}")
    return "\n".join(blocks)


def _usd(usd: Decimal | None) -> str:
    return "-" if usd is None else f"{usd.normalize():f}"


def _allowed(one: ModelFacts) -> str:
    return "default" if one.default else "yes" if one.allowed else "no"


def _limits(one: ModelFacts) -> tuple[str, str]:
    limit = one.limit
    return (f"{limit.requests_per_minute:,}", f"{limit.tokens_per_minute:,}") if limit else ("-", "-")


def _facts(one: ModelFacts) -> dict[str, Any]:
    price, limit = one.price, one.limit
    return {
        "model": one.model,
        "usd_a_million_tokens": {
            kind: str(usd) if (usd := getattr(price, kind)) is not None else None
            for kind in ("input", "cached", "output")
        }
        if price
        else None,
        "priced_as": price.model if price else None,
        "context": price.context if price else None,
        "ends": one.ends.isoformat() if one.ends else None,
        "replacement": one.replacement,
        "allowed": one.allowed,
        "default": one.default,
        "limits": limit.model_dump() if limit else None,
    }
