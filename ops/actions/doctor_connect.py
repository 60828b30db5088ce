"""What `doctor` says of the connect page and its promoter, from facts alone: pure functions.

Leaves out whether the functions run at all (`doctor.py`, as of the others) and every call (`doctor_looks.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from myflux_keys.cell_functions import CONNECT, PROMOTER, CellFunction
from ops.actions.doctor import Finding, FunctionSeen, not_checked, ok, redeploy, wrong

PAGE: Final = "connect page"
PROMOTING: Final = "connect promoter"
_OPEN: Final = {
    "lambda:InvokeFunctionUrl": {"lambda:functionurlauthtype": "NONE"},
    "lambda:InvokeFunction": {"lambda:invokedviafunctionurl": "true"},
}
"""Both grants to everybody that a public URL needs, and the condition of each:
https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"""


@dataclass(frozen=True)
class PageSeen:
    """`auth` is the URL's type of authorization, None where the function has no URL. `policy` is the function's own, as
    JSON, empty where it has none."""

    auth: str | None
    policy: str


@dataclass(frozen=True)
class ScheduleSeen:
    """Of the promoter's rule. `targets` are the ARNs that it calls."""

    enabled: bool
    expression: str
    targets: Sequence[str]


def off() -> Finding:
    return not_checked(PAGE, "the cell's file has no `connect`")


def page(cell: str, name: str, function: FunctionSeen | None, code: str, seen: PageSeen) -> Finding:
    """`code` is the hash of what this checkout would deploy, as Lambda tells it."""
    deploy = redeploy(cell)
    if found := _of_another_checkout(PAGE, cell, name, function, code):
        return found
    assert function is not None
    if function.reserved == 0:
        return wrong(PAGE, f"{name} is closed: no execution is reserved for it", f"to open it again: {deploy}")
    if found := _reserves(PAGE, deploy, name, function, CONNECT):
        return found
    if seen.auth is None:
        return wrong(PAGE, f"{name} has no URL", deploy)
    if seen.auth != "NONE":
        return wrong(PAGE, f"its URL asks for a signature (authorization {seen.auth}), which no browser has", deploy)
    given = _granted(seen.policy)
    if lacking := [action for action in _OPEN if action not in given]:
        return wrong(PAGE, f"AWS answers visitors with 403: nobody granted everybody {' and '.join(lacking)}", deploy)
    if wide := [action for action, only in given.items() if not only]:
        return wrong(PAGE, f"everybody in AWS may {' and '.join(wide)} on it, without its URL", deploy)
    return ok(PAGE, f"{name} is of this version, is open to everybody by its URL alone, {CONNECT.reserved} at once")


def promoter(cell: str, arn: str, function: FunctionSeen | None, code: str, schedule: ScheduleSeen | None) -> Finding:
    """`schedule` None: there is no such rule. `code` as above; `arn` is the function's."""
    deploy, name = redeploy(cell), arn.rpartition(":")[2]
    if found := _of_another_checkout(PROMOTING, cell, name, function, code):
        return found
    assert function is not None
    if found := _reserves(PROMOTING, deploy, name, function, PROMOTER):
        return found
    if schedule is None or arn not in schedule.targets:
        return wrong(PROMOTING, f"no schedule calls {name}: what customers hand in waits", deploy)
    if not schedule.enabled:
        return wrong(PROMOTING, "its schedule is switched off: what customers hand in waits", deploy)
    return ok(PROMOTING, f"{name} is of this version, called by {schedule.expression}")


def _of_another_checkout(check: str, cell: str, name: str, function: FunctionSeen | None, code: str) -> Finding | None:
    if function is None:
        return wrong(check, f"there is no function {name}", redeploy(cell))
    if function.code != code:
        return wrong(
            check,
            f"{name} is not of this checkout's version",
            f"`myflux-keys up --cell {cell}`, or look with the checkout that deployed it",
        )
    return None


def _reserves(check: str, deploy: str, name: str, function: FunctionSeen, row: CellFunction) -> Finding | None:
    if function.reserved == row.reserved:
        return None
    return wrong(check, f"{function.reserved} executions are reserved for {name} instead of {row.reserved}", deploy)


def _granted(policy: str) -> dict[str, bool]:
    """What everybody may do with the function, by action, and whether only by its URL."""
    statements: list[dict[str, Any]] = json.loads(policy)["Statement"] if policy else []
    found: dict[str, bool] = {}
    for one in statements:
        if one["Effect"] != "Allow" or one["Principal"] not in ("*", {"AWS": "*"}):
            continue
        action, conditions = one["Action"], one.get("Condition", {})
        asked = {key.lower(): str(value) for tests in conditions.values() for key, value in tests.items()}
        only = action in _OPEN and _OPEN[action].items() <= asked.items()
        found[action] = found.get(action, True) and only
    return found
