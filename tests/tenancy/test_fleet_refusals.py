"""Rules that take more than one file, and names: what is derived from slugs must fit and must not collide."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myflux_keys.aws_names import CellNames, TenantNames
from myflux_keys.names import CELL_SLUG, TENANT_SLUG
from tenancy import aws_limits
from tests.tenancy.files import REAL, Files

CELLS = st.from_regex(CELL_SLUG, fullmatch=True)
TENANTS = st.from_regex(TENANT_SLUG, fullmatch=True)


def test_an_unknown_cell_is_refused_and_the_known_ones_named(files: Files) -> None:
    files.tenant(cell="prod-eu1")
    problem = files.problem()
    assert (problem.rule, problem.field, problem.line) == ("unknown-cell", "cell", 3)
    assert "local" in problem.reason


def test_a_cell_with_problems_of_its_own_is_not_unknown_too(files: Files) -> None:
    files.cell(production="yes")
    files.tenant()
    assert files.problem().file == "cells/local.yaml"


@pytest.mark.parametrize(
    "slug", ["ac", "Acme", "1acme", "-acme", "acme_travel", "a" * 33, "acme.local", "аcme", "_platform"]
)
def test_a_bad_slug_is_refused(files: Files, slug: str) -> None:
    files.tenant(slug, tenant=slug)
    assert (files.problem().rule, files.problem().field) == ("bad-slug", "tenant")


def test_a_file_named_otherwise_than_its_tenant_is_refused(files: Files) -> None:
    files.tenant("acme-travel")
    assert (files.problem().rule, files.problem().file) == ("file-name", "tenants/acme-travel.yaml")


def test_a_tenant_in_two_files_is_refused_with_both_files(files: Files) -> None:
    files.tenant("acme")
    files.tenant("acme2", tenant="acme")
    found = {problem.rule: problem for problem in files.problems()}
    assert set(found) == {"file-name", "duplicate-tenant"}
    assert found["duplicate-tenant"].file == "tenants/acme2.yaml"
    assert "tenants/acme.yaml" in found["duplicate-tenant"].reason


def test_upper_case_does_not_make_another_tenant(files: Files) -> None:
    files.tenant("ACME", tenant="ACME")
    files.tenant("acme")
    assert {problem.rule for problem in files.problems()} == {"bad-slug", "duplicate-tenant"}


def test_a_cell_in_two_files_is_refused(files: Files) -> None:
    files.cell("second", cell="local")
    assert {problem.rule for problem in files.problems()} == {"file-name", "duplicate-cell"}


def test_problems_of_all_files_come_at_once_in_order(files: Files) -> None:
    files.cell(recovery_window_days=1)
    files.tenant(country="CN")
    files.tenant("beta", tenant="beta", models=["gpt-9"], rate_limits={})
    files.write("tenants/gamma.yaml", "- no")
    assert [problem.file for problem in files.problems()] == [
        "cells/local.yaml",
        "tenants/acme.yaml",
        "tenants/beta.yaml",
        "tenants/gamma.yaml",
    ]


def test_two_tenants_whose_projects_would_share_a_name_are_refused_within_one_organization(files: Files) -> None:
    files.cell("abc", base=REAL, cell="abc")
    files.cell("abc-def", base=REAL, cell="abc-def")
    files.tenant("def-ghi", tenant="def-ghi", cell="abc")
    files.tenant("ghi", tenant="ghi", cell="abc-def")
    problem = files.problem()
    assert problem.rule == "project-collision"
    assert "myflux-abc-def-ghi" in problem.reason
    files.cell("abc", base=REAL, cell="abc", openai={"organization_id": "org-other"})
    assert len(files.load().tenants) == 2, "in an organization of its own the name is free"


def test_a_retiring_model_is_noticed_and_not_refused(files: Files) -> None:
    files.tenant()
    notices = files.load().notices
    assert [(notice.rule, notice.field, notice.value) for notice in notices] == [
        ("model-retiring", "models[0]", '"gpt-5-mini"'),
        ("model-retiring", "models[1]", '"gpt-4o-mini"'),
    ]
    assert notices[0].way_out.startswith("write gpt-"), "OpenAI recommends one"
    assert "`myflux-keys models --tenant acme`" in notices[0].way_out


def _measured(names: CellNames | TenantNames) -> list[tuple[str, int]]:
    derived = aws_limits.cell_names(names) if isinstance(names, CellNames) else aws_limits.tenant_names(names)
    return [(name, limit.most - len(name)) for limit, name in derived]


def test_the_longest_slugs_fit_every_limit_of_aws() -> None:
    cell = CellNames("c" * 20, "123456789012", "ap-southeast-1")
    for names in (cell, cell.tenant("t" * 32)):
        assert _measured(names), "something is measured"
        assert min(room for _, room in _measured(names)) >= 0
        assert list(aws_limits.refusals(names)) == []


def test_a_slug_longer_than_aws_allows_is_found_by_the_table() -> None:
    cell = CellNames("c" * 64, "123456789012", "eu-central-1")
    found = [refusal.reason for refusal in aws_limits.refusals(cell)]
    assert any("an IAM role's name has at most 64" in reason for reason in found)
    assert any("a Lambda function's name has at most 64" in reason for reason in found)
    assert any("an SQS queue's name has at most 80" in reason for reason in found)
    tenant = CellNames("local", "123456789012", "eu-central-1").tenant("t" * 300)
    assert {refusal.rule for refusal in aws_limits.refusals(tenant)} == {"name-too-long"}


def test_every_name_that_is_derived_for_aws_is_measured() -> None:
    unmeasured = {
        "stack",
        "cell",
        "tenant",
        "tags",
        "project",
        "admin_secret_arn_pattern",
        "tenant_secrets_arn_pattern",
        "tenant_secrets_prefix",
    }
    cell = CellNames("local", "123456789012", "eu-central-1")
    for names in (cell, cell.tenant("acme")):
        held = {name for name, _ in _measured(names)}
        for attribute, member in vars(type(names)).items():
            value: Any = getattr(names, attribute) if isinstance(member, property) else None
            if isinstance(value, str) and not value.startswith("arn:") and attribute not in unmeasured:
                assert value in held, f"{attribute} is a name in AWS that no limit is checked for"


@given(st.tuples(CELLS, TENANTS), st.tuples(CELLS, TENANTS))
def test_no_two_tenants_share_a_name_in_aws_or_a_stack(first: tuple[str, str], second: tuple[str, str]) -> None:
    def names(pair: tuple[str, str]) -> dict[str, str]:
        held = CellNames(pair[0], "123456789012", "eu-central-1").tenant(pair[1])
        return {
            "stack": held.stack,
            "secret": held.secret,
            "role": held.dedicated_role,
            "alias": held.dedicated_kms_alias,
        }

    if first != second:
        mine, theirs = names(first), names(second)
        assert all(mine[kind] != theirs[kind] for kind in mine)


@given(CELLS, TENANTS, TENANTS)
def test_no_two_tenants_of_a_cell_share_a_project(cell: str, first: str, second: str) -> None:
    names = CellNames(cell, "123456789012", "eu-central-1")
    assert (names.tenant(first).project == names.tenant(second).project) == (first == second)
