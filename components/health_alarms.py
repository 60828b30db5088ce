"""One alarm for each kind of trouble that the health function finds, and one for a function that does not work.

Owns the sentences. Leaves out the kinds (`functions/health/trouble.py`). The function itself tells each trouble, with
its tenant and what to type; an alarm is raised while there is any of its kind, and sends no second message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from components.cell_alarms import CellAlarm

SAYS: Final[Mapping[str, str]] = {
    "KeyRefused": "OpenAI refuses a tenant's key.",
    "OutOfMoney": "Calls fail: a balance or a spend limit is used up.",
    "RateLimited": "Calls have been refused for more than a cycle because of a rate limit.",
    "CallsRefused": "OpenAI refuses calls: country, IP address, service tier, scopes or model.",
    "ModelsHidden": "A tenant's key may not list models.",
    "ModelsRetiring": "OpenAI retires a model that a tenant uses.",
    "ModelsRetired": "OpenAI has retired a model that a tenant uses.",
    "OpenAISilent": "OpenAI does not answer.",
    "BudgetReached": "A tenant has spent a declared percentage of its budget.",
    "BudgetForecast": "A tenant is expected to spend more than its budget this month.",
    "LimitsDiffer": "A limit at OpenAI differs from the tenant's file.",
    "KeysExpiring": "A tenant's key expires soon.",
    "RotationsLate": "A tenant's key was not rotated in time.",
    "KeysOfPersons": "A tenant's key belongs to a person.",
    "Undeclared": "A tenant's declaration, secret or project is without the others.",
    "HandoversDue": "A tenant's current key was not handed over to a consumer such as CINNOX.",
    "CountriesDropped": "OpenAI no longer offers its API in a tenant's country.",
}
"""By metric. Kinds that are only shown have none."""
HEARTBEAT: Final = "HealthCycles"
CYCLES: Final = 3
"""Cycles without an end that are an alarm."""


def health_alarms(every_minutes: int) -> list[CellAlarm]:
    """`every_minutes`: the time from one cycle to the next. Of a kind, one of the last two cycles counts: a cycle that
    comes late leaves a period without a number, which must not end the alarm."""
    period = 60 * every_minutes
    kinds = [CellAlarm(metric, says, period=period, periods=2, notifies=False) for metric, says in SAYS.items()]
    return [
        *kinds,
        CellAlarm(
            HEARTBEAT,
            f"For {CYCLES} cycles the health function did not run, failed, or did not finish.",
            at=1,
            comparison="LessThanThreshold",
            statistic="Minimum",
            period=period,
            periods=CYCLES,
            of_them=CYCLES,
            silence="breaching",
        ),
    ]
