"""Asks the health functions of the chosen cells for usage and costs: no operator holds an admin key.

Owns the calls and the waits between them. Leaves out the sums (`usage.py`). The function reads as much as the Admin
API's pace allows in a minute, so many tenants take several calls. It runs one call at a time: while a cycle runs, the
command waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

import tenancy
from functions.health.usage_request import MOST_DAYS
from myflux_keys.admin_budget import WINDOW_SECONDS
from myflux_keys.cell_functions import HEALTH
from ops import selection, ways_out
from ops.account import Account
from ops.actions import functions_client
from ops.actions.usage import By, Report, report
from ops.errors import OperationError
from ops.explained import explained

WAIT_SECONDS: Final = HEALTH.timeout_seconds + 60
"""For a cycle to end: Lambda stops it after its time-out."""
_PAUSE_SECONDS: Final = 10.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Usages:
    """By cell; `not_read` says of the others why not. One of them keeps no other back."""

    reports: list[Report]
    not_read: dict[str, str]


def usage_of(
    root: Path,
    tenants: Sequence[str],
    cell: str | None,
    since: date | None,
    by: By | None,
    line: Callable[[], AbstractContextManager[Say]],
) -> Usages:
    """`line` is open while one cell is asked. Raises OperationError, TenancyError, or what kept the first cell back
    where no cell answered."""
    if since is not None and (datetime.now(UTC).date() - since).days > MOST_DAYS:
        raise OperationError(f"--since {since} is more than {MOST_DAYS} days ago: give a later day.")
    fleet = tenancy.load(root)
    found: list[Report] = []
    failed: dict[str, Exception] = {}
    for name, slugs in selection.by_cell(fleet, tenants, cell).items():
        try:
            with Account(fleet.cells[name], "usage") as account, line() as say:
                account.check()
                found.append(report(name, ask(account, slugs, since, by, say), by, slugs))
        except (OperationError, BotoCoreError, ClientError) as error:
            failed[name] = error
    if failed and not found:
        raise next(iter(failed.values()))
    return Usages(found, {name: explained(error) or str(error) for name, error in failed.items()})


def ask(
    account: Account,
    tenants: Iterable[str] | None,
    since: date | None,
    by: By | None,
    say: Say,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> list[dict[str, Any]]:
    """The function's answers, the newest days first. Raises OperationError."""
    event: dict[str, Any] = {
        "action": "usage",
        "tenants": None if tenants is None else list(tenants),
        "by": None if by == "day" else by,
        "since": since.isoformat() if since else None,
    }
    answers: list[dict[str, Any]] = []
    while True:
        answer = _call(account, event, say, sleep)
        if "organizations" not in answer:
            # An earlier version takes every event for its schedule's, and has looked at the cell.
            raise functions_client.OtherVersion(
                f"{account.cell.names.function(HEALTH)} is of an earlier version than this checkout, and cannot tell "
                f"usage. {ways_out.deploy_platform(account.cell.cell)}"
            )
        answers.append(answer)
        following = answer["next"]
        if since is not None and since.isoformat() > _day_of(answers[0]):
            raise OperationError(f"--since {since} is after today, which is {_day_of(answers[0])} for OpenAI (UTC).")
        if following is None or following == event.get("before"):
            return answers
        event |= {"before": following, "since": answer["since"]}
        say(f"{account.cell.cell}: read back to {following}, next to {answer['since']}, in a minute: OpenAI's limit")
        sleep(WINDOW_SECONDS)


def _call(account: Account, event: dict[str, Any], say: Say, sleep: Callable[[float], None]) -> dict[str, Any]:
    cell, waited = account.cell, 0.0
    function = cell.names.function(HEALTH)
    say(f"{cell.cell}: {function} asks OpenAI for usage and costs")
    while True:
        try:
            return functions_client.call(cell, function, event, account.functions)
        except functions_client.Busy:
            if waited >= WAIT_SECONDS:
                raise OperationError(
                    f"{function} has been busy for {waited / 60:.0f} minutes. It runs one call at a time, and a cycle "
                    f"ends within {HEALTH.timeout_seconds / 60:.0f}: see its log group "
                    f"{cell.names.log_group(function)}, then run this command again. Nothing was changed."
                ) from None
            say(f"{cell.cell}: {function} runs a cycle; waiting for its end, {waited:.0f} of {WAIT_SECONDS} s")
            sleep(_PAUSE_SECONDS)
            waited += _PAUSE_SECONDS


def _day_of(answer: dict[str, Any]) -> str:
    return datetime.fromtimestamp(answer["as_of"], UTC).date().isoformat()
