"""`enabled` changes as a person would change it, and nothing else in the file does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ops.actions.tenant_file import TenantFile
from ops.errors import OperationError
from tenancy import TenancyError

COMMENTED = """\
# The usual case.
tenant: acme                    # the file's name too
models: [gpt-5-mini]   # allow-list
enabled: true                   # never delete, disable
# enabled: false would stop reads
consumers: {myflux: true}
"""


def file_with(root: Path, text: str) -> TenantFile:
    (root / "tenants").mkdir(exist_ok=True)
    (root / "tenants" / "acme.yaml").write_bytes(text.encode())
    return TenantFile(root, "acme")


def content(file: TenantFile) -> str:
    return file.path.read_bytes().decode()


def test_one_word_changes_and_comments_and_layout_stay(tmp_path: Path) -> None:
    file = file_with(tmp_path, COMMENTED)
    assert file.set_enabled(False)
    assert content(file) == COMMENTED.replace("enabled: true  ", "enabled: false  ")
    assert not file.enabled()
    assert file.set_enabled(True)
    assert content(file) == COMMENTED, "there and back leaves no trace for a reviewer to wonder about"


def test_saying_what_the_file_says_already_touches_nothing(tmp_path: Path) -> None:
    file = file_with(tmp_path, COMMENTED)
    before = file.path.stat().st_mtime_ns
    assert not file.set_enabled(True)
    assert file.path.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("tenant: acme\n", "tenant: acme\nenabled: false\n"),
        ("tenant: acme", "tenant: acme\nenabled: false\n"),
        ("tenant: acme\r\nname: A\r\n", "tenant: acme\r\nname: A\r\nenabled: false\r\n"),
        ("tenant: acme\r\nenabled:  true\r\n", "tenant: acme\r\nenabled:  false\r\n"),
        ("consumers:\n  enabled: true\ntenant: acme\n", "consumers:\n  enabled: true\ntenant: acme\nenabled: false\n"),
    ],
)
def test_a_field_left_out_is_added_in_the_files_own_style(tmp_path: Path, text: str, after: str) -> None:
    file = file_with(tmp_path, text)
    assert file.set_enabled(False)
    assert content(file) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("{tenant: acme, enabled: true, name: A}\n", "{tenant: acme, enabled: false, name: A}\n"),
        ('"enabled": true\ntenant: acme\n', '"enabled": false\ntenant: acme\n'),
        ("\ufeffenabled: true\ntenant: acme\n", "\ufeffenabled: false\ntenant: acme\n"),
        ("\ufefftenant: acme\r\n", "\ufefftenant: acme\r\nenabled: false\r\n"),
        ("? enabled\n: true\ntenant: acme\n", "? enabled\n: false\ntenant: acme\n"),
        ("enabled:\n  true # why\ntenant: acme\n", "enabled:\n  false # why\ntenant: acme\n"),
        ('name: "É 🙂 enabled: true"\r\nenabled: true', 'name: "É 🙂 enabled: true"\r\nenabled: false'),
        ('name: "A\n  enabled: true\n  B"\nenabled: true\n', 'name: "A\n  enabled: true\n  B"\nenabled: false\n'),
    ],
)
def test_a_field_is_changed_where_the_loader_reads_it(tmp_path: Path, text: str, after: str) -> None:
    file = file_with(tmp_path, text)
    assert file.set_enabled(False)
    assert content(file) == after


@pytest.mark.parametrize("name", ["cell", '"cell"', "'cell'", "? cell\n"])
@pytest.mark.parametrize("value", ["local", '"local"', "'local'", "\n  local", '"loc\\u0061l"'])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
def test_a_cell_is_changed_however_it_is_written(tmp_path: Path, name: str, value: str, mark: str) -> None:
    file = file_with(tmp_path, f"{mark}{name}: {value}\ntenant: acme # cell: local\n")
    moved = file.moved("prod-eu1")
    assert moved.startswith(mark)
    assert yaml.safe_load(moved) == {"cell": "prod-eu1", "tenant": "acme"}
    assert moved.endswith("tenant: acme # cell: local\n")
    assert value in content(file), "nothing is written yet"


@pytest.mark.parametrize("text", ["{tenant: acme}\n", "enabled: true\nenabled: true\n", "tenant: acme\n...\n"])
def test_a_form_that_cannot_be_changed_safely_is_left_to_the_person(tmp_path: Path, text: str) -> None:
    file = file_with(tmp_path, text)
    with pytest.raises(OperationError, match="Write `enabled: false` yourself"):
        file.set_enabled(False)
    assert content(file) == text


@pytest.mark.parametrize(
    "text", [b"tenant: acme\nenabled: \xff\n", "enabled: false\n".encode("utf-16"), b"enabled: [\n"]
)
def test_a_file_that_the_loader_refuses_is_refused_and_not_taken_for_enabled(tmp_path: Path, text: bytes) -> None:
    file = file_with(tmp_path, "")
    file.path.write_bytes(text)
    for ask in (file.enabled, lambda: file.set_enabled(False), lambda: file.moved("prod-eu1")):
        with pytest.raises(TenancyError, match=r"tenants/acme\.yaml"):
            ask()
    assert file.path.read_bytes() == text


def test_rights_and_a_link_outlive_the_change(tmp_path: Path) -> None:
    file = file_with(tmp_path, COMMENTED)
    kept = file.path.rename(tmp_path / "tenants" / "real.txt")
    file.path.symlink_to(kept.name)
    kept.chmod(0o640)
    file.set_enabled(False)
    assert file.path.is_symlink()
    assert kept.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in kept.parent.iterdir()) == ["acme.yaml", "real.txt"], "no draft is left behind"
