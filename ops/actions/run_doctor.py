"""Looks at this machine and at each cell for `doctor`, and changes nothing.

Owns the order, and what is left out where AWS is not reached or the caller is in another account.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

import tenancy
from ops import selection
from ops.account import Account
from ops.actions import doctor, doctor_account
from ops.actions.doctor import Finding
from ops.actions.doctor_looks import Look, Looks
from ops.errors import OperationError
from ops.stacks.engine import ROOT

MACHINE: Final = "this machine"
_SECONDS: Final = 30


def examine(root: Path, cell: str | None, *, report: Callable[[str], None]) -> dict[str, list[Finding]]:
    """The findings of this machine and of each cell, or of the one named, in the order of the checks. `report` is
    called with what is looked at. Raises OperationError for an unknown cell, and TenancyError."""
    fleet = tenancy.load(root)
    chosen = selection.cells(fleet, cell)
    report("looking at this machine")
    found = {MACHINE: [python(), engine()]}
    for one in chosen:
        with Account(one, "doctor") as account:
            looks = Looks(account, fleet.tenants_of(one))
            found[one.cell] = _of_cell(looks, lambda check, cell=one.cell: report(f"{cell}: looking at {check}"))
    return found


def _of_cell(looks: Looks, report: Callable[[str], None]) -> list[Finding]:
    report("clock and account")
    found = [*looks.first()]
    for check, look in looks.rest.items():
        if not looks.is_in_the_account:
            found.append(doctor.not_checked(check, "AWS was not asked: mend the account first"))
            continue
        report(check)
        found.append(looked(check, look))
    return found


def looked(check: str, look: Look) -> Finding:
    """What `look` finds; where AWS or the function fails, that it was not checked, and why."""
    try:
        return look()
    except (BotoCoreError, ClientError, OperationError) as error:
        return doctor.unseen(check, error)


def python() -> Finding:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return doctor_account.python(sys.version_info[:3], project["requires-python"])


def engine() -> Finding:
    """The engine that `pulumi` starts, against the SDK that the repository pins: they are released together."""
    lines = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    pinned = next(line.removeprefix("pulumi==") for line in lines if line.startswith("pulumi=="))
    return doctor_account.engine(_version_on_path(), pinned)


def _version_on_path() -> str | None:
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        return None
    # Else the engine asks its maker's site for a newer version.
    quick = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [pulumi, "version"], env=quick, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    told = answer.stdout.strip()
    return told if answer.returncode == 0 and told.removeprefix("v")[:1].isdigit() else None
