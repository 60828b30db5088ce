"""The calls that `doctor` makes about the connect page and its promoter: each reads, and none changes anything.

Leaves out what an answer means (`doctor_connect.py`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from functions import packer
from myflux_keys.cell_functions import CONNECT, PROMOTER, CellFunction
from ops.account import Account
from ops.actions import doctor_connect
from ops.actions.doctor import Finding, FunctionSeen
from ops.errors import none_if_absent


def page(account: Account, seen: Callable[[str], FunctionSeen | None]) -> Finding:
    """`seen` gives what was read of a function by its name, and raises OperationError where nothing was."""
    cell, client, name = account.cell, account.functions, account.cell.names.function(CONNECT)
    function = seen(name)
    url: Any = none_if_absent(lambda: client.get_function_url_config(FunctionName=name))
    policy: Any = none_if_absent(lambda: client.get_policy(FunctionName=name))
    told = doctor_connect.PageSeen(url and url["AuthType"], policy["Policy"] if policy else "")
    return doctor_connect.page(cell.cell, name, function, _code(CONNECT), told)


def promoter(account: Account, seen: Callable[[str], FunctionSeen | None]) -> Finding:
    """`seen` as above."""
    names, rules, rule = account.cell.names, account.rules, account.cell.names.rule(PROMOTER)
    function = seen(names.function(PROMOTER))
    told: Any = none_if_absent(lambda: rules.describe_rule(Name=rule))
    schedule = told and doctor_connect.ScheduleSeen(
        told.get("State") == "ENABLED",
        told.get("ScheduleExpression", ""),
        [one["Arn"] for one in rules.list_targets_by_rule(Rule=rule)["Targets"]],
    )
    return doctor_connect.promoter(names.cell, names.function_arn(PROMOTER), function, _code(PROMOTER), schedule)


def _code(function: CellFunction) -> str:
    """The hash of what this checkout deploys, as Lambda tells it:
    https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html"""
    with TemporaryDirectory() as folder:
        built = packer.build(function.kind, Path(folder, function.archive))
        return base64.b64encode(bytes.fromhex(packer.sha256(built))).decode()
