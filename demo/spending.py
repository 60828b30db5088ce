"""The checks that usage and costs are told as OpenAI booked them, and that an estimate is what is billed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from demo.report import CheckFailed, Report
from demo.scene import CELL, Scene
from ops.actions.estimate import DAYS

_REFILLED: Final = 120
"""Seconds after which the Admin API, which the checks before have called, allows as many calls as ever."""
_NEAR: Final = Decimal("0.05")
_CALLS: Final = 5
_PROMPT: Final = "You answer the calls of a travel agency. " * 200
"""Long enough to be cached."""


def usage_and_cost(scene: Scene, report: Report) -> str:
    scene.cell.advance(_REFILLED)
    booked = _booked(scene)
    [cell] = json.loads(scene.command("usage", "--cell", CELL, "--json"))["cells"]
    rows = {row["tenant"]: row for row in cell["rows"]}
    for tenant in scene.managed:
        billed, ours = Decimal(rows[tenant]["billed_usd"]), booked[tenant]
        if not _near(billed, ours, Decimal("1e-6")):
            raise CheckFailed(f"{tenant}: told {billed} USD, OpenAI booked {ours}")
        if not _near(Decimal(rows[tenant]["priced_usd"]), billed, _NEAR):
            raise CheckFailed(f"{tenant}: billed {billed} USD, its tokens cost {rows[tenant]['priced_usd']}")
    total, tokens = Decimal(cell["total"]["billed_usd"]), cell["total"]["input_tokens"]
    report.figures["usd_billed_in_the_demo"] = f"{total:.4f}"
    return (
        f"{total:.4f} USD billed for {cell['total']['requests']} calls with {tokens:,} tokens sent; each of "
        f"{len(scene.managed)} tenants as OpenAI booked it"
    )


def estimate_matches_bill(scene: Scene, report: Report) -> str:
    """The same traffic, with cached tokens, once estimated and once made."""
    tenant = scene.managed[0]
    with scene.reader.openai_client(tenant) as client:
        model = scene.reader.get(tenant).models[0]

        def call() -> Any:
            return client.responses.create(model=model, input=_PROMPT).usage

        call()
        before = _booked(scene)[tenant]
        used = [call() for _ in range(_CALLS)][-1]
    billed = _booked(scene)[tenant] - before
    cached = used.input_tokens_details.cached_tokens
    tokens = ("--input-tokens", used.input_tokens, "--cached", cached, "--output-tokens", used.output_tokens)
    made = json.loads(scene.command("estimate", tenant, "--calls-per-day", str(_CALLS), *map(str, tokens), "--json"))
    estimated = Decimal(made["models"][0]["usd"]) / DAYS
    if not cached or not _near(estimated, billed, _NEAR):
        raise CheckFailed(f"estimated {estimated} USD, billed {billed}, {cached} tokens cached")
    share = abs(estimated - billed) * 100 / billed
    report.figures["percent_that_the_estimate_is_off"] = f"{share:.2f}"
    return f"{_CALLS} calls of {tenant}, {cached:,} of {used.input_tokens:,} tokens cached: {share:.2f} % off the bill"


def _booked(scene: Scene) -> dict[str, Decimal]:
    """US dollars of this month by tenant, from the emulator's own books."""
    spent = {one.name: Decimal(str(one.spent_usd)) for one in scene.cell.openai.projects()}
    return {tenant: spent[scene.names.tenant(tenant).project] for tenant in scene.managed}


def _near(one: Decimal, other: Decimal, share: Decimal) -> bool:
    return abs(one - other) <= share * max(one, other)
