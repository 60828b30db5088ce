"""The one document that a command writes to a role of the cell: it only denies, and forgets what is over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from components.iam.denied_sessions import ALL, LONGEST, LONGEST_SESSION, changed, denials

NOW = datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=30)


def test_each_tenant_has_one_denial_and_the_others_stay() -> None:
    held = changed(None, "acme", ALL, NOW)
    held = changed(held, "bay", EARLIER, NOW)
    assert denials(held) == {"acme": ALL, "bay": EARLIER}
    held = changed(held, "acme", NOW, NOW)
    assert denials(held) == {"acme": NOW, "bay": EARLIER}
    assert denials(changed(held, "acme", None, NOW)) == {"bay": EARLIER}
    assert denials(None) == {}


def test_a_denial_is_of_the_sessions_tag_and_of_everything() -> None:
    (statement,) = changed(None, "acme", NOW, NOW)["Statement"]
    assert statement == {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:PrincipalTag/tenant": "acme"},
            "DateLessThan": {"aws:TokenIssueTime": "2026-11-30T22:00:00Z"},
        },
    }


def test_what_is_over_is_left_out_and_what_is_whole_or_not_ours_stays() -> None:
    over = NOW - LONGEST_SESSION - timedelta(seconds=1)
    theirs: dict[str, Any] = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    held = changed({"Statement": [theirs]}, "bay", over, NOW)
    held = changed(held, "cove", ALL, NOW)
    held = changed(held, "acme", NOW, NOW)
    assert held["Statement"][0] == theirs
    assert denials(held) == {"cove": ALL, "acme": NOW}


def test_a_role_holds_those_of_dozens_of_tenants_at_once() -> None:
    held = None
    for number in range(40):
        held = changed(held, f"tenant-with-a-long-name-{number}", NOW, NOW)
    assert len(json.dumps(held, separators=(",", ":"))) <= LONGEST
