"""The calls that `doctor` makes about the account's trails: each reads, and none changes anything.

Leaves out what an answer means (`doctor_trail.py`).
"""

from __future__ import annotations

from ops.account import Account
from ops.actions import doctor_trail
from ops.actions.doctor import Finding
from ops.actions.doctor_trail import TrailSeen


def trail(account: Account) -> Finding:
    """A local cell has none, and delivers its events all the same."""
    return doctor_trail.local() if account.cell.local else doctor_trail.trail(account.cell.region, trails(account))


def trails(account: Account) -> list[TrailSeen]:
    """Those that cover the cell's Region, also of other Regions and of the organization."""
    client = account.trail
    found = client.describe_trails(includeShadowTrails=True)["trailList"]
    arns = [one.get("TrailARN", "") for one in found]
    return [
        TrailSeen(
            arn,
            client.get_trail_status(Name=arn)["IsLogging"],
            dict(client.get_event_selectors(TrailName=arn)),
        )
        for arn in arns
    ]
