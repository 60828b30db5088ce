"""One alarm for each metric of the sweep, as a table.

Owns thresholds and descriptions. Leaves out the metrics (`functions/sweep/metrics.py`). Each tenant is swept at least
once a day, so an alarm on its keys covers a day: it is raised within the hour, and cleared after a day without the
problem. Comparisons of secrets with projects are made in every run, and their alarms cover two hours.
"""

from __future__ import annotations

from typing import Final

from components.cell_alarms import CellAlarm
from myflux_keys.consumers import CONSUMERS

LOOK_BACK: Final = 2
"""Hours, for metrics that every scheduled run reports for the whole cell, twice an hour."""


ALARMS: Final = (
    CellAlarm("RotationOverdue", "A tenant's key was not rotated in time, or its rotation is disabled."),
    CellAlarm("OrphanKeys", "The sweep found orphaned keys of ours and revoked them."),
    *(
        CellAlarm("OldKeyStillUsed", f"An old key expires soon, but {one.name} still uses it.", consumer=one.name)
        for one in CONSUMERS
    ),
    CellAlarm("OldKeyAlive", "A key that should be revoked is still valid."),
    CellAlarm("LiveKeyMissing", "OpenAI no longer has the key in a tenant's secret: the tenant's calls fail."),
    CellAlarm("ForeignKeys", "A tenant's project has a key that MyFlux Keys did not create."),
    CellAlarm(
        "SecretDeleted",
        "A tenant's secret is scheduled for deletion, but its keys are still valid at OpenAI.",
        periods=LOOK_BACK,
    ),
    CellAlarm("SecretMissing", "OpenAI has a tenant's project for which there is no secret.", periods=LOOK_BACK),
    CellAlarm(
        "SecretMistagged", "A secret's tags do not match its name, so it is not found by its tags.", periods=LOOK_BACK
    ),
    CellAlarm(
        "ProjectMissing",
        "A tenant's OpenAI project is archived or missing: the tenant's calls fail.",
        periods=LOOK_BACK,
    ),
    CellAlarm(
        "FederationLeft",
        "OpenAI has a federation rule that no tenant should have, or somebody changed one or its identity provider.",
    ),
    CellAlarm(
        "TrustedPrincipalGone", "A user or role that reads tenants' keys was deleted: one made anew cannot read them."
    ),
    CellAlarm("GovernanceChanged", "OpenAI refuses keys such as ours: the next rotations will fail."),
    CellAlarm(
        "AdminKeyDaysLeft",
        "The admin key expires soon.",
        at=14,
        comparison="LessThanThreshold",
        statistic="Minimum",
        periods=1,
    ),
    CellAlarm("CustomerKeyAgeDays", "A customer's own key is older than 90 days: ask for a new one.", at=90),
    CellAlarm(
        "SweepUnfinished",
        "For three hours the sweep did not run, failed, or did not finish.",
        periods=3,
        of_them=3,
        silence="breaching",
    ),
)
