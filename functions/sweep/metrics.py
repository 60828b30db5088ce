"""The sweep's metrics in CloudWatch: by cell, and by tenant or consumer if there is a finding.

A metric by tenant costs money in hours with data, so it is written only for a tenant with a finding; the cell's
metrics are also written if they are zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from functions.shared.cloudwatch import Datum
from functions.sweep.act import Result
from functions.sweep.facts import Found
from functions.sweep.orphans import KINDS, Orphan

OF_FINDINGS: Final[Mapping[Found, str]] = {
    "orphan": "OrphanKeys",
    "overdue": "OrphanKeys",
    "in_use": "OldKeyStillUsed",
    "alive": "OldKeyAlive",
    "foreign": "ForeignKeys",
    "missing": "LiveKeyMissing",
}


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
