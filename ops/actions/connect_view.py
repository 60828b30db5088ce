"""The open links of a cell's connect page, as `status` shows them, and which of them wait for a person.

Owns what a link has to do with its tenant's troubles. Leaves out reading one link (`connect_links.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from botocore.exceptions import ClientError

from ops.account import Account
from ops.actions.connect_confirm import named
from ops.actions.connect_links import OPEN, LinkStatus, NoPage, statuses
from ops.actions.fleet_view import LinkView, TroubleView
from ops.errors import OperationError

PAGE: Final = "docs/connect.md#a-customers-key"


@dataclass(frozen=True)
class Links:
    """Of one cell: the open ones by tenant, the newest first. `trouble`: why they are not known. `offered`: the cell
    has a page, so a tenant without a key can be sent a link."""

    open: Mapping[str, tuple[LinkView, ...]] = field(default_factory=dict[str, tuple[LinkView, ...]])
    trouble: TroubleView | None = None
    offered: bool = False


def open_links(account: Account, only: Collection[str], now: datetime) -> Links:
    """Of the tenants `only`, or of all. A cell without connect is not asked. Whoever may not read the intake is told so
    by a trouble, and the rest of `status` goes on."""
    cell = account.cell
    if not cell.connect.enabled:
        return Links()
    try:
        found = [one for slug in sorted(only) or (None,) for one in statuses(account, slug, now)]
    except NoPage:
        told, up = "its file has a connect page, and AWS has none", f"myflux-keys up --cell {cell.cell}"
        return Links(trouble=TroubleView("connect_missing", "attention", told, do="deploy it", command=up, page=PAGE))
    except (OperationError, ClientError) as error:
        told = f"the links to its connect page were not read: {error}".rstrip(".")
        do = "look as somebody who deploys the cell"
        command = "myflux-keys connect --list"
        return Links(trouble=TroubleView("connect_not_read", "unknown", told, do=do, command=command, page=PAGE))
    by_tenant: dict[str, tuple[LinkView, ...]] = {}
    for one in found:
        if one.state in OPEN:
            by_tenant[one.place.tenant] = (*by_tenant.get(one.place.tenant, ()), link_view(one))
    return Links(by_tenant, offered=True)


def link_view(one: LinkStatus) -> LinkView:
    """Pure."""
    waits = one.outcome if one.state == "waiting" else None
    return LinkView(
        one.place.id,
        one.state,
        datetime.fromtimestamp(one.issued.expires, UTC),
        waiting_since=datetime.fromisoformat(waits.at) if waits else None,
        organization=named(one) if waits else None,
        last_four=waits.last_four if waits else None,
    )


def no_key(slug: str, links: Sequence[LinkView], since: datetime | None, *, offered: bool) -> TroubleView:
    """The trouble that a customer has handed in no key. Pure."""
    told = "it has no key yet"
    if any(one.state == "handed in" for one in links):
        do, command = "wait: a key was handed in, and the promoter looks at it within a minute", None
    elif links:
        ends = max(one.expires for one in links)
        do, command = f"wait for the customer, whose link is open until {ends:%Y-%m-%d %H:%M}Z", None
    elif offered:
        do, command = "send the customer a link", f"myflux-keys connect {slug}"
    else:
        do, command = "ask the customer for one, and store it", f"myflux-keys key set {slug}"
    return TroubleView("no_key", "broken", told, since, do, command, PAGE if offered else None)


def key_waits(slug: str, links: Sequence[LinkView], *, has_key: bool) -> TroubleView | None:
    """The trouble that a key waits for a person: nobody else ends it. Pure."""
    waiting = [one for one in links if one.state == "waiting"]
    if not waiting:
        return None
    first = min(waiting, key=lambda one: one.waiting_since or one.expires)
    whose = f"the key ending in {first.last_four}, of the organization {first.organization}"
    if len(waiting) > 1:
        whose = f"{len(waiting)} keys, the first ending in {first.last_four}"
    told = f"{whose}, {'waits' if len(waiting) == 1 else 'wait'} for a person who confirms that it is the customer's"
    return TroubleView(
        "key_waits",
        "attention" if has_key else "broken",
        told if has_key else f"it has no key yet: {told}",
        first.waiting_since,
        "ask the customer on the telephone, not by the link, and confirm it",
        f"myflux-keys connect confirm {slug}",
        PAGE,
    )
