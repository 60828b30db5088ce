"""A document that the model cannot put exactly is named, with statement, reason and way out, and never passed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ops.isolation.claims import claims
from ops.isolation.deployment import read
from ops.isolation.policy import parse
from ops.isolation.proof import verdict
from ops.isolation.terms import CannotJudgeError
from ops.review.proving import proof
from ops.review.registered import Registered
from ops.review.remark import Outcome, exit_code
from tenancy import Cell
from tests.isolation.conftest import Statements, broken, by_sid

READS = "OnlyRuntimeAndFunctionsRead"
ACMES = "policy of myflux/local/<tenant>/openai"
Change = Callable[[Statements], object]


def condition(operator: str, key: str) -> Change:
    return lambda statements: by_sid(statements, READS)["Condition"].update({operator: {key: "1"}})


def not_principal(statements: Statements) -> None:
    del by_sid(statements, READS)["Principal"]
    by_sid(statements, READS)["NotPrincipal"] = {"AWS": "*"}


def two_stars(statements: Statements) -> None:
    by_sid(statements, "ReadOwnTenant")["Resource"] = "arn:aws:secretsmanager:*:*:secret:*/${aws:PrincipalTag/tenant}/*"


CASES: list[tuple[str, Change, str, str, str]] = [
    ("acme-key-policy", not_principal, f"{ACMES}: {READS}", "no `NotPrincipal`", "`StringNotEquals: aws:PrincipalArn`"),
    (
        "acme-key-policy",
        condition("DateEquals", "aws:PrincipalTag/tenant"),
        f"{ACMES}: {READS}",
        "no operator `DateEquals` for `aws:PrincipalTag/tenant`",
        "StringEquals",
    ),
    (
        "acme-key-policy",
        condition("SoundsLike", "aws:SourceIp"),
        f"{ACMES}: {READS}",
        "no operator `SoundsLike` for `aws:SourceIp`",
        "ops/isolation/conditions.py",
    ),
    ("local-runtime-read", two_stars, "myflux-local-read: ReadOwnTenant", "between or beside two `*`", "one `*`"),
]


@pytest.mark.parametrize(("ends", "change", "where", "reason", "way_out"), CASES, ids=[case[3] for case in CASES])
def test_what_is_not_understood_is_told_with_document_statement_reason_and_way_out(
    shipped: Sequence[Registered], cell: Cell, ends: str, change: Change, where: str, reason: str, way_out: str
) -> None:
    spoilt = read(broken(shipped, ends, change))
    (claim,) = [one for one in claims(spoilt, cell) if one.name == "tenants-stay-apart"]
    with pytest.raises(CannotJudgeError) as refused:
        verdict(claim)
    assert (refused.value.where, reason in refused.value.reason) == (where, True), str(refused.value)
    assert way_out in refused.value.way_out
    assert str(refused.value).startswith(f"{where}: ")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{", "it is not JSON"),
        ("[]", "the document is no JSON object"),
        ({"Statement": ["*"]}, "a statement is no JSON object"),
        ({"Statement": {"Effect": "Allow", "Actions": "*"}}, "`Actions` is no element of a statement"),
        ({"Statement": {"Effect": "allow", "Action": "*"}}, "its `Effect` is neither Allow nor Deny"),
        ({"Statement": {"Effect": "Allow", "Condition": []}}, "its `Condition` is no JSON object"),
        ({"Statement": {"Effect": "Allow", "Condition": {"Null": "x"}}}, "its condition `Null` is no JSON object"),
    ],
)
def test_what_is_no_policy_names_the_document(document: Any, reason: str) -> None:
    written = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(CannotJudgeError, match=r"^the boundary.*: ") as refused:
        parse("the boundary", written)
    assert reason in refused.value.reason
    assert refused.value.way_out


def test_a_key_that_nothing_is_known_of_may_hold_anything_and_hinders_no_proof(
    shipped: Sequence[Registered], cell: Cell
) -> None:
    def from_one_network(statements: Statements) -> None:
        by_sid(statements, "ReadOwnTenant")["Condition"]["IpAddress"] = {"aws:SourceIp": "192.0.2.0/24"}

    narrower = read(broken(shipped, "local-runtime-read", from_one_network))
    (claim,) = [one for one in claims(narrower, cell) if one.name == "tenants-stay-apart"]
    assert verdict(claim).outcome == "holds"


def test_the_other_claims_are_judged_and_a_review_can_not_pass(shipped: Sequence[Registered], cell: Cell) -> None:
    few = [one for one in shipped if not any(slug in one.urn for slug in ("fjord", "globex", "initech"))]
    spoilt = broken(few, "local-runtime-role", _unknown_element, "assumeRolePolicy")
    told = proof(cell, ["local"], spoilt, few, None)
    (remark,) = told.remarks
    assert told.claims == len(claims(read(few), cell)), "nine of ten hold, and one verdict says why the tenth does not"
    assert (remark.outcome, exit_code([remark])) == (Outcome.UNJUDGED, 2)
    assert "trust of myflux-local-runtime: OnlyAsOneTenant: `Sorry` is no element" in remark.message
    assert "Not proven for that reason: only-the-named-become-the-runtime." in remark.message
    assert "reference_policies_grammar" in remark.fix


def _unknown_element(statements: Statements) -> None:
    by_sid(statements, "OnlyAsOneTenant")["Sorry"] = "no"
