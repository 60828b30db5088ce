"""A tenant's hand-overs as rows: from what the health function remembers of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from functions.health.state import TenantState
from ops.actions.fleet_view import HandoverView
from tenancy import Tenant


def handover_views(
    tenant: Tenant | None, remembered: TenantState | None, current: str | None
) -> Iterator[HandoverView]:
    """One for each consumer that a person serves. `current` is the live version: what was seen of another key says
    nothing. `remembered` None: the health function knows nothing of it, or nothing that counts."""
    for one in tenant.consumers.used if tenant else ():
        if not one.pasted:
            continue
        known = remembered.handovers.get(one.name) if remembered else None
        if known is None or known.version != current:
            yield HandoverView(one.name, "not checked", connected=_moment(known.connected_since) if known else None)
            continue
        times = (known.since, known.connected_since, known.ends)
        yield HandoverView(one.name, known.state, *(_moment(time) for time in times))


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
