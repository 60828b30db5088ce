"""Metrics of a cell in CloudWatch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from myflux_keys.names import METRICS

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cloudwatch.type_defs import MetricDatumTypeDef

_MOST: Final = 1000
"""The most data in one PutMetricData."""


@dataclass(frozen=True)
class Datum:
    """`by` is a second dimension besides the cell: a tenant or a consumer."""

    metric: str
    value: float
    by: tuple[str, str] | None = None


def new_client() -> CloudWatchClient:
    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
    return boto3.client("cloudwatch", config=config)  # pyright: ignore[reportUnknownMemberType]


def put(client: CloudWatchClient, cell: str, data: Sequence[Datum]) -> None:
    """Without a timestamp: the time is CloudWatch's."""
    shown: list[MetricDatumTypeDef] = [
        {
            "MetricName": datum.metric,
            "Value": datum.value,
            "Dimensions": [
                {"Name": "Cell", "Value": cell},
                *([{"Name": datum.by[0], "Value": datum.by[1]}] if datum.by else []),
            ],
        }
        for datum in data
    ]
    for start in range(0, len(shown), _MOST):
        client.put_metric_data(Namespace=METRICS, MetricData=shown[start : start + _MOST])
