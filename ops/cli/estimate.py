"""`myflux-keys estimate`: what a tenant's month costs at a given load."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ops.actions.estimate import DAYS, Estimate, Load, Need, estimate_file, tokens_of
from ops.cli import options, output
from ops.cli.table import counted, table, wrapped
from ops.errors import OperationError
from ops.prices import SOURCE, Call, page

TEXT_MOST = 10_000_000
"""Characters of a file: more is not one call's text."""


def estimate(
    tenant: options.Tenant,
    calls_per_day: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="Model calls a day.")] = 1000,
    input_tokens: Annotated[
        int | None,
        typer.Option(min=0, max=10_000_000, help="Tokens that a call sends. Give this or --text.", show_default=False),
    ] = None,
    output_tokens: Annotated[
        int, typer.Option(min=0, max=10_000_000, help="Tokens of an answer; reasoning tokens are among them.")
    ] = 300,
    cached: Annotated[
        int, typer.Option(min=0, max=10_000_000, help="How many of the tokens sent OpenAI reads from its cache.")
    ] = 0,
    text: Annotated[
        Path | None,
        typer.Option(
            help="A file with what a call sends, in place of --input-tokens: a token is about 4 characters or 0.75 "
            "words, whichever gives more.",
            show_default=False,
        ),
    ] = None,
    flex: Annotated[bool, typer.Option("--flex", help="Price of service_tier flex.")] = False,
    batch: Annotated[bool, typer.Option("--batch", help="Price of OpenAI's Batch API.")] = False,
    busy_hours: Annotated[
        float,
        typer.Option(min=0.1, max=24, help="Hours of a day that the calls spread over, for the limits of a minute."),
    ] = 10,
    day_limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="OpenAI's limit of a day for the model, from Settings, Limits on its site: requests, or with --batch "
            "the tokens sent. Without it that figure is shown and not judged.",
            show_default=False,
        ),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show what 30 days cost by model at a load, and whether the tenant's rate limits and budget hold.

    Asks nobody: prices are those of the package genai-prices, whose date is shown, before tax. Exits with 1 when a
    model has no price, since the total would be incomplete.
    """
    if (input_tokens is None) == (text is None):
        raise OperationError("give either --input-tokens or --text FILE: how much a call sends decides its price.")
    if flex and batch:
        raise OperationError("give --flex or --batch, not both: a call is processed in one way.")
    sent = tokens_of(_read(text)) if text is not None else input_tokens or 0
    if cached > sent:
        raise OperationError(f"--cached {cached} is more than a call sends, which is {counted(sent, 'token')}.")
    load = Load(
        calls_per_day,
        Call(sent, output_tokens, cached),
        "batch" if batch else "flex" if flex else "standard",
        Decimal(str(busy_hours)),
        day_limit,
    )
    made = estimate_file(fleet, tenant, load, datetime.now(UTC).date())
    output.result(_facts(made), _text(made), as_json=as_json)
    if not made.complete:
        without = ", ".join(one.model for one in made.models if one.usd is None)
        output.fail(f"the estimate is incomplete: no price of {without}. No other model's price was taken for it.")


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise OperationError(f"cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise OperationError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.") from None
    if len(text) > TEXT_MOST:
        raise OperationError(f"{path} has {len(text):,} characters; one call's text has at most {TEXT_MOST:,}.")
    return text


def _text(made: Estimate) -> str:
    load, call = made.load, made.load.call
    headings = ("MODEL", "USD", *(_HEADINGS[need.what] for need in made.models[0].needs))
    rows = [(one.model, _usd(one.usd), *map(_need, one.needs)) for one in made.models]
    before = (
        f"{made.tenant}: {counted(load.calls_a_day, 'call')} a day, each with {counted(call.input, 'token')} sent "
        f"({call.cached:,} cached) and {call.output:,} answered, {load.processing} processing; {DAYS} days from "
        f"{made.first.isoformat()}. Each line is for all calls by that model."
    )
    after = [
        *(f"{one.model}: {one.remark.rstrip('.')}." for one in made.models if one.remark),
        _aws(made),
        _budget(made),
        _rates(load),
        _dated(made),
    ]
    below = [line for sentence in after for line in wrapped(sentence)]
    return "\n".join([*wrapped(before), table(headings, rows), *below])


def _aws(made: Estimate) -> str:
    if not made.secrets:
        return "AWS: nothing, since a federated tenant has no secret."
    secrets = "the secret" if made.secrets == 1 else f"{made.secrets} secrets"
    return f"AWS: {made.aws_usd:.2f} USD for {secrets}{' and the KMS key' if made.dedicated else ''}."


_HEADINGS: Final = {
    "requests a minute": "REQUESTS/MIN",
    "tokens a minute": "TOKENS/MIN",
    "requests a day": "REQUESTS/DAY",
    "tokens sent in batches a day": "TOKENS SENT/DAY",
}


def _rates(load: Load) -> str:
    if load.processing == "batch":
        told = (
            "Rate limits: batches use up no requests or tokens a minute. OpenAI limits the tokens sent that wait in "
            "batches"
        )
        return f"{told}." if load.day_limit else f"{told}: --day-limit judges it."
    told = (
        f"Rate limits: the calls spread evenly over {load.busy_hours.normalize():f} hours of the day. A figure without "
        "a limit is not judged: the tenant's file has none for this model, and OpenAI's own may be lower"
    )
    return f"{told}." if load.day_limit else f"{told}. --day-limit judges requests a day."


def _usd(usd: Decimal | None) -> str:
    return "no price" if usd is None else f"{usd:,.2f}"


def _need(need: Need) -> str:
    needed = f"{need.needed:,.0f}" if need.needed == need.needed.to_integral_value() else f"{need.needed:,.1f}"
    if need.limit is None:
        return needed
    return f"{needed} of {need.limit:,}{'' if need.holds else ': TOO MANY'}"


def _budget(made: Estimate) -> str:
    if made.budget is None or made.budget.limit is None:
        return "Budget: none in the tenant's file, or no price to compare it with."
    share = made.budget.needed * 100 / made.budget.limit
    told = f"Budget: {made.budget.limit:,} USD a month; the default model needs {share:.1f} % of it."
    if made.budget.holds:
        return told
    return told + (" OpenAI blocks the calls after it is spent." if made.hard else " Alerts only: calls go on.")


def _dated(made: Estimate) -> str:
    if made.prices_as_of is None:
        return f"Prices: {SOURCE}, which does not say when it read them: compare them with {page()}."
    age = (made.first - made.prices_as_of).days
    told = f"Prices: {SOURCE}, read on {made.prices_as_of.isoformat()}, {counted(age, 'day')} ago, before tax."
    return f"{told} They are old: compare them with {page()}." if made.old else told


def _facts(made: Estimate) -> dict[str, Any]:
    load, call = made.load, made.load.call
    return {
        "tenant": made.tenant,
        "from": made.first.isoformat(),
        "days": DAYS,
        "load": {
            "calls_a_day": load.calls_a_day,
            "input_tokens": call.input,
            "cached_tokens": call.cached,
            "output_tokens": call.output,
            "processing": load.processing,
            "busy_hours": str(load.busy_hours),
        },
        "complete": made.complete,
        "models": [
            {
                "model": one.model,
                "usd": None if one.usd is None else f"{one.usd:.6f}",
                "priced_as": one.priced_as,
                "remark": one.remark,
                "limits": [
                    {"what": need.what, "needed": f"{need.needed:.3f}", "limit": need.limit, "holds": need.holds}
                    for need in one.needs
                ],
            }
            for one in made.models
        ],
        "aws_usd": f"{made.aws_usd:.2f}",
        "budget": None
        if made.budget is None
        else {
            "monthly_usd": made.budget.limit,
            "needed_usd": f"{made.budget.needed:.6f}",
            "holds": made.budget.holds,
            "hard": made.hard,
        },
        "prices": {
            "source": SOURCE,
            "as_of": made.prices_as_of.isoformat() if made.prices_as_of else None,
            "old": made.old,
        },
    }
