"""Where the page is written: refused before anything is asked, in one step, and for its owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.actions import read_reports
from ops.actions.read_reports import Statuses
from ops.cli.main import app
from ops.errors import OperationError
from ops.page import file
from tests.page.fleets import one_of_each


def test_the_file_is_replaced_in_one_step_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    target = tmp_path / "status.html"
    target.write_text("the page before", encoding="utf-8")
    target.chmod(0o644)
    with target.open(encoding="utf-8") as reader:
        file.write(target, b"the page")
        assert reader.read() == "the page before"
    assert target.read_bytes() == b"the page"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["status.html"]


def test_a_page_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(OperationError, match="folder was not written: "):
        file.write(tmp_path / "folder", b"the page")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (".", "is a folder: name a file in it"),
        ("none/status.html", "does not exist: make it"),
        ("/proc/status.html", ""),
        ("/dev/null", "is not a file: name one"),
        ("pipe", "is not a file: name one"),
    ],
)
def test_a_place_that_cannot_hold_it_is_refused_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, reason: str
) -> None:
    def asked(*_: object) -> None:
        pytest.fail("the fleet was read")

    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    monkeypatch.setattr(read_reports, "statuses", asked)
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != Path("/proc"))
    with pytest.raises(OperationError, match=reason or "you may not write in /proc"):
        file.check(Path(place))
    assert CliRunner().invoke(app, ["status", "--html", place]).exit_code == 1


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path: Path) -> None:
    today, latest = tmp_path / "today.html", tmp_path / "latest.html"
    latest.symlink_to(today)
    file.check(latest)
    file.write(latest, b"the page")
    assert (latest.is_symlink(), today.read_bytes()) == (True, b"the page")


def test_what_was_read_is_told_even_where_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OperationError("status.html was not written: No space left on device.")

    monkeypatch.setattr(read_reports, "statuses", lambda *_, **__: Statuses({}, {}, {}, one_of_each()))
    monkeypatch.setattr(file, "write", full)
    ended = CliRunner().invoke(app, ["status", "--html", str(tmp_path / "status.html")])
    assert "TENANT" in ended.stdout
    assert (ended.exit_code, str(ended.exception)) == (1, "status.html was not written: No space left on device.")
