"""What a cell's file may say of its pipeline, and the trust that follows from it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import tenancy
from local.aws.server import STATE_KEY
from ops.ci.plan import matrix
from tenancy.pipeline import GITHUB_ISSUER
from tests.ci.conftest import IDS, PIPELINE, SUBJECT
from tests.program.rig import CELL, ROOT

STATE = f"state: {{bucket: myflux-state, kms_key: '{STATE_KEY}'}}\n"
GITLAB = f"{STATE}pipeline:\n  gitlab: {{project: myflux/platform/keys, branch: main}}\n"


def fleet(folder: Path, section: str) -> tenancy.Fleet:
    (folder / "cells").mkdir()
    (folder / "tenants").mkdir()
    text = (ROOT / "cells" / f"{CELL}.yaml").read_text(encoding="utf-8")
    (folder / "cells" / f"{CELL}.yaml").write_text(text + section, encoding="utf-8")
    return tenancy.load(folder)


WITHOUT_IDS = PIPELINE.replace(f"{IDS}, ", "")


def test_the_subject_is_one_environment_on_github_and_one_branch_on_gitlab(tmp_path: Path) -> None:
    """With ids it is what GitHub sends since 15 July 2026 of repositories made, renamed or transferred, without them
    what it sends of older ones."""
    for name, section, issuer, subject in (
        ("github", WITHOUT_IDS, GITHUB_ISSUER, "repo:myflux/keys:environment:local"),
        ("github with ids", PIPELINE, GITHUB_ISSUER, SUBJECT),
        ("gitlab", GITLAB, "gitlab.com", "project_path:myflux/platform/keys:ref_type:branch:ref:main"),
    ):
        (tmp_path / name).mkdir()
        pipeline = fleet(tmp_path / name, section).cells[CELL].pipeline
        assert pipeline is not None
        assert (pipeline.issuer, pipeline.subject, pipeline.deploys) == (issuer, subject, "tenants")


@pytest.mark.parametrize(
    ("section", "rule"),
    [
        (PIPELINE + "  gitlab: {project: myflux/keys, branch: main}\n", "one-pipeline"),
        (STATE + "pipeline: {deploys: tenants}\n", "one-pipeline"),
        (PIPELINE.replace("environment: local", "environment: '*'"), "bad-pipeline"),
        (PIPELINE.replace("environment: local", "environment: 'x:ref:refs/heads/main'"), "bad-pipeline"),
        (PIPELINE.replace("myflux/keys", "myflux"), "bad-pipeline"),
        (PIPELINE.replace("myflux/keys", "myflux@1234567/keys@89012345"), "bad-pipeline"),
        (PIPELINE.replace("myflux/keys", "myflux/*"), "bad-pipeline"),
        (PIPELINE.replace("owner_id: 1234567, ", ""), "one-id"),
        (PIPELINE.replace(", repository_id: 89012345", ""), "one-id"),
        (PIPELINE.replace("1234567", "0"), "out-of-range"),
        (PIPELINE.replace("1234567", "'*'"), "wrong-type"),
        (PIPELINE.replace("1234567", "'1234567'"), "wrong-type"),
        (PIPELINE.replace("myflux-state-local", "s3://myflux-state-local"), "bad-bucket"),
    ],
)
def test_what_would_trust_more_than_one_pipeline_is_refused(tmp_path: Path, section: str, rule: str) -> None:
    with pytest.raises(tenancy.TenancyError) as refused:
        fleet(tmp_path, section)
    assert [problem.rule for problem in refused.value.problems] == [rule]


def test_the_section_that_the_page_shows_is_a_cells_with_the_subject_of_a_new_repository(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^ *```yaml\n(.*?)```", page, re.MULTILINE | re.DOTALL)
    pipeline = fleet(tmp_path, textwrap.dedent(shown.rstrip(" "))).cells[CELL].pipeline
    assert pipeline is not None
    assert pipeline.subject == "repo:myflux@1234567/keys@89012345:environment:prod-eu1"


def test_half_of_the_ids_is_refused_with_the_command_that_prints_both(tmp_path: Path) -> None:
    with pytest.raises(tenancy.TenancyError) as refused:
        fleet(tmp_path, PIPELINE.replace(", repository_id: 89012345", ""))
    (problem,) = refused.value.problems
    assert problem.field == "pipeline.github"
    assert "add repository_id" in problem.way_out
    assert "gh api repos/myflux/keys --jq '.owner.id, .id'" in problem.way_out


def test_the_role_governs_and_a_person_stores(tmp_path: Path) -> None:
    cell = fleet(tmp_path, PIPELINE).cells[CELL]
    assert cell.governors == (*cell.deployer_principals, "arn:aws:iam::000000000000:role/myflux-local-deployer")
    assert "arn:aws:iam::000000000000:role/myflux-local-deployer" not in cell.deployer_principals


def test_a_matrix_holds_the_cells_that_a_pipeline_deploys(tmp_path: Path) -> None:
    held = fleet(tmp_path, PIPELINE)
    assert matrix(held, None) == matrix(held, ["acme.local"]) == [{"cell": CELL, "environment": "local"}]
    assert matrix(held, ["acme.elsewhere"]) == []
    assert matrix(tenancy.load(ROOT), None) == [], "the shipped cell is nobody's but a person's"
