"""CloudWatch dashboards. PutDashboard replaces the whole body. The id is the name."""

from __future__ import annotations

import json
from typing import Any, Final

from botocore.exceptions import ClientError

from local.provider.aws import Aws
from local.provider.model import Change, Created, Property, Resource, Scalar, State
from local.provider.rules import matches

_KINDS: Final = ("alarm", "custom", "explorer", "log", "metric", "text")
_COLUMNS: Final = 24
_MOST_WIDGETS: Final = 500
_GONE: Final = ("DashboardNotFoundError", "ResourceNotFound")
"""Both are botocore's codes of one error, by the protocol that it speaks."""


def _body(text: str) -> str | None:
    """What CloudWatch refuses of a body, as far as dashboards here use it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    body: Any = json.loads(text)
    widgets: Any = body.get("widgets") if isinstance(body, dict) else None
    if not isinstance(widgets, list) or len(widgets) > _MOST_WIDGETS:
        return f"must be an object with `widgets`, at most {_MOST_WIDGETS}"
    for place, widget in enumerate(widgets):
        reason = _widget(widget)
        if reason is not None:
            return f"widgets[{place}] {reason}"
    return None


def _widget(widget: Any) -> str | None:
    if not isinstance(widget, dict) or widget.get("type") not in _KINDS:
        return f"has a type that is none of {', '.join(_KINDS)}"
    properties = widget.get("properties")
    if not isinstance(properties, dict):
        return "has no properties"
    x, width, height = widget.get("x", 0), widget.get("width", 6), widget.get("height", 6)
    if not 0 <= x < _COLUMNS or not 1 <= width <= _COLUMNS or not 1 <= height <= 1000:
        return f"is outside the dashboard's {_COLUMNS} columns"
    needed = {"text": "markdown", "alarm": "alarms", "metric": "metrics"}.get(widget["type"])
    if needed is not None and not properties.get(needed):
        return f"of type {widget['type']} needs properties.{needed}"
    if widget["type"] == "metric" and not properties.get("region"):
        return "of type metric needs properties.region"
    return None


def _put(aws: Aws, inputs: State) -> None:
    aws.client("cloudwatch").put_dashboard(DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"])


def _create(aws: Aws, inputs: State) -> Created:
    _put(aws, inputs)
    return Created(inputs["dashboardName"])


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    try:
        found = aws.client("cloudwatch").get_dashboard(DashboardName=id)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _GONE:
            return None
        raise
    return {
        "dashboardName": id,
        "dashboardBody": found["DashboardBody"],
        "dashboardArn": found["DashboardArn"],
    }


def _update(aws: Aws, change: Change) -> State:
    _put(aws, change.new)
    return {}


def _delete(aws: Aws, id: str, _state: State) -> None:
    try:
        aws.client("cloudwatch").delete_dashboards(DashboardNames=[id])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _GONE:
            raise


RESOURCES = (
    Resource(
        type="aws:cloudwatch/dashboard:Dashboard",
        inputs={
            "dashboardName": Property(
                Scalar.STRING,
                required=True,
                replaces=True,
                rule=matches(r"[A-Za-z0-9_-]{1,255}", "a dashboard's name: 1 to 255 of a-z A-Z 0-9 - _"),
            ),
            "dashboardBody": Property(Scalar.JSON, required=True, rule=_body),
        },
        outputs={"dashboardArn": Scalar.STRING},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
    ),
)
