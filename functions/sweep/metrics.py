"""The sweep's metrics in CloudWatch: by cell, and by tenant or consumer if there is a finding.

A metric by tenant costs money in hours with data, so it is written only for a tenant with a finding; the cell's
metrics are also written if they are zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from functions.sweep.act import Result
from functions.sweep.facts import Found
from functions.sweep.orphans import KINDS, Orphan
from myflux_keys.names import METRICS

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cloudwatch.type_defs import MetricDatumTypeDef

OF_FINDINGS: Final[Mapping[Found, str]] = {
    "orphan": "OrphanKeys",
    "overdue": "OrphanKeys",
    "in_use": "OldKeyStillUsed",
    "alive": "OldKeyAlive",
    "foreign": "ForeignKeys",
    "missing": "LiveKeyMissing",
}
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


def of_results(results: Iterable[Result]) -> list[Datum]:
    """Every metric of findings for the cell, also zeros; those above zero by tenant, and for old keys in use by
    consumer."""
    found = [(OF_FINDINGS[r.finding.found], r.finding) for r in results if r.finding.found in OF_FINDINGS]
    cell = Counter(metric for metric, _ in found)
    data = [Datum(metric, cell[metric]) for metric in dict.fromkeys(OF_FINDINGS.values())]
    tenants = Counter((metric, finding.tenant) for metric, finding in found)
    data += [Datum(metric, count, ("Tenant", tenant)) for (metric, tenant), count in tenants.items()]
    still = OF_FINDINGS["in_use"]
    consumers = Counter(name for metric, finding in found if metric == still for name in finding.consumers)
    return data + [Datum(still, count, ("Consumer", name)) for name, count in consumers.items()]


def of_orphans(orphans: Iterable[Orphan]) -> list[Datum]:
    """The number of each kind, also zeros; and those above zero by tenant. A kind is its metric's name."""
    found = Counter((orphan.kind, orphan.tenant) for orphan in orphans)
    cell = Counter(kind for kind, _ in found.elements())
    data = [Datum(kind, cell[kind]) for kind in KINDS]
    return data + [Datum(kind, count, ("Tenant", tenant)) for (kind, tenant), count in found.items()]


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
