"""When a secret's next rotation is scheduled, as stored in its record.

The dates are `_Window` (the next rotation window), `_NotBefore` (the scheduler does not try before it) and
LastRotatedDate.
"""

from __future__ import annotations

from local.aws.secrets import schedule
from local.aws.secrets.schedule import Window
from local.aws.secrets.store import Record


def restart(secret: Record, moment: float) -> None:
    """Schedules the next rotation from `moment`: that of a rotation, a manual change of the value or a new schedule."""
    held: Window | None = secret.get("_Window")
    previous = held.opens if held is not None and held.opens <= moment else None
    window = schedule.parse(secret["RotationRules"]).next_window(moment, previous)
    secret["_Window"] = window
    secret["_NotBefore"] = window.opens


def begin(secret: Record, moment: float) -> None:
    """Schedules the first rotation of a new schedule."""
    secret["_Window"] = None
    restart(secret, moment)


def succeeded(secret: Record, moment: float, *, scheduled: bool) -> None:
    """A scheduled rotation that the clock's jump made late keeps its slot: AWS would have rotated the secret in its
    window, and counts the days from there."""
    secret["LastRotatedDate"] = moment
    secret["_RotatedOnce"] = True
    window: Window | None = secret.get("_Window")
    restart(secret, moment)
    if scheduled and window is not None and window.closes < moment:
        found = schedule.parse(secret["RotationRules"])
        while window.opens <= moment:
            window = found.next_window(window.opens, window.opens)
        secret["_Window"], secret["_NotBefore"] = window, window.opens


def failed(secret: Record, moment: float) -> None:
    """Keeps NextRotationDate, so it is in the past after a scheduled rotation. The next try is in the next window."""
    window: Window = secret["_Window"]
    if moment >= window.opens:
        secret["_NotBefore"] = schedule.parse(secret["RotationRules"]).next_window(moment, window.opens).opens


def changed_by_hand(secret: Record, moment: float) -> None:
    """With AutomaticallyAfterDays, a manual change of the value counts as a rotation when the next one is scheduled.

    In an open window it replaces that window's rotation, which it has abandoned, under any schedule.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
    """
    if not secret.get("RotationEnabled"):
        return
    if "AutomaticallyAfterDays" in secret["RotationRules"] or moment >= secret["_Window"].opens:
        restart(secret, moment)


def has_failed(secret: Record) -> bool:
    """Whether the window that has opened was missed: the next try is in the next one."""
    return bool(secret.get("RotationEnabled")) and secret["_NotBefore"] > secret["_Window"].opens


def is_due(secret: Record, moment: float) -> bool:
    return bool(secret.get("RotationEnabled")) and not secret.get("DeletedDate") and moment >= secret["_NotBefore"]


def shown_rules(secret: Record) -> dict[str, object] | None:
    """RotationRules as DescribeSecret returns them: after a success, with the days calculated from an expression."""
    rules = secret.get("RotationRules")
    if not rules or not secret.get("_RotatedOnce") or "AutomaticallyAfterDays" in rules:
        return rules
    days = schedule.days_between(schedule.parse(rules), secret["_Window"])
    return {**rules, "AutomaticallyAfterDays": days} if days else rules
