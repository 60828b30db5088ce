"""Which tenants' stacks need no run of the engine: their marks hold, and AWS has their secrets as the files say.

Owns what must hold before a mark is trusted. A skip loses nothing that `up` does: it looks at the same secrets as `up`
does before the engine (`check_secrets`), and a stack that a lock, a note of a lost worker or any doubt is about goes to
the engine. What `up` does not see either, such as an alarm that somebody deleted, a `refresh` finds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

import tenancy
from ops import state_place
from ops.account import Account
from ops.errors import OperationError
from ops.selection import cell_of
from ops.stacks import check_secrets, lock_holder, mark, mark_place, sources
from ops.stacks.deciding import Deciding
from ops.stacks.mark_place import MarkPlace
from tenancy import Cell, Fleet, Tenant

_CALLS_AT_ONCE: Final = 4
"""Each stack takes one GetResourcePolicy, of which AWS allows 50 a second for an account and Region:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html"""


def find(fleet: Path, tenants: Mapping[str, str]) -> set[str]:
    """`tenants` maps stacks to tenants' slugs. Raises OperationError where a cell has no backend."""
    try:
        models = tenancy.load(fleet, only=sorted(set(tenants.values())))
    except tenancy.TenancyError:
        # The program says which file is wrong, and stops that stack alone.
        return set()
    code = sources.code_digest()
    found: set[str] = set()
    for slug in sorted(set(map(cell_of, tenants))):
        at = state_place.of(models.cells.get(slug))
        marks = mark_place.opened(at.url)
        stacks = [stack for stack in tenants if cell_of(stack) == slug]
        if marks is None or slug not in models.cells:
            continue
        here = Deciding(fleet, slug, marks, own_settings=not at.secrets_provider, code=code)
        # A worker that is at a stack, or was lost there.
        busy = marks.locked() | lock_holder.noted(lock_holder.notes(at.url))
        held = holding(here, marks, [stack for stack in stacks if stack not in busy])
        found |= _as_in_aws(models, models.cells[slug], {stack: tenants[stack] for stack in held})
    return found


def holding(here: Deciding, marks: MarkPlace, stacks: Collection[str]) -> list[str]:
    """The stacks whose marks hold. What is cheap is compared first: most runs then need nothing else."""
    versions = {stack: version for stack in stacks if (version := marks.version(stack))}
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        found = dict(zip(versions, map(mark.read, pool.map(marks.mark, versions)), strict=True))
    likely = {
        stack: one
        for stack, one in found.items()
        if one and one.state == versions[stack] and astuple(one.decided_by)[:-2] == here.here(stack)
    }
    return [stack for stack, one in likely.items() if one.decided_by == here.all(stack)]


def _as_in_aws(models: Fleet, cell: Cell, held: Mapping[str, str]) -> set[str]:
    if not held:
        return set()
    with Account(cell, "up") as account, ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        # Made before the threads, since a session is not for several at once.
        _ = account.secrets, account.roles
        is_alike = partial(_is_as_in_aws, account, cell)
        try:
            alike = pool.map(is_alike, [models.tenants[slug] for slug in held.values()])
            return {stack for stack, same in zip(held, alike, strict=True) if same}
        finally:
            pool.shutdown(cancel_futures=True)


def _is_as_in_aws(account: Account, cell: Cell, tenant: Tenant) -> bool:
    """False also where it could not be read: the worker then says why."""
    try:
        return not check_secrets.in_aws(account, cell, tenant, _unknown)
    except (OperationError, BotoCoreError, ClientError):
        return False


def _unknown(_arn: str) -> bool:
    """Whether the state has a secret whose deletion is scheduled: it decides only what the worker will say."""
    return False
