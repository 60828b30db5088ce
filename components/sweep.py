"""The sweep's schedule, twice an hour, and the alarms on its metrics."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.cell_alarms import cell_alarms
from components.scheduled_call import ScheduledCallArgs, minutes_of, scheduled_call
from components.sweep_alarms import ALARMS
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import SWEEP

EVENT = {"action": "sweep", "tenants": None, "dry_run": False, "due": True}
"""With `due`, a run sweeps the tenants that are due by `functions/sweep/due.py`, which counts the same half hours."""


@dataclass
class SweepArgs:
    """`function_arn` is the sweep's, `alarm_topic_arn` the SNS topic that its alarms go to."""

    names: CellNames
    function_arn: pulumi.Input[str]
    alarm_topic_arn: pulumi.Input[str]


class Sweep(pulumi.ComponentResource):
    """Guarantees: the rule's permission exists before its target, so that no call fails; and a sweep that does not run
    raises an alarm.
    """

    def __init__(self, name: str, args: SweepArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:Sweep", name, None, opts)
        names = args.names
        scheduled_call(
            name,
            ScheduledCallArgs(
                names=names,
                rule=names.rule(SWEEP),
                description="Twice an hour: sweeps the tenants that are due.",
                schedule=schedule(names.cell),
                function_arn=args.function_arn,
                statement_id="TheScheduleSweeps",
                target_id="sweep",
                event=EVENT,
            ),
            self,
        )
        cell_alarms(name, names, ALARMS, args.alarm_topic_arn, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def schedule(cell: str) -> str:
    """`functions/sweep/due.py` needs one run in each half hour of the clock."""
    return minutes_of(cell, every=30)
