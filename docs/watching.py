"""Calculates what watching a cell's tenants costs, for the page on scale: calls, seconds, dollars, and who pays.

The calls follow from the numbers of tenants and organizations, and a test compares them with a cycle's. The seconds are
those of `python -m bench health`, on one machine and on one day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from functions.health.asking import TOKENS
from functions.health.counting import counted
from functions.health.limits import TURNS
from functions.health.trouble import KINDS
from functions.shared.handover import LONGEST_SECONDS
from myflux_keys.admin_budget import CALLS_PER_MINUTE
from ops import prices
from ops.prices import Call

CYCLES: Final = 720
"""A month of 30 days, every hour."""
MODEL: Final = "gpt-5.4-mini"
INPUT_TOKENS: Final = 10
"""Of the one word that a billed call sends, with what the API adds; rounded up."""
SECONDS_A_TENANT: Final = Decimal("0.15")
"""Assumed of a function in AWS: 1.2 s for a tenant's value and list, eight at a time."""
GIB: Final = Decimal("0.25")
CENT: Final = Decimal("0.01")

PRICES: Final[Mapping[str, tuple[Decimal, int, str]]] = {
    "Secrets Manager, calls": (Decimal("0.05"), 10_000, "https://aws.amazon.com/secrets-manager/pricing/"),
    "KMS, decryptions of values": (Decimal("0.03"), 10_000, "https://aws.amazon.com/kms/pricing/"),
    "S3, reads": (Decimal("0.0004"), 1_000, "https://aws.amazon.com/s3/pricing/"),
    "S3, writes and lists": (Decimal("0.005"), 1_000, "https://aws.amazon.com/s3/pricing/"),
    "Lambda, GB-seconds": (Decimal("0.0000166667"), 1, "https://aws.amazon.com/lambda/pricing/"),
    "CloudWatch, metrics": (Decimal("0.30"), 1, "https://aws.amazon.com/cloudwatch/pricing/"),
    "CloudWatch, alarms": (Decimal("0.10"), 1, "https://aws.amazon.com/cloudwatch/pricing/"),
    "CloudWatch, dashboards": (Decimal("3.00"), 1, "https://aws.amazon.com/cloudwatch/pricing/"),
    "CloudWatch, calls": (Decimal("0.01"), 1_000, "https://aws.amazon.com/cloudwatch/pricing/"),
    "SNS, e-mails": (Decimal("2.00"), 100_000, "https://aws.amazon.com/sns/pricing/"),
}
"""US dollars for so many, in us-east-1 and without free tiers, as known in November 2026."""
E_MAILS: Final = 1_000
"""Assumed in a month."""


_HEADINGS: Final = (
    "tenants",
    "organizations",
    "calls with admin keys",
    "most to an endpoint of one",
    "free calls of tenants' keys",
    "calls to AWS",
    "seconds",
)


@dataclass(frozen=True)
class Cycle:
    """One that was measured. `seconds` without waits for the Admin API."""

    tenants: int
    organizations: int
    admin: int
    busiest: int
    aws: int
    seconds: float


MEASURED: Final = (
    Cycle(10, 1, 12, 4, 29, 0.51),
    Cycle(200, 1, 12, 4, 411, 8.08),
    Cycle(2_000, 1, 16, 4, 4_048, 59.16),
    Cycle(2_000, 200, 2_201, 4, 4_247, 99.11),
)
MEASURED_ON: Final = "Measured on 30 November 2026, on two cores that others used at the same time."


def aws_calls(tenants: int, organizations: int) -> dict[str, int]:
    """Of one cycle, by operation. With more than one organization they are customers', each with an admin key a tenant,
    of which one is read."""
    return {
        "GetObject": tenants + 2,
        "GetSecretValue": tenants + organizations,
        "ListObjectsV2": math.ceil(tenants / 1_000),
        "ListSecrets": 2 * math.ceil(tenants / 100),
        "PutMetricData": 1,
        "PutObject": 2,
    }


