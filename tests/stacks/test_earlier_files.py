"""A tenant's file at an earlier commit is read as on disk. Read in another way it can seem to name no cell, and the
tenant would get a second project and key beside the first ones."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import tenancy
from ops.ci import plan
from ops.review import stacks
from ops.review.base_commit import base
from ops.stacks import changed, choice
from tests.tenancy.files import REAL, TENANT, Files

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Runs git in a new repository in `tmp_path`, which holds the cells `local` and `prod-eu1`."""
    pipeline = {
        "github": {"repository": "example/keys", "environment": "prod-eu1"},
        "state_bucket": "myflux-state-prod-eu1",
    }
    Files(tmp_path).cell(file="prod-eu1", **REAL, pipeline=pipeline)

    def run(*arguments: str) -> str:
        identity = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout

    run("init", "-q")
    return run


PLAIN = yaml.safe_dump(TENANT, sort_keys=False)
CELL_FIRST = yaml.safe_dump({"cell": "local"} | TENANT, sort_keys=False)
FORMS = {
    "plain": PLAIN,
    "quoted name": PLAIN.replace("cell:", '"cell":'),
    "name in single quotes": PLAIN.replace("cell:", "'cell' :"),
    "BOM": "\ufeff" + CELL_FIRST,
    "flow style": json.dumps(TENANT),
    "value on the next line": PLAIN.replace("cell: local", "cell:\n    local"),
    "explicit name": PLAIN.replace("cell: local", "? cell\n: local"),
    "escapes": PLAIN.replace("cell: local", '"\\x63ell": "loc\\u0061l"'),
    "indented": "".join(f"  {line}\n" for line in PLAIN.splitlines()),
    "another field's text": PLAIN.replace("name: Acme Travel", 'name: "Acme\\\ncell: prod-eu1"'),
}
"""Valid tenant files that name the cell `local`, in forms that YAML has."""
assert all(text != PLAIN for form, text in FORMS.items() if form != "plain")


def commit(root: Path, git: Git, content: str | bytes) -> None:
    (root / "tenants" / "acme.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    git("add", "-A")
    git("commit", "-qm", "the tenant as it was")


def move_by_hand(root: Path) -> None:
    file = root / "tenants" / "acme.yaml"
    file.unlink()
    file.write_text(PLAIN.replace("cell: local", "cell: prod-eu1"), encoding="utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_another_cell_is_seen_however_the_earlier_file_is_written(tmp_path: Path, git: Git, form: str) -> None:
    commit(tmp_path, git, FORMS[form])
    assert tenancy.load(tmp_path).tenants["acme"].cell == "local", "what `up` deployed the tenant to"
    move_by_hand(tmp_path)
    found = changed.since("HEAD", tmp_path)
    assert found.stacks == []
    assert "write local again and run `myflux-keys move acme --to prod-eu1`" in found.left_out["acme.prod-eu1"]


@pytest.mark.parametrize("form", FORMS)
def test_another_form_of_the_same_cell_is_deployed(tmp_path: Path, git: Git, form: str) -> None:
    commit(tmp_path, git, FORMS[form])
    (tmp_path / "tenants" / "acme.yaml").write_text(f"{PLAIN}# another form\n", encoding="utf-8")
    found = changed.since("HEAD", tmp_path)
    assert found.stacks == ["acme.local"]
    assert found.left_out == {}


@pytest.mark.parametrize("form", FORMS)
def test_a_removed_file_names_the_stack_whose_keys_are_still_valid(tmp_path: Path, git: Git, form: str) -> None:
    commit(tmp_path, git, FORMS[form])
    (tmp_path / "tenants" / "acme.yaml").unlink()
    assert list(changed.since("HEAD", tmp_path).left_out) == ["acme.local"]


UNREADABLE = {
    "UTF-16": PLAIN.encode("utf-16"),
    "not YAML": "cell: local\n}{",
    "two cells": PLAIN + "cell: local\n",
    "no cell": PLAIN.replace("cell: local\n", ""),
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_an_earlier_file_that_the_loader_refuses_does_not_count_as_the_same_cell(
    tmp_path: Path, git: Git, content: str | bytes
) -> None:
    commit(tmp_path, git, content)
    with pytest.raises(tenancy.TenancyError):
        tenancy.load(tmp_path)
    move_by_hand(tmp_path)
    found = changed.since("HEAD", tmp_path)
    assert found.stacks == []
    assert "its earlier file cannot be read" in found.left_out["acme.prod-eu1"]


def test_a_removed_file_that_could_not_be_read_is_reported_by_every_cells_pipeline(tmp_path: Path, git: Git) -> None:
    commit(tmp_path, git, UNREADABLE["UTF-16"])
    (tmp_path / "tenants" / "acme.yaml").unlink()
    found = changed.since("HEAD", tmp_path)
    assert list(found.left_out) == ["acme.?"]
    assert choice.within(found, "local").left_out == choice.within(found, "prod-eu1").left_out == found.left_out
    jobs = plan.matrix(tenancy.load(tmp_path), found.left_out)
    assert [job["cell"] for job in jobs] == ["prod-eu1"], "the cell that a pipeline deploys"


def test_fields_that_todays_rules_refuse_do_not_hide_the_cell(tmp_path: Path, git: Git) -> None:
    commit(tmp_path, git, PLAIN.replace("gpt-5-mini", "no-longer-offered"))
    move_by_hand(tmp_path)
    assert "write local again" in changed.since("HEAD", tmp_path).left_out["acme.prod-eu1"]


def test_a_link_is_followed_as_on_disk(tmp_path: Path, git: Git) -> None:
    (tmp_path / "tenants" / "acme.yaml").symlink_to(".first")
    (tmp_path / "tenants" / ".first").symlink_to(".second")
    (tmp_path / "tenants" / ".second").write_text(PLAIN, encoding="utf-8")
    git("add", "-A")
    git("commit", "-qm", "by links")
    assert tenancy.load(tmp_path).tenants["acme"].cell == "local"
    move_by_hand(tmp_path)
    assert "write local again" in changed.since("HEAD", tmp_path).left_out["acme.prod-eu1"]


def test_content_that_a_filter_of_git_writes_is_read_as_on_disk(tmp_path: Path, git: Git) -> None:
    git("config", "filter.turned.clean", "rev")
    git("config", "filter.turned.smudge", "rev")
    (tmp_path / ".gitattributes").write_text("tenants/*.yaml filter=turned export-ignore\n", encoding="utf-8")
    commit(tmp_path, git, PLAIN)
    assert "cell: local" not in git("show", "HEAD:tenants/acme.yaml")
    move_by_hand(tmp_path)
    assert "write local again" in changed.since("HEAD", tmp_path).left_out["acme.prod-eu1"]


def test_a_file_that_the_loader_does_not_read_is_no_tenants_file(tmp_path: Path, git: Git) -> None:
    commit(tmp_path, git, PLAIN)
    (tmp_path / "tenants" / ".draft.yaml").write_text("cell: [", encoding="utf-8")
    git("add", "-A")
    git("commit", "-qm", "a hidden file")
    (tmp_path / "tenants" / ".draft.yaml").unlink()
    assert changed.since("HEAD", tmp_path).left_out == {}


def test_the_review_reads_the_base_by_the_same_loader(tmp_path: Path, git: Git) -> None:
    commit(tmp_path, git, FORMS["quoted name"])
    move_by_hand(tmp_path)
    with base(tmp_path, "HEAD") as found:
        about = stacks.scope(stacks.read(tmp_path), found.differences, ".", None, (), found.folder)
    assert "write local again" in about.left_out["acme.prod-eu1"]
