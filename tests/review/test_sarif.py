"""What a review says as SARIF, held to the schema that OASIS publishes."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest

from ops.review.file_line import Place
from ops.review.remark import SEVERITIES, Outcome, Remark
from ops.review.sarif import sarif
from policies.guardrails.judge import RULES
from tests.review.official import faults


def remark(rule: str = "a-rule", outcome: Outcome = Outcome.VIOLATION, **fields: Any) -> Remark:
    told: dict[str, Any] = {"severity": "high", "message": "it fails", "why": "because", "fix": "do"} | fields
    return Remark(rule, outcome, **told)


FULL = remark(
    place=Place("tenants/acme.yaml", 7),
    source="https://docs.aws.amazon.com/",
    stacks=("acme.local", "fjord.local"),
    resource="acme-key-secret",
    path="tags.tenant",
    urns=("urn:pulumi:a", "urn:pulumi:b"),
    before=True,
)


def test_a_review_without_remarks_is_valid_sarif() -> None:
    assert faults(sarif(())) == []


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("severity", SEVERITIES)
def test_every_kind_of_remark_is_valid_sarif(outcome: Outcome, severity: str) -> None:
    bare = Remark("bare", outcome, severity, "only what a remark must have")
    twice = [remark(outcome=outcome, severity=severity), FULL, bare, bare]
    assert faults(sarif(twice)) == []


def test_every_rule_of_the_pack_is_described_in_valid_sarif() -> None:
    remarks = [remark(rule.name, why=rule.rationale, fix=rule.fix, source=rule.source) for rule in RULES]
    written = sarif(remarks)
    assert faults(written) == []
    described = written["runs"][0]["tool"]["driver"]["rules"]
    assert {rule["id"] for rule in described} == {rule.name for rule in RULES}
    for result in written["runs"][0]["results"]:
        assert described[result["ruleIndex"]]["id"] == result["ruleId"], "the index leads to its rule"


@pytest.mark.parametrize(
    "file", ["tenants/two words.yaml", "tenants/übung.yaml", "tenants/100%.yaml", "tenants/a#b.yaml"]
)
def test_a_path_is_written_as_a_uri_reference_and_leads_back(file: str) -> None:
    written = sarif([remark(place=Place(file, 2))])
    uri = written["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii(), uri
    assert not set(uri) & set(' "<>\\^`{|}#?'), f"{uri} is no path of a URI"
    assert unquote(uri) == file


def test_the_schema_refuses_what_is_not_sarif() -> None:
    written = sarif([FULL])
    written["runs"][0]["results"][0]["level"] = "fatal"
    assert faults(written), "a check that takes anything would prove nothing"
    written = sarif([FULL])
    del written["runs"][0]["tool"]
    assert faults(written)
