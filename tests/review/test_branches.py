"""`myflux-keys check` on branches that a pull request might bring: some are fine, and ten must not be merged.

Each is told with its rule, its file and its line. No engine, no credential, no state: what a fork has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.review.branches import Branches
from tests.review.official import faults

KEY = "sk-" + "proj-" + "Q7x2" * 8


@dataclass(frozen=True)
class Bad:
    """`edits` are files with a text and what takes its place. `rule` must fail in `stack`, at the line of `file` that
    holds `line`."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    rule: str
    file: str
    line: str
    stack: str = ""


DOCUMENTS, RESOURCE_POLICIES = "components/iam/identity.py", "components/iam/resource.py"
EMPTY_SECRET, RUNTIME = "components/empty_secret.py", "components/runtime_access.py"
FUNCTION, TENANT_KEY = "components/key_function.py", "components/tenant_key.py"

BAD = [
    Bad(
        "a field that no tenant file has",
        (("tenants/acme.yaml", "country: CR", "contry: CR\ncountry: CR"),),
        "unknown-field", "tenants/acme.yaml", "contry: CR",
    ),
    Bad(
        "a key in a description",
        ((EMPTY_SECRET, "description=args.description,", f'description="{KEY}",'),),
        "no-key-in-properties", EMPTY_SECRET, "secret = Secret(", "acme.local",
    ),
    Bad(
        "a wildcard in what the runtime reads",
        ((DOCUMENTS, '            "Resource": own_secret,\n', '            "Resource": "*",\n'),),
        "runtime-reads-by-tag", RUNTIME, "read = Policy(", "local",
    ),
    Bad(
        "the tag condition dropped",
        ((DOCUMENTS, 'f"secretsmanager:ResourceTag/{TAG_TENANT}": "${', 'f"aws:PrincipalTag/{TAG_TENANT}": "${'),),
        "runtime-reads-by-tag", RUNTIME, "read = Policy(", "local",
    ),
    Bad(
        "a secret's version made by Pulumi",
        (
            (EMPTY_SECRET, "import Secret, SecretPolicy", "import Secret, SecretPolicy, SecretVersion"),
            (
                EMPTY_SECRET,
                "        self.arn = pulumi.Output",
                '        SecretVersion(f"{name}-v", secret_id=secret.arn, secret_string="x")\n'
                "        self.arn = pulumi.Output",
            ),
        ),
        "no-secret-version", EMPTY_SECRET, "SecretVersion(f", "acme.local",
    ),
    Bad(
        "public policies no longer blocked",
        ((EMPTY_SECRET, "block_public_policy=True", "block_public_policy=False"),),
        "secret-has-its-policy", EMPTY_SECRET, "policy = SecretPolicy(", "acme.local",
    ),
    Bad(
        "the admin key opened to the runtime",
        ((RESOURCE_POLICIES, 'admin != "none"]\n', 'admin != "none"] + [names.runtime_role_arn]\n'),),
        "secret-shuts-out-all-but-named", EMPTY_SECRET, "policy = SecretPolicy(", "local",
    ),
    Bad(
        "a trust that asks for no tenant",
        ((DOCUMENTS, "                **tenant_condition,\n", ""),),
        "trust-demands-the-tenant", RUNTIME, "role = Role(", "local",
    ),
    Bad(
        "a first rotation that waits for its slot",
        ((TENANT_KEY, "rotate_immediately=True", "rotate_immediately=False"),),
        "first-rotation-at-once", TENANT_KEY, "SecretRotation(", "acme.local",
    ),
    Bad(
        "logs kept for ever",
        ((FUNCTION, "            retention_in_days=args.log_retention_days,\n", ""),),
        "functions-keep-their-logs", FUNCTION, "logs = LogGroup(", "local",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def branches(tmp_path_factory: pytest.TempPathFactory) -> Branches:
    return Branches.make(tmp_path_factory.mktemp("review") / "repository")


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_branch_that_must_not_be_merged_is_told_with_rule_file_and_line(
    bad: Bad, branches: Branches, tmp_path: Path
) -> None:
    branches.start(bad.name)
    for file, old, new in bad.edits:
        branches.edit(file, old, new)
    branches.commit(bad.name)
    checked = branches.check("--sarif", str(tmp_path / "found.sarif"))
    assert checked.code == 1, f"it would be merged: {checked.report}{checked.err}"
    place = f"{bad.file}:{branches.line(bad.file, bad.line)}"
    heads = [line for line in checked.report.splitlines() if f"**{bad.rule}**" in line and f"`{place}`" in line]
    assert heads, f"{bad.rule} at {place} is not among what is told: {checked.report}"
    assert any(bad.stack in head for head in heads), f"{heads} do not name {bad.stack}"
    written = json.loads((tmp_path / "found.sarif").read_text(encoding="utf-8"))
    assert faults(written) == [], "code scanning would refuse it"
    results = written["runs"][0]["results"]
    annotated = {
        f"{at['artifactLocation']['uri']}:{at['region']['startLine']}"
        for result in results
        if result["ruleId"] == bad.rule
        for at in [result["locations"][0]["physicalLocation"]]
    }
    assert place in annotated, "code scanning would show it somewhere else"
    said = checked.report + checked.err + json.dumps(results)
    assert KEY not in said, "a key that somebody wrote down must not be written down once more"


def test_a_tenants_pull_request_is_told_in_a_few_lines_and_passes(branches: Branches) -> None:
    branches.start("a bigger budget")
    branches.edit("tenants/acme.yaml", "monthly_usd: 200", "monthly_usd: 300")
    branches.commit("A bigger budget for Acme")
    checked = branches.check()
    assert checked.code == 0, checked.report + checked.err
    assert "**acme.local**: 2 update (tenants/acme.yaml is changed)" in checked.report
    assert "+   input.budget.monthly_usd: 300" in checked.report
    assert "| local: OpenAI budgets, USD a month | 2,750 | 2,850 | - |" in checked.report
    assert "mocked look-ups" in checked.report, "a reviewer must know that nobody looked at what is deployed"
    assert "| **acme** | changed | 200 USD a month → 300 USD a month |" in checked.report
    assert len(checked.report.splitlines()) <= 30, f"a minute is short: {checked.report}"


def new_cell(branches: Branches) -> None:
    """As README's way to an AWS account says."""
    text = (branches.folder / "cells" / "local.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("cell: local", "cell: prod-eu1"),
        ("000000000000", "123456789012"),
        ("region: us-east-1", "region: eu-central-1"),
        ("production: false", "production: true"),
        ("organization_id: org-local", "organization_id: org-example"),
    ):
        assert old in text, f"cells/local.yaml holds no {old!r}: the test must be told anew"
        text = text.replace(old, new)
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("local:")]
    (branches.folder / "cells" / "prod-eu1.yaml").write_text("".join(lines), encoding="utf-8")


def test_a_new_cell_passes_and_the_report_says_that_it_has_no_tenants_yet(branches: Branches) -> None:
    branches.start("a new cell")
    new_cell(branches)
    branches.commit("A cell in Europe")
    checked = branches.check("--json")
    facts = json.loads(checked.report)
    assert (checked.code, facts["remarks"]) == (0, []), checked.report + checked.err
    (proof,) = facts["proofs"]
    assert (proof["cell"], proof["claims"]) == ("prod-eu1", 7), "what the platform's own documents say is proven"
    assert proof["waiting_for_a_tenant"] == [
        "tenants-stay-apart", "only-readers-read", "a-disabled-tenant-is-refused", "the-runtime-reads-its-own",
        "people-read-what-they-paste",
    ]  # fmt: skip
    checked = branches.check()
    assert "prod-eu1 has no tenants yet. The claims about tenants' secrets" in checked.report, "also in words"


def test_the_first_tenant_of_a_new_cell_has_every_claim_proven(branches: Branches) -> None:
    branches.start("a new cell and its first tenant")
    new_cell(branches)
    tenant = (branches.folder / "tenants" / "acme.yaml").read_text(encoding="utf-8")
    for old, new in (("tenant: acme", "tenant: hotel-sol"), ("cell: local", "cell: prod-eu1")):
        assert old in tenant
        tenant = tenant.replace(old, new)
    (branches.folder / "tenants" / "hotel-sol.yaml").write_text(tenant, encoding="utf-8")
    branches.commit("A cell in Europe with a tenant")
    checked = branches.check("--json")
    facts = json.loads(checked.report)
    assert (checked.code, facts["remarks"]) == (0, []), checked.report + checked.err
    assert [(one["claims"], one["waiting_for_a_tenant"]) for one in facts["proofs"]] == [(12, [])]


PIPELINE = """pipeline:
  github: {repository: myflux/keys, environment: local}
  state_bucket: myflux-state-local
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("log_retention_days: 14", "log_retention_days: 30", "**local**: 5 update"),
        ("openai:\n", f"{PIPELINE}openai:\n", "+ Role local-deployer-role\n"),
    ],
    ids=["logs kept longer", "a pipeline"],
)
def test_a_change_of_a_cell_passes_and_shows_what_changes_alone(
    old: str, new: str, told: str, branches: Branches
) -> None:
    branches.start("a changed cell")
    branches.edit("cells/local.yaml", old, new)
    branches.commit("A changed cell")
    checked = branches.check()
    assert checked.code == 0, checked.report + checked.err
    assert told in checked.report, checked.report
    assert "has no tenants" not in checked.report


def test_a_change_of_a_functions_code_is_told_by_its_archive_alone(branches: Branches) -> None:
    branches.start("a functions code")
    file = branches.folder / "functions" / "sweep" / "handler.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n# Another word.\n", encoding="utf-8")
    branches.commit("A word")
    checked = branches.check("--json")
    facts = json.loads(checked.report)
    assert checked.code == 0, checked.report + checked.err
    ((change,),) = [one["resources"] for one in facts["changes"]]
    assert change["name"] == "local-sweep-function"
    assert [line.partition(":")[0] for line in change["gained"]] == ["code.sha256"]


def test_what_no_stack_is_made_of_is_fine_at_once(branches: Branches) -> None:
    branches.start("words")
    (branches.folder / "README.md").write_text("Other words.\n", encoding="utf-8")
    checked = branches.check()
    assert checked.code == 0, checked.report + checked.err
    assert "no file of a stack changed" in checked.report, "also before it is committed"
    assert len(checked.report.splitlines()) < 8, checked.report


def test_code_that_does_not_load_is_not_taken_for_fine(branches: Branches) -> None:
    branches.start("half a line")
    branches.edit("components/tenant_key.py", "class TenantKey(pulumi.ComponentResource):", "class TenantKey(pulumi.")
    checked = branches.check("--json")
    assert checked.code == 2, checked.report + checked.err
    (remark,) = json.loads(checked.report)["remarks"]
    line = branches.line("components/tenant_key.py", "class TenantKey(pulumi.")
    assert (remark["rule"], remark["file"], remark["line"]) == ("program-loads", "components/tenant_key.py", line)


def test_a_review_that_breaks_off_does_not_count_as_one_that_says_no(branches: Branches) -> None:
    """A pipeline reads 1 as rules that were asked and fail, and 2 as nothing having been judged."""
    branches.start("a broken judge")
    branches.edit(
        "ops/review/check.py",
        "def review(",
        "def review(*_: object, **__: object) -> Review:\n    raise LookupError('a slip')\n\n\ndef another(",
    )
    checked = branches.check()
    assert (checked.code, checked.report) == (2, ""), checked.err
    assert "the review stopped on an error, so nothing was checked: LookupError: a slip" in checked.err


def test_a_ref_that_git_does_not_know_cannot_be_judged_against(branches: Branches) -> None:
    branches.start("no base")
    checked = branches.check(base="nowhere")
    assert (checked.code, checked.report) == (2, "")
    assert "git has no commit `nowhere`" in checked.err
