"""Calculates what tenants without a key cost, for the page on scale: providers, rules, and calls to OpenAI and AWS.

The calls follow from how provisioner and reader work (`functions/provisioner/federation.py`,
`myflux_keys/identity_source.py`), and the prices are those of `docs.watching`.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

from docs.watching import CENT, PRICES
from myflux_keys.admin_budget import CALLS_PER_MINUTE
from myflux_keys.identity import MOST_RULES
from tenancy.aws_prices import SECRET_MONTH

SIZES: Final = (50, 200, 2_000)
EVERY: Final = 240
"""Seconds between two fetches of a tenant's reader: 80 % of its usual `ttl`."""
MONTH: Final = 30 * 24 * 3600
AGAIN: Final = 2_400
"""Seconds that a session of an hour serves, since a token must not outlive it."""


def exchanging() -> str:
    rows = [_row(tenants) for tenants in SIZES]
    headings = ("tenants", "providers", "rules", "calls to list rules for one more", "minutes of them")
    table = [f"| {' | '.join(headings)} |", "|" + "--:|" * len(headings), *(f"| {' | '.join(row)} |" for row in rows)]
    fetches = MONTH // EVERY
    with_key = _usd("Secrets Manager, calls", fetches) + _usd("KMS, decryptions of values", fetches)
    without = _usd("S3, reads", fetches)
    shown = "\n".join(table)
    return f"""## Tenants without a key

A federated tenant ([credentials.md](credentials.md)) takes one federation rule, and {MOST_RULES} rules one identity
provider. To make or delete a rule, the provisioner lists the rules of each of the cell's providers, at
{CALLS_PER_MINUTE} calls a minute; what is made is looked up again in one provider alone.

{shown}

A reader asks again each {EVERY} s by its usual `ttl`, for each tenant that a process calls for: an hour takes
{3600 // EVERY} exchanges at OpenAI, as many tokens of STS and reads of S3, and it assumes the role each {AGAIN // 60}
minutes. STS costs nothing. For one tenant and process that never rests, AWS's side is {_cents(without)} USD a month,
where reading a key is {_cents(with_key)}; the secret's {SECRET_MONTH} is saved too. Such tenants take no hour of the
rotations. `python -m bench keyless` measures a call without a key, and 1,000 threads at a token's end.
"""


def _row(tenants: int) -> tuple[str, ...]:
    providers = math.ceil(tenants / MOST_RULES)
    calls = providers + 1
    return f"{tenants:,}", f"{providers}", f"{tenants:,}", f"{calls}", f"{math.ceil(calls / CALLS_PER_MINUTE)}"


def _usd(line: str, number: int) -> Decimal:
    price, of, _ = PRICES[line]
    return price * number / of


def _cents(usd: Decimal) -> Decimal:
    return usd.quantize(CENT / 10)
