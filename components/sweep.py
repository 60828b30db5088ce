"""What makes the sweep run: a rule of its own, twice an hour, and the alarms on what it finds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pulumi

from components.scheduled_call import ScheduledCallArgs, scheduled_call
from components.sweep_alarms import sweep_alarms
from myflux_keys.cell_names import CellNames

EVENT = {"action": "sweep", "tenants": None, "dry_run": False, "due": True}
"""Those whose turn it is, by the calendar in `functions/sweep/due.py`, which counts in the same half hours."""


@dataclass
class SweepArgs:
    """`function_arn` is the sweep's, `alarm_topic_arn` the SNS topic that its alarms go to."""

    names: CellNames
    function_arn: pulumi.Input[str]
    alarm_topic_arn: pulumi.Input[str]


class Sweep(pulumi.ComponentResource):
    """Guarantees: the rule may call the function before it has it as a target, so no run is lost; and silence of the
    sweep is an alarm like what it finds.
    """

    def __init__(self, name: str, args: SweepArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:Sweep", name, None, opts)
        names = args.names
        scheduled_call(
            name,
            ScheduledCallArgs(
                names=names,
                rule=names.sweep_rule,
                description="Twice an hour: tenants whose turn it is, and those whose old key is about to die.",
                schedule=schedule(names.cell),
                function_arn=args.function_arn,
                statement_id="TheScheduleSweeps",
                target_id="sweep",
                event=EVENT,
            ),
            self,
        )
        sweep_alarms(name, names, args.alarm_topic_arn, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def schedule(cell: str) -> str:
    """Two minutes of each hour, half an hour apart, spread over cells by hash.

    EventBridge's cron, not ``rate()``: the calendar of turns needs one run in each half hour of the clock.
    """
    minute = int.from_bytes(hashlib.sha256(cell.encode()).digest()[:8], "big") % 30
    return f"cron({minute}/30 * * * ? *)"
