"""Checks everything about one tenant now, step by step, and changes nothing.

Owns the order, and what is left out where the file or the account is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from ops import selection
from ops.account import Account
from ops.actions import verify
from ops.actions.verify import Step, not_asked
from ops.actions.verify_looks import Look, Looks
from ops.errors import OperationError


def steps(root: Path, slug: str, *, report: Callable[[str], None]) -> list[Step]:
    """`report` is called with what is asked. Raises OperationError for an unknown tenant, and TenancyError for a file
    that is not valid: then nothing is asked."""
    fleet = selection.files_of(root, [slug])
    tenant = selection.one_tenant(fleet, slug)
    found = [verify.file(tenant)]
    with Account(fleet.cell_of(tenant), "verify") as account:
        looks = Looks(account, tenant)
        found.append(looks.account_is_the_cells())
        mine = found[-1].state == "ok"
        for step, (asked, look) in looks.rest.items():
            report(f"{slug}: asking about {step}")
            if mine:
                found += looked(step, asked, look)
            else:
                found.append(Step(step, asked, "could not be asked", "mend the account first"))
    return found


def looked(step: str, asked: str, look: Look) -> list[Step]:
    """What `look` tells; where AWS or the function fails, that it could not be asked, and why."""
    try:
        told = look()
    except (BotoCoreError, ClientError, OperationError) as error:
        return [not_asked(step, asked, error)]
    return told if isinstance(told, list) else [told]
