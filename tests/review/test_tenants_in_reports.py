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
