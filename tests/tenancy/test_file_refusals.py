"""What a file may be, before anybody asks what it says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.tenancy.files import Files

ACME = """\
tenant: acme
name: Acme Travel
cell: local
country: NO
source: managed
models: [gpt-5-mini]
rotation: {every_days: 31, overlap_hours: 24}
"""


@pytest.fixture(params=["libyaml", "pure Python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers follow the same rules: which one a machine has must not matter."""
    loaders = {"libyaml": yaml.CSafeLoader, "pure Python": yaml.SafeLoader}
    monkeypatch.setattr("tenancy.document._LOADER", loaders[request.param])


def test_norway_is_a_country(files: Files) -> None:
    files.write("tenants/acme.yaml", ACME)
    assert files.load().tenants["acme"].country == "NO", "YAML 1.1 reads NO as false"


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(files: Files) -> None:
    files.write("tenants/acme.yaml", b"\xef\xbb\xbf" + ACME.replace("\n", "\r\n").encode())
    assert files.load().tenants["acme"].name == "Acme Travel"


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        (ACME + "enabled: &a true\n", "anchor-or-alias", 8),
        (ACME + "enabled: *a\n", "anchor-or-alias", 8),
        (ACME + "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchor-or-alias", 8),
        (ACME + "enabled: !!bool true\n", "tag", 8),
        (ACME + "enabled: !!python/object/apply:os.getcwd []\n", "tag", 8),
        (ACME + "&k enabled: true\n", "anchor-or-alias", 8),
        ("%YAML 1.1\n---\n" + ACME, "directive", 1),
        (ACME + "---\ntenant: other\n", "several-documents", 8),
        (ACME + "name: Acme again\n", "duplicate-field", 8),
        (ACME + "consumers: {myflux: true, myflux: false}\n", "duplicate-field", 8),
        (ACME + "? [a, b]\n: c\n", "field-name", 8),
        (ACME + "budget: " + "[" * 60 + "]" * 60 + "\n", "too-deep", 8),
        (ACME + "budget: " + "{a: " * 30 + "1" + "}" * 30 + "\n", "too-deep", 8),
        (ACME + "budget:\n", "empty-value", 8),
        (ACME + "budget: null\n", "empty-value", 8),
        (ACME + "enabled: ~\n", "empty-value", 8),
        (ACME + "name: [unclosed\n", "not-yaml", None),
        ("- a\n- b\n", "not-a-mapping", 1),
        ("just text\n", "not-a-mapping", 1),
        ("", "empty-file", 1),
        ("# a comment alone\n", "empty-file", None),
        (ACME + "# \u200b\n", "invisible-character", 8),
        (ACME + "# \u202e\n", "invisible-character", 8),
        (ACME + "name: \x07\n", "invisible-character", 8),
        (ACME + "# \x85\n", "invisible-character", 8),
    ],
)
def test_what_a_file_may_not_hold_is_refused_with_its_line(
    files: Files, text: str, rule: str, line: int | None
) -> None:
    files.write("tenants/acme.yaml", text)
    problem = files.problem()
    assert (problem.file, problem.rule) == ("tenants/acme.yaml", rule)
    if line is not None:
        assert problem.line == line, "the line is where the reader must look"


@pytest.mark.parametrize(
    ("lines", "way_out"),
    [
        ("rotation:\n\tevery_days: 31\n", "tab"),
        ("rotation:\n  every_days: 31\n\toverlap_hours: 24\n", "tab"),
        ("\tenabled: true\n", "tab"),
        ("name: 'Acme\n", "close the quote"),
        ("rotation: {every_days: 31, overlap_hours: 24\n", "close the bracket with }"),
        ("models: [gpt-5-mini\n", "close the bracket with ]"),
        ("name: Acme: Travel\n", "in quotes"),
        ("name: @Acme\n", "in quotes"),
        ("rotation:\n  every_days: 31\n   overlap_hours: 24\n", "the same number of spaces"),
    ],
)
def test_text_that_is_no_yaml_gets_the_way_out_of_its_own_mistake(files: Files, lines: str, way_out: str) -> None:
    files.write("tenants/acme.yaml", "tenant: acme\n" + lines)
    problem = files.problem()
    assert problem.rule == "not-yaml"
    assert way_out in problem.way_out
    assert ("quotes" in problem.way_out) == (way_out in ("in quotes", "the same number of spaces")), (
        "quotes do not help against a tab or an open bracket"
    )


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(files: Files) -> None:
    files.write("tenants/acme.yaml", ACME.encode() + b"# caf\xe9\n")
    assert (files.problem().rule, files.problem().line) == ("not-utf-8", 8)


def test_a_file_over_64_kib_is_refused_and_one_of_64_kib_is_read(files: Files) -> None:
    fill = 64 * 1024 - len(ACME) - 1
    files.write("tenants/acme.yaml", ACME + "#" * fill + "\n")
    assert files.load().tenants
    files.write("tenants/acme.yaml", ACME + "#" * (fill + 1) + "\n")
    assert files.problem().rule == "file-too-large"


def test_a_link_out_of_the_folder_is_refused(files: Files, tmp_path: Path) -> None:
    outside = tmp_path / "acme.yaml"
    outside.write_text(ACME)
    (files.root / "tenants" / "acme.yaml").symlink_to(outside)
    assert files.problem().rule == "symlink-out"


def test_a_link_to_nothing_is_refused(files: Files) -> None:
    (files.root / "tenants" / "acme.yaml").symlink_to("nowhere.yaml")
    assert files.problem().rule == "unreadable"


def test_a_pipe_is_refused_and_not_waited_for(files: Files) -> None:
    os.mkfifo(files.root / "tenants" / "acme.yaml")
    assert files.problem().rule == "not-a-file"


def test_a_folder_named_like_a_file_is_refused(files: Files) -> None:
    (files.root / "tenants" / "acme.yaml").mkdir()
    assert files.problem().rule == "not-a-file"


@pytest.mark.parametrize(
    ("name", "rule"), [("acme.yml", "file-ending"), ("acme.YAML", "file-ending"), ("eu", "sub-folder")]
)
def test_what_would_be_ignored_silently_is_refused(files: Files, name: str, rule: str) -> None:
    if rule == "sub-folder":
        (files.root / "tenants" / name).mkdir()
    else:
        files.write(f"tenants/{name}", ACME)
    assert files.problem().rule == rule, "a tenant that somebody believes to be there must not be missing"


def test_a_file_name_that_is_no_text_is_printed_and_not_raised(files: Files) -> None:
    path = os.fsencode(files.root / "tenants") + b"/\xff\n.yaml"
    with open(path, "wb") as stream:  # noqa: PTH123  a path of bytes is what is tested
        stream.write(ACME.encode())
    problem = files.problem()
    assert problem.rule == "file-name"
    str(problem).encode()


def test_a_missing_folder_is_a_problem_and_not_an_empty_fleet(tmp_path: Path) -> None:
    files = Files(tmp_path / "repository")
    (files.root / "tenants").rmdir()
    assert files.problem().rule == "folder-missing"


def test_notes_and_hidden_files_beside_the_tenants_do_no_harm(files: Files) -> None:
    files.write("tenants/README.md", "# Tenants")
    files.write("tenants/.gitkeep", "")
    files.tenant()
    assert list(files.load().tenants) == ["acme"]
