"""What a report says of tenants that a branch adds, changes, off-boards, or whose file it removes."""

from __future__ import annotations

import json

import pytest

from tests.review.branches import Branches

NEW = """tenant: hotel-sol
name: Hotel | Sol <b>
cell: local
country: CR
source: managed
models: [gpt-5.4-mini, gpt-5.4]
budget: {monthly_usd: 1500}
rotation: {every_days: 31, overlap_hours: 24}
"""


@pytest.fixture(scope="module")
def branches(tmp_path_factory: pytest.TempPathFactory) -> Branches:
    return Branches.make(tmp_path_factory.mktemp("reviewed") / "repository")


def row(report: str, tenant: str) -> str:
    return next(line for line in report.splitlines() if line.startswith(f"| **{tenant}** |"))


def test_a_removed_tenants_file_fails_and_what_it_leaves_behind_still_counts(branches: Branches) -> None:
    branches.start("a tenant gone")
    (branches.folder / "tenants" / "acme.yaml").unlink()
    branches.commit("No more Acme")
    checked = branches.check("--json")
    facts = json.loads(checked.report)
    assert checked.code == 1, "nothing would be removed, and nobody would see it any more"
    (remark,) = facts["remarks"]
    assert (remark["rule"], remark["file"], remark["outcome"]) == (
        "tenant-file-removed", "tenants/acme.yaml", "violation"
    )  # fmt: skip
    assert "`myflux-keys offboard acme`" in remark["way_out"]
    assert [(one["tenant"], one["what"]) for one in facts["tenants"]] == [("acme", "file removed")]
    assert facts["room"] == [], "its secret, its project and its budget are still there"
    assert facts["cost"]["before"] == facts["cost"]["after"]


def test_a_tenant_that_was_off_boarded_passes_and_counts_no_more(branches: Branches) -> None:
    branches.start("a tenant off boarded")
    (branches.folder / "tenants" / "archive").mkdir(exist_ok=True)
    branches.git("mv", "tenants/acme.yaml", "tenants/archive/acme.yaml")
    branches.commit("Acme has left")
    checked = branches.check("--json")
    facts = json.loads(checked.report)
    assert (checked.code, facts["remarks"]) == (0, []), checked.err
    assert [(one["tenant"], one["what"]) for one in facts["tenants"]] == [("acme", "off-boarded")]
    assert {one["what"]: one["after"] - one["before"] for one in facts["room"]}["OpenAI projects"] == -1


def test_a_new_tenant_is_named_with_country_models_and_budget_and_a_changed_one_with_what_changed(
    branches: Branches,
) -> None:
    branches.start("a tenant more")
    (branches.folder / "tenants" / "hotel-sol.yaml").write_text(NEW, encoding="utf-8")
    branches.edit("tenants/fjord.yaml", "country: NO", "country: SE")
    branches.commit("Hotel Sol")
    checked = branches.check()
    assert checked.code == 0, checked.report + checked.err
    new = row(checked.report, "hotel-sol")
    for told in ("new", "local", "CR", "managed", "gpt-5.4-mini, gpt-5.4", "1,500 USD a month", "every 31 days"):
        assert told in new
    assert new.count("|") == row(checked.report, "fjord").count("|"), "a name from a file is no Markdown"
    assert "<b>" not in new
    changed = row(checked.report, "fjord")
    assert "NO → SE" in changed, "a country is part of no resource, and shows nowhere else"
    assert "gpt" not in changed, "only what differs"


def test_a_change_of_permission_consumers_limits_or_alerts_is_told(branches: Branches) -> None:
    branches.start("what a key may do")
    branches.edit("tenants/acme.yaml", "permission: restricted ", "permission: all ")
    branches.edit("tenants/acme.yaml", "requests_per_minute: 500", "requests_per_minute: 900")
    branches.edit("tenants/acme.yaml", "cinnox: false", "cinnox: true")
    branches.edit("tenants/fjord.yaml", "  alert_percent: [80, 100]\n", "")
    branches.edit("tenants/fjord.yaml", "  emails: [it@fjord.example, finance@fjord.example]\n", "")
    branches.edit("tenants/fjord.yaml", "  hard: false\n", "")
    branches.commit("More for Acme")
    report = branches.check().report
    for told in (
        "restricted → all",
        "myflux → myflux, cinnox",
        "gpt-5.4-mini 500 requests and 200,000 tokens a minute → gpt-5.4-mini 900 requests and 200,000 tokens a minute",
    ):
        assert told in row(report, "acme")
    assert "80, 100 % to it@fjord.example, finance@fjord.example → none" in row(report, "fjord")
    (head,) = (line for line in report.splitlines() if line.startswith("| tenant |"))
    assert head == "| tenant | | budget | permission | consumers | rate_limits | alerts |"


def test_a_model_that_openai_ends_is_a_warning_and_fails_nothing(branches: Branches) -> None:
    branches.start("a model that ends")
    branches.edit("tenants/fjord.yaml", "models: [gpt-6-luna, gpt-5.4-mini]", "models: [gpt-6-luna, gpt-4o-mini]")
    branches.commit("The old one is enough")
    checked = branches.check("--json")
    (remark,) = json.loads(checked.report)["remarks"]
    assert checked.code == 0, "it still answers"
    assert (remark["rule"], remark["outcome"], remark["file"]) == ("model-retiring", "advice", "tenants/fjord.yaml")
    assert "OpenAI shuts this model down on" in remark["why"]
    assert "`myflux-keys models --tenant fjord`" in remark["way_out"]


def test_a_credential_that_differs_is_a_warning_since_the_file_does_not_show_who_wrote_it(branches: Branches) -> None:
    branches.start("no key for Acme")
    for file, line in (
        ("cells/local.yaml", "federation: {enabled: true}"),
        ("tenants/acme.yaml", "credential: federated"),
    ):
        path = branches.folder / file
        path.write_text(f"{path.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    branches.commit("Acme needs no key")
    checked = branches.check("--json")
    facts = json.loads(checked.report)
    remarks = {one["rule"]: one for one in facts["remarks"]}
    remark = remarks["credential-changed"]
    assert (remark["outcome"], remark["file"]) == ("advice", "tenants/acme.yaml")
    assert "`myflux-keys credential acme`" in remark["way_out"]
    (change,) = facts["tenants"]
    assert (change["before"]["credential"], change["after"]["credential"]) == ("key", "federated")
