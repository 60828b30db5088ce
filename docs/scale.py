"""Generates the page on scale, from one tenant to a hundred thousand. `ops.actions.projection` calculates the numbers,
`docs.watching` those of watching the tenants; `docs.growing` has those of deploying them, `docs.seeing` those of the
page that shows them, `docs.handing_in` those of the page where customers hand in keys, and `docs.exchanging` those of
tenants without a key."""

from __future__ import annotations

from collections.abc import Sequence

from docs.exchanging import exchanging
from docs.growing import growing
from docs.handing_in import handing_in
from docs.seeing import seeing
from docs.watching import watching
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
    ("every 30 days, every tenant with a role and a KMS key of its own", Shape(dedicated=1.0)),
)


def scale() -> str:
    return f"""# Scale

A cell is one AWS account and Region with one OpenAI organization. It has its own limits, so more tenants need more
cells. Adding a tenant changes one stack, and its cost does not depend on the number of tenants (`make bench-fleet`
measures it).

## The limits of a cell

| limit | of one cell |
|---|--:|
| OpenAI projects of an organization | {PROJECTS:,} |
| secrets of an account and Region | {SECRETS:,} |
| IAM roles of an account | {ROLES:,} |
| rotations in an hour, at {CALLS_PER_MINUTE} calls a minute to each endpoint of the Admin API | {ROTATIONS_AN_HOUR:,} |

{_table(("rotation", "most tenants in a cell", "first limit", f"cells for {SIZES[-1]:,}"), _shapes())}

## From {SIZES[0]} to {SIZES[-1]:,} tenants

With a new key at least every 30 days, and no roles of their own. The busiest hour counts the rotations of one cell; the
limit is {ROTATIONS_AN_HOUR:,}. Dollars are for secrets and KMS keys. The last column is the time to rotate every key
now, in all cells at the same time.

{_table(_HEADINGS, _sizes())}

{growing()}
{watching()}
{exchanging()}
{seeing()}
{handing_in()}
## A change to all of them

`myflux-keys up --all` deploys the platforms first, then {_stages(SIZES[-1])}.
The run ends when a platform or a canary fails, and later once more than `--max-failures` stacks have failed. Stacks are
independent, so the time is (time of one stack) × stacks / workers: `--workers` on one machine, or the workers of
`--scheduler tcp://HOST:8786`. Only stacks that changed count: a tenant's stack whose mark shows no change is passed
over, which takes about 10 ms of CPU (`make bench-fleet`). OpenAI's limit of {CALLS_PER_MINUTE} calls a minute to each
endpoint allows at most
{ROTATIONS_AN_HOUR:,} new tenants an hour in a cell, whatever the number of workers.

Every machine of a scheduler needs a checkout of the same commit (a worker with another one refuses its jobs), the
deployer's credentials and Pulumi's engine; the state of each cell is where its file says ([state.md](state.md)):

    dask scheduler --no-dashboard            # on a machine that the command can reach
    dask worker tcp://HOST:8786 --no-dashboard --nworkers 4 --nthreads 1  # in the checkout, on each machine

Dask runs any code that it receives: everybody who can reach the scheduler has the deployer's rights. Keep it in a
private network, or use TLS (`tls://`, https://distributed.dask.org/en/stable/tls.html).
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
    """The stages for so many tenants, as a phrase."""
    sizes = [len(stage.stacks) for stage in stages((), [str(one) for one in range(tenants)], canary=True)]
    return f"{sizes[0]} tenant, then {CANARY_SHARE:.0%} of the tenants ({sizes[1]:,} of {tenants:,}), then the others"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---", *["--:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