def month(tenants: int, organizations: int) -> dict[str, tuple[Decimal, Decimal]]:
    """By line of PRICES: how many in a month, and US dollars."""
    calls = {name: Decimal(count * CYCLES) for name, count in aws_calls(tenants, organizations).items()}
    metrics = len(counted((), watched=0, silent=0))
    alarms = len({kind.metric for kind in KINDS.values() if not kind.quiet}) + 1
    numbers = {
        "Secrets Manager, calls": calls["GetSecretValue"] + calls["ListSecrets"],
        "KMS, decryptions of values": calls["GetSecretValue"],
        "S3, reads": calls["GetObject"],
        "S3, writes and lists": calls["PutObject"] + calls["ListObjectsV2"],
        "Lambda, GB-seconds": tenants * SECONDS_A_TENANT * GIB * CYCLES,
        "CloudWatch, metrics": Decimal(metrics),
        "CloudWatch, alarms": Decimal(alarms),
        "CloudWatch, dashboards": Decimal(1),
        "CloudWatch, calls": calls["PutMetricData"],
        "SNS, e-mails": Decimal(E_MAILS),
    }
    return {line: (count, count * PRICES[line][0] / PRICES[line][1]) for line, count in numbers.items()}


def total(tenants: int, organizations: int) -> Decimal:
    return sum((usd for _, usd in month(tenants, organizations).values()), Decimal(0)).quantize(CENT)


def records(tenants: int) -> Decimal:
    """US dollars a month: one read a cycle of who handed the key over."""
    return tenants * CYCLES * PRICES["S3, reads"][0] / PRICES["S3, reads"][1]


def handing_over(tenants: int) -> Decimal:
    """US dollars a rotation: one list of versions a cycle, for as long as an old key may live."""
    cycles = LONGEST_SECONDS // 3600
    return tenants * cycles * PRICES["Secrets Manager, calls"][0] / PRICES["Secrets Manager, calls"][1]


def billed_calls(tenants: int) -> Decimal:
    """US dollars a month if no tenant has any traffic: one call a day each, with as many tokens as it may have."""
    return tenants * 30 * prices.cost(MODEL, Call(INPUT_TOKENS, TOKENS), prices.day_of([MODEL]))


def watching() -> str:
    lines = [f"| {line} | {count:,.0f} | {usd:,.2f} |" for line, (count, usd) in month(2_000, 1).items()]
    cycles = [
        f"| {one.tenants:,} | {one.organizations:,} | {one.admin:,} | {one.busiest} | {one.tenants:,} | {one.aws:,} "
        f"| {one.seconds:,.1f} |"
        for one in MEASURED
    ]
    sources = ",\n".join(dict.fromkeys(source for _, _, source in PRICES.values()))
    idle = f"{billed_calls(2_000):,.2f} a month with {MODEL}, {billed_calls(1) * 100:,.2f} cents a tenant"
    return f"""## Watching them

The health function looks at every tenant once an hour. Calls with an admin key are grouped, so they grow with the
organizations and not with the tenants, and stay within {CALLS_PER_MINUTE} a minute to each endpoint. The limits of
{TURNS} tenants of each organization are read in a cycle, in turn. Each tenant's key makes one call that OpenAI does not
bill. `python -m bench health` measures a cycle against the local cell; in AWS the way to OpenAI is longer.
{MEASURED_ON}

| {" | ".join(_HEADINGS)} |
|--:|--:|--:|--:|--:|--:|--:|
{chr(10).join(cycles)}

AWS's side of 2,000 tenants in one organization, in a month of {CYCLES} cycles, in dollars, without free tiers. Assumed
are {SECONDS_A_TENANT} s of the function a tenant, and {E_MAILS:,} e-mails. Prices of us-east-1 in November 2026:
{sources}.

| line | number | USD a month |
|---|--:|--:|
{chr(10).join(lines)}
| **all** | | **{total(2_000, 1):,.2f}** |

In 200 customers' organizations it is {total(2_000, 200):,.2f}: an admin key is read for each. We pay AWS's side.
A tenant with `cinnox` adds a read of its record to each cycle, which is {records(2_000):,.2f} a month for 2,000 of
them; and while an old key may live a list of its secret's versions, at most {handing_over(1):,.4f} a rotation.

OpenAI's side is paid by whose organization makes the call: we for managed tenants, a customer for their own key or
organization. Only a tenant without traffic gets a billed call, once a day, of at most {TOKENS} output tokens. If none
of 2,000 had any traffic, that is {idle}. Refused calls cost nothing.
"""
