"""`doctor` on the trail from which the message about each hand-over comes: what leaves a read untold is named."""

from __future__ import annotations

from typing import Any

import pytest

from ops.actions.doctor import Finding
from ops.actions.doctor_trail import TrailSeen, local, takes_reads, trail

REGION = "eu-central-1"
ARN = "arn:aws:cloudtrail:us-east-1:123456789012:trail/all"
BY_DEFAULT = {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}
WRITES = {"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]}


def seen(selectors: dict[str, Any] = BY_DEFAULT, *, logs: bool = True, name: str = ARN) -> TrailSeen:
    return TrailSeen(name, logs, selectors)


def advanced(**fields: dict[str, list[str]]) -> dict[str, Any]:
    management = {"Field": "eventCategory", "Equals": ["Management"]}
    more = [{"Field": name.replace("_", "."), **asked} for name, asked in fields.items()]
    return {"AdvancedEventSelectors": [{"Name": "n", "FieldSelectors": [management, *more]}]}


@pytest.mark.parametrize(
    "selectors",
    [
        BY_DEFAULT,
        {"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]},
        {"EventSelectors": [{}]},
        {"EventSelectors": [*WRITES["EventSelectors"], *BY_DEFAULT["EventSelectors"]]},
        {"EventSelectors": [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]},
        advanced(),
        advanced(readOnly={"Equals": ["true"]}),
        advanced(eventSource={"NotEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}),
        advanced(eventName={"StartsWith": ["Get", "Put"]}),
        # Whoever reads may be the one that it names.
        advanced(userIdentity_arn={"StartsWith": ["arn:aws:sts::123456789012:assumed-role/"]}),
    ],
)
def test_a_trail_that_takes_in_a_read_of_a_secret(selectors: dict[str, Any]) -> None:
    assert takes_reads(selectors)


@pytest.mark.parametrize(
    "selectors",
    [
        {},
        WRITES,
        {"EventSelectors": [{"IncludeManagementEvents": False}]},
        {"EventSelectors": [{"ExcludeManagementEventSources": ["secretsmanager.amazonaws.com"]}]},
        advanced(readOnly={"Equals": ["false"]}),
        advanced(eventSource={"NotEquals": ["secretsmanager.amazonaws.com"]}),
        advanced(eventSource={"Equals": ["sts.amazonaws.com"]}),
        advanced(eventName={"NotStartsWith": ["Get", "List"]}),
        {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]},
    ],
)
def test_a_trail_that_leaves_it_out(selectors: dict[str, Any]) -> None:
    assert not takes_reads(selectors)


def test_one_that_logs_is_enough() -> None:
    found = trail(REGION, [seen(WRITES, name="another"), seen(logs=False), seen()])
    assert (found.state, found.mend) == ("ok", "")
    assert ARN in found.seen


@pytest.mark.parametrize(
    ("found", "told", "mend"),
    [
        (trail(REGION, []), "the account has none for eu-central-1", "Create trail"),
        # A trail is started in the Region that it was made in, which need not be the cell's.
        (trail(REGION, [seen(logs=False)]), "does not log", f"start-logging --region us-east-1 --name {ARN}"),
        (trail(REGION, [seen(WRITES), seen(logs=False)]), f"{ARN} does not log", "start-logging"),
        (trail(REGION, [seen(WRITES)]), "leaves out reads of secrets", "all, Management events, Read and Write"),
    ],
)
def test_what_leaves_a_read_untold_is_named_with_what_to_do(found: Finding, told: str, mend: str) -> None:
    assert found.state == "wrong"
    assert told in found.seen
    assert "nobody is told" in found.seen
    assert mend in found.mend


def test_a_local_cell_needs_none() -> None:
    assert local().state == "not checked"
