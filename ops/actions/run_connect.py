"""What `myflux-keys connect` does, each with the cell's AWS account.

Leaves out the calls (`connect_links.py`, `connect_confirm.py`) and printing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tenancy
from functions.shared import link as links
from ops.account import Account
from ops.actions import connect_confirm, connect_links, customer_key
from ops.actions.connect_confirm import Done
from ops.actions.connect_links import OPEN, ConnectError, LinkStatus, Made, NoPage
from ops.errors import Declined
from ops.selection import cells, files_of, one_tenant


def make(root: Path, slug: str, *, seconds: int, language: str) -> Made:
    """Raises OperationError and TenancyError."""
    if not links.SHORTEST_SECONDS <= seconds <= links.LONGEST_SECONDS:
        raise ConnectError(
            f"a link lives for {links.SHORTEST_SECONDS // 3600} hour to {links.LONGEST_SECONDS // 86_400} days: long "
            "enough to make an account, short enough for a link in an old e-mail to be worth nothing. Nothing was "
            "changed."
        )
    fleet = files_of(root, [slug])
    tenant = one_tenant(fleet, slug)
    customer_key.secret_of(fleet.cell_of(tenant), tenant)
    with Account(fleet.cell_of(tenant), "connect") as account:
        return connect_links.make(account, tenant, account.check(), seconds=seconds, language=language)


def listed(root: Path, slug: str | None) -> dict[str, list[LinkStatus]]:
    """By cell; of one tenant, or of all. Cells without a connect page are left out unless their tenant was named.
    Raises OperationError and TenancyError."""
    fleet = files_of(root, [slug]) if slug else tenancy.load(root)
    chosen = [fleet.cell_of(one_tenant(fleet, slug))] if slug else cells(fleet, None)
    found: dict[str, list[LinkStatus]] = {}
    for cell in chosen:
        with Account(cell, "connect") as account:
            now = account.check()
            try:
                found[cell.cell] = connect_links.statuses(account, slug, now, counted=True)
            except NoPage:
                if slug:
                    raise
    return found


def revoke(root: Path, slug: str, link: str | None, *, dry: bool = False) -> list[LinkStatus]:
    """Revokes one link of a tenant, or all that are open; returns them. `dry` only returns those that it would revoke.
    Raises OperationError and TenancyError."""
    fleet = files_of(root, [slug])
    tenant = one_tenant(fleet, slug)
    with Account(fleet.cell_of(tenant), "connect-revoke") as account:
        now = account.check()
        found = connect_links.statuses(account, tenant.tenant, now)
        chosen = [one for one in found if (one.state in OPEN if link is None else one.place.id == link)]
        if link is not None and not chosen:
            raise ConnectError(f"{slug} has no link {link}: `myflux-keys connect {slug} --list` shows them.")
        if link is not None and chosen[0].state == "promoted":
            raise ConnectError(
                f"the key of link {link} is live already: `myflux-keys disable {slug}` stops its use, and only the "
                "customer can revoke the key. Nothing was changed."
            )
        if dry:
            return chosen
        for one in chosen:
            connect_links.revoke(account, one.place)
        after = {one.place: one for one in connect_links.statuses(account, tenant.tenant, now)}
        return [after[one.place] for one in chosen]


def confirm(
    root: Path, slug: str, link: str | None, *, confirmed: Callable[[LinkStatus], bool]
) -> tuple[LinkStatus, Done]:
    """`confirmed` shows the person what waits, and asks. Raises OperationError and TenancyError."""
    fleet = files_of(root, [slug])
    tenant = one_tenant(fleet, slug)
    with Account(fleet.cell_of(tenant), "connect-confirm") as account:
        now = account.check()
        one = connect_confirm.waiting(account, tenant.tenant, link, now)
        if not confirmed(one):
            raise Declined
        return one, connect_confirm.confirm(account, one, now)
