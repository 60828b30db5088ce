"""When a secret is rotated next, as kept on its record.

The dates are `_Window` (the next rotation window), `_NotBefore` (when the scheduler may try) and LastRotatedDate.
"""

from __future__ import annotations

from local.aws.secrets import schedule
from local.aws.secrets.schedule import Window
from local.aws.secrets.store import Record


def restart(secret: Record, moment: float) -> None:
    """Plans the next rotation counting from `moment`: a rotation, a manual change of the value, a new schedule."""
    held: Window | None = secret.get("_Window")
    previous = held.opens if held is not None and held.opens <= moment else None
    window = schedule.parse(secret["RotationRules"]).next_window(moment, previous)
    secret["_Window"] = window
    secret["_NotBefore"] = window.opens


def begin(secret: Record, moment: float) -> None:
    """Plans from scratch, for a schedule that was just set."""
    secret["_Window"] = None
    restart(secret, moment)


def succeeded(secret: Record, moment: float) -> None:
    secret["LastRotatedDate"] = moment
    secret["_RotatedOnce"] = True
    restart(secret, moment)


def failed(secret: Record, moment: float) -> None:
    """NextRotationDate stays, and so lies in the past for a scheduled rotation; the next window is the next try."""
    window: Window = secret["_Window"]
    if moment >= window.opens:
        secret["_NotBefore"] = schedule.parse(secret["RotationRules"]).next_window(moment, window.opens).opens


def changed_by_hand(secret: Record, moment: float) -> None:
    """A manual change of the value counts as a rotation when the next one is planned by AutomaticallyAfterDays.

    Within an open window it replaces that window's rotation under any schedule, which it has abandoned.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
    """
    if not secret.get("RotationEnabled"):
        return
    if "AutomaticallyAfterDays" in secret["RotationRules"] or moment >= secret["_Window"].opens:
        restart(secret, moment)


def is_due(secret: Record, moment: float) -> bool:
    return bool(secret.get("RotationEnabled")) and not secret.get("DeletedDate") and moment >= secret["_NotBefore"]


def shown_rules(secret: Record) -> dict[str, object] | None:
    """RotationRules as DescribeSecret shows them: with the days worked out from an expression after a success."""
    rules = secret.get("RotationRules")
    if not rules or not secret.get("_RotatedOnce") or "AutomaticallyAfterDays" in rules:
        return rules
    days = schedule.days_between(schedule.parse(rules), secret["_Window"])
    return {**rules, "AutomaticallyAfterDays": days} if days else rules
