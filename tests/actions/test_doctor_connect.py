"""`doctor` on the connect page and its promoter: each fault that leaves a customer before a closed door is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from myflux_keys.cell_functions import CONNECT, PROMOTER
from ops.actions.doctor import Finding, FunctionSeen
from ops.actions.doctor_connect import PageSeen, ScheduleSeen, off, page, promoter

CELL, NAME = "prod-eu1", "myflux-prod-eu1-connect"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:myflux-prod-eu1-promoter"
CODE = "the hash of this checkout's zip"
PAGES = FunctionSeen("Active", "Successful", "", CONNECT.reserved, CODE)
PROMOTERS = FunctionSeen("Active", "Successful", "", PROMOTER.reserved, CODE)
BY_URL = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "lambda:InvokeFunctionUrl",
    "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
}
THROUGH_URL = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "lambda:InvokeFunction",
    "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
}
EVENTS = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "lambda:InvokeFunction"}
EVERY_MINUTE = ScheduleSeen(True, "cron(0/1 * * * ? *)", [ARN])


def opened(*statements: dict[str, Any], auth: str | None = "NONE") -> PageSeen:
    return PageSeen(auth, json.dumps({"Statement": [*statements]}) if statements else "")


def of_page(function: FunctionSeen | None = PAGES, seen: PageSeen | None = None) -> Finding:
    return page(CELL, NAME, function, CODE, seen or opened(BY_URL, THROUGH_URL))


def of_promoter(function: FunctionSeen | None = PROMOTERS, seen: ScheduleSeen | None = EVERY_MINUTE) -> Finding:
    return promoter(CELL, ARN, function, CODE, seen)


@pytest.mark.parametrize("found", [of_page(), of_promoter(), of_page(seen=opened(EVENTS, BY_URL, THROUGH_URL))])
def test_what_is_right_is_ok(found: Finding) -> None:
    assert (found.state, found.mend) == ("ok", "")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (of_page(None), f"there is no function {NAME}"),
        (of_page(replace(PAGES, code="another")), "is not of this checkout's version"),
        (of_page(replace(PAGES, reserved=0)), "is closed"),
        (of_page(replace(PAGES, reserved=100)), "100 executions are reserved"),
        (of_page(seen=opened(BY_URL, THROUGH_URL, auth=None)), "has no URL"),
        (of_page(seen=opened(BY_URL, THROUGH_URL, auth="AWS_IAM")), "AWS_IAM"),
        (of_page(seen=opened()), "lambda:InvokeFunctionUrl and lambda:InvokeFunction"),
        (of_page(seen=opened(BY_URL)), "nobody granted everybody lambda:InvokeFunction"),
        (of_page(seen=opened(BY_URL, EVENTS)), "nobody granted everybody lambda:InvokeFunction"),
        (of_page(seen=opened(THROUGH_URL)), "nobody granted everybody lambda:InvokeFunctionUrl"),
        (of_page(seen=opened(BY_URL, THROUGH_URL | {"Condition": {}})), "may lambda:InvokeFunction on it"),
        # The right grant beside it does not make the wide one harmless.
        (of_page(seen=opened(BY_URL, THROUGH_URL, THROUGH_URL | {"Condition": {}})), "may lambda:InvokeFunction on it"),
        (of_page(seen=opened(BY_URL, THROUGH_URL, BY_URL | {"Action": "lambda:GetFunction"})), "lambda:GetFunction"),
        (of_promoter(None), "there is no function"),
        (of_promoter(replace(PROMOTERS, code="another")), "is not of this checkout's version"),
        (of_promoter(replace(PROMOTERS, reserved=0)), "0 executions are reserved"),
        (of_promoter(seen=None), "no schedule calls"),
        (of_promoter(seen=replace(EVERY_MINUTE, targets=["another"])), "no schedule calls"),
        (of_promoter(seen=replace(EVERY_MINUTE, enabled=False)), "is switched off"),
    ],
)
def test_each_fault_is_named_with_what_to_type(found: Finding, told: str) -> None:
    assert found.state == "wrong"
    assert told in found.seen
    assert f"myflux-keys up --cell {CELL}" in found.mend


def test_a_cell_without_connect_is_told_in_one_line() -> None:
    assert off().state == "not checked"
