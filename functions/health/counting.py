"""The cell's metrics: one a kind of trouble, never one a tenant, whose price would grow with the tenants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from functions.health.history import History
from functions.health.trouble import KINDS
from functions.shared.cloudwatch import Datum


def counted(histories: Iterable[History], *, watched: int, silent: int) -> list[Datum]:
    """How many scopes have trouble of each metric, also zeros; tenants watched, and those that OpenAI gave no answer
    about; and the heartbeat of a finished cycle."""
    having = Counter(
        metric for history in histories for metric in {KINDS[trouble.kind].metric for trouble in history.open.values()}
    )
    data = [Datum(metric, having[metric]) for metric in dict.fromkeys(kind.metric for kind in KINDS.values()) if metric]
    return [*data, Datum("TenantsWatched", watched), Datum("TenantsUnanswered", silent), Datum("HealthCycles", 1)]
