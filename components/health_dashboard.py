"""The cell's CloudWatch dashboard on what the health function finds, as a pure function that returns a dict.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from components.cell_alarms import RUNBOOK, CellAlarm
from components.health_alarms import HEARTBEAT
from myflux_keys.aws_names import CellNames
from myflux_keys.names import METRICS

WIDTH: Final = 24
"""Columns of a dashboard."""
FIGURES: Final = ("TenantsWatched", "TenantsUnanswered", HEARTBEAT)
GRAPHS: Final[Mapping[str, Sequence[str]]] = {
    "Calls that fail": ("KeyRefused", "OutOfMoney", "RateLimited", "CallsRefused", "OpenAISilent"),
    "Models": ("ModelsHidden", "ModelsRetiring", "ModelsRetired"),
    "Money and limits": ("BudgetReached", "BudgetForecast", "LimitsDiffer"),
    "Keys and tenants": (
        "KeysExpiring",
        "RotationsLate",
        "KeysOfPersons",
        "Undeclared",
        "CountriesDropped",
        "HandoversDue",
    ),
}
"""Metrics by the title of their graph. Each counts tenants, organizations or the cell."""


def health_dashboard(names: CellNames, alarms: Iterable[CellAlarm], every_minutes: int) -> dict[str, Any]:
    """`every_minutes` is a period of the graphs: each has one number a cycle."""
    period = 60 * every_minutes
    arns = [names.alarm_arn(alarm.name(names)) for alarm in alarms]
    half = WIDTH // 2
    return {
        "widgets": [
            _widget("text", 0, 0, WIDTH, 2, markdown=_text(names)),
            _widget("alarm", 0, 2, half, 6, title="Kinds of trouble", alarms=arns),
            _widget("metric", half, 2, half, 6, **_figures(names, period)),
            *(
                _widget("metric", half * (place % 2), 8 + 6 * (place // 2), half, 6, **_graph(names, title, period))
                for place, title in enumerate(GRAPHS)
            ),
        ]
    }


def _widget(kind: str, x: int, y: int, width: int, height: int, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}


def _text(names: CellNames) -> str:
    return (
        f"# Cell {names.cell}\nHow many tenants or organizations have trouble of each kind. Whose it is and what to "
        f"type is in the messages to the topic `{names.alarm_topic}`. What each kind means: {RUNBOOK}"
    )


def _figures(names: CellNames, period: int) -> dict[str, Any]:
    return _metrics(names, FIGURES, period) | {"title": "The last cycle", "view": "singleValue", "stat": "Maximum"}


def _graph(names: CellNames, title: str, period: int) -> dict[str, Any]:
    own = {"title": title, "view": "timeSeries", "stat": "Maximum", "yAxis": {"left": {"min": 0}}}
    return _metrics(names, GRAPHS[title], period) | own


def _metrics(names: CellNames, metrics: Iterable[str], period: int) -> dict[str, Any]:
    rows = [[METRICS, metric, "Cell", names.cell] for metric in metrics]
    return {"metrics": rows, "region": names.region, "period": period}
