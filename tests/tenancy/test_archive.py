"""A slug is used once: the archive of those that left refuses it, also to one stack alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenancy import TenancyError, archive, load
from tests.tenancy.files import Files


def gone(files: Files, slug: str, content: str = "whatever it said") -> None:
    kept = archive.place(files.root, slug)
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(content, encoding="utf-8")


def test_a_slug_of_the_archive_is_refused_with_its_line_and_the_way_out(files: Files) -> None:
    files.tenant()
    gone(files, "acme")
    problem = files.problem()
    assert (problem.file, problem.line, problem.field, problem.rule) == (
        "tenants/acme.yaml",
        1,
        "tenant",
        "slug-reused",
    )
    assert "tenants/archive/acme.yaml" in problem.reason
    assert "never used" in problem.way_out


def test_the_stack_of_a_used_slug_is_refused_and_its_neighbours_is_not(files: Files) -> None:
    files.tenant()
    files.tenant("beta", tenant="beta")
    gone(files, "acme")
    with pytest.raises(TenancyError, match="slug-reused"):
        load(files.root, only="acme")
    assert set(load(files.root, only="beta").tenants) == {"beta"}


def test_those_that_left_are_nobodys_tenants_whatever_their_files_hold(files: Files) -> None:
    files.tenant()
    gone(files, "zeta", "&anchors are: *not read\n")
    assert set(files.load().tenants) == {"acme"}


def test_another_sub_folder_is_refused_still_and_so_is_an_archive_of_cells(files: Files) -> None:
    files.tenant()
    (files.root / "cells" / "archive").mkdir()
    assert files.problem().rule == "sub-folder"
    (files.root / "cells" / "archive").rmdir()
    (files.root / "tenants" / "old").mkdir()
    assert files.problem().rule == "sub-folder"


def test_a_dead_link_in_the_archive_keeps_the_slug_used(files: Files) -> None:
    files.tenant()
    gone(files, "acme")
    archive.place(files.root, "acme").unlink()
    archive.place(files.root, "acme").symlink_to("nowhere.yaml")
    assert files.problem().rule == "slug-reused"


def test_one_look_at_one_path_is_all_that_a_tenant_costs(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    real = archive.os.path.lexists

    def counted(path: Path) -> bool:
        looked.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(archive.os.path, "lexists", counted)
    files.tenant()
    files.tenant("beta", tenant="beta")
    for number in range(50):
        gone(files, f"gone-{number}")
    files.load()
    assert sorted(looked) == ["acme.yaml", "beta.yaml"], "ten thousand that left must not make the others slow"


def test_a_draft_is_judged_in_the_files_place_and_nothing_is_written(files: Files) -> None:
    path = files.tenant()
    before = path.read_text(encoding="utf-8")
    changed = before.replace("name: Acme Travel", "name: Acme Voyages")
    assert load(files.root, only="acme", draft=changed).tenants["acme"].name == "Acme Voyages"
    with pytest.raises(TenancyError, match=r"tenants/acme\.yaml:\d+: country"):
        load(files.root, only="acme", draft=before.replace("country: CR", "country: CN"))
    gone(files, "late")
    with pytest.raises(TenancyError, match="slug-reused"):
        load(files.root, only="late", draft=before.replace("acme", "late"))
    assert path.read_text(encoding="utf-8") == before
    assert not (files.root / "tenants" / "late.yaml").exists()
