"""The document on scale: one tenant to a hundred thousand, reckoned by `ops.actions.projection`.

Owns the words around the tables. Leaves out every number: those of limits and slots are the product's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from myflux_keys.admin_budget import CALLS_PER_MINUTE
from ops.actions.capacity import PROJECTS, ROLES, SECRETS
from ops.actions.pace import spoken
from ops.actions.projection import Shape, full, project
from ops.stacks.stages import CANARY_SHARE, stages
from tenancy.slot_load import ROTATIONS_AN_HOUR

SIZES = (10, 100, 1_000, 10_000, 100_000)
SHAPES = (
    ("a new key at least every 30 days", Shape()),
    ("every day", Shape(interval_hours=24)),
    ("every 4 hours", Shape(interval_hours=4)),
    ("every 30 days, one tenant in ten with a role and a KMS key of its own", Shape(dedicated=0.1)),
    ("every 30 days, all of them so", Shape(dedicated=1.0)),
)


def scale() -> str:
    return f"""# Scale

A cell is one AWS account and Region with one OpenAI organization, and its limits are its own: growth means more cells,
never bigger ones. Adding a tenant touches one stack, whose cost does not depend on how many there are
(`make bench-fleet` measures it).

## What fills a cell

| limit | of one cell |
|---|--:|
| OpenAI projects of an organization | {PROJECTS:,} |
| secrets of an account and Region | {SECRETS:,} |
| IAM roles of an account | {ROLES:,} |
| rotations in an hour, at {CALLS_PER_MINUTE} calls a minute to each endpoint of the Admin API | {ROTATIONS_AN_HOUR:,} |

{_table(("tenants", "at most in a cell", "full by", f"cells for {SIZES[-1]:,}"), _shapes())}

## From {SIZES[0]} to {SIZES[-1]:,} tenants

A new key at least every 30 days, no role of their own. The busiest hour is a cell's, and OpenAI takes
{ROTATIONS_AN_HOUR:,}. Dollars are for secrets and KMS keys. The last column is how long it takes to rotate every key at
once, the cells side by side.

{_table(_HEADINGS, _sizes())}

## A change to all of them

`myflux-keys up --all` does platforms first, then {_stages(SIZES[-1])}.
It ends at the first platform or canary that fails, and later once more than `--max-failures` have. The stacks know
nothing of each other, so the time is that of one stack, times the stacks, over the workers: `--workers` on one machine,
or those of `--scheduler tcp://HOST:8786`. New tenants can't come faster than OpenAI's {CALLS_PER_MINUTE} calls a minute
and endpoint let them: {ROTATIONS_AN_HOUR:,} projects an hour and cell at the very most, whatever the workers.

Every machine of a scheduler needs a checkout of the same commit (a worker with another one refuses), the deployer's
credentials, `PULUMI_BACKEND_URL` and Pulumi's engine:

    dask scheduler                                        # where the command reaches it
    dask worker tcp://HOST:8786 --nworkers 4 --nthreads 1 # in the checkout, on each machine

Dask runs what it is sent: whoever reaches the scheduler has the deployer's rights. Keep it inside a private network, or
give it TLS (`tls://`, https://distributed.dask.org/en/stable/tls.html).
"""


_HEADINGS = ("tenants", "cells", "stacks", "rotations a day", "busiest hour", "USD a month", "all keys at once")


def _shapes() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for words, shape in SHAPES:
        most = full(shape)
        rows.append((words, f"{most.tenants:,}", most.limit, f"{project(SIZES[-1], shape).cells:,}"))
    return rows


def _sizes() -> list[tuple[str, ...]]:
    return [
        (
            f"{one.tenants:,}",
            f"{one.cells:,}",
            f"{one.stacks:,}",
            f"{one.rotations_a_day:,.1f}",
            f"{one.busiest_hour:,}",
            f"{one.usd_a_month:,.2f}",
            spoken(one.all_now),
        )
        for one in (project(size, Shape()) for size in SIZES)
    ]


def _stages(tenants: int) -> str:
    """The canaries that a fleet of that size has."""
    sizes = [len(stage.stacks) for stage in stages((), [str(one) for one in range(tenants)], canary=True)]
    return f"{sizes[0]} tenant, then {CANARY_SHARE:.0%} of them ({sizes[1]:,} of {tenants:,}), then the rest"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---", *["--:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
