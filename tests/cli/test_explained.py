"""What this machine refuses, as a sentence: where, what, and what to do."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops import journal
from ops.ci import failure
from ops.cli import ask
from ops.explained import explained

WORLD = {"MYFLUX_STATE": "/srv/records", "TMPDIR": "/srv/tmp", "MYFLUX_FLEET": "/srv/fleet"}


def error(number: int, path: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), path) if path else OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("met", "words"),
    [
        (error(errno.EACCES, "/srv/records/1/x"), ["/srv/records/1/x", "Permission denied", "set MYFLUX_STATE to"]),
        (error(errno.EROFS, "/srv/tmp/x"), ["Read-only file system", "set TMPDIR to another folder"]),
        (error(errno.ENOSPC, "/srv/fleet/tenants/a"), ["the disk is full", "set MYFLUX_FLEET to another folder"]),
        (error(errno.ENOSPC), ["the disk is full", "MYFLUX_STATE", "/srv/records", "TMPDIR", "/srv/tmp"]),
        (error(errno.EDQUOT), ["the disk is full"]),
        (error(errno.EPERM, "/srv"), ["/srv: ", "set MYFLUX_STATE to another folder"]),
        (error(errno.EMFILE), ["ulimit -n"]),
        (error(errno.EFBIG), ["ulimit -f"]),
        (error(errno.ENOTDIR, "/home/x/file"), ["a file is where a folder must be", "/home/x/file"]),
        (error(errno.ENOENT, "/home/x/gone"), ["/home/x/gone: No such file", "the option or variable that names it"]),
        (error(errno.ENOENT, "pulumi"), ["`pulumi` is not on PATH", "make engine"]),
        (error(errno.ENOENT, "x.sarif"), ["x.sarif: No such file", "the option or variable that names it"]),
        (error(errno.EISDIR, "tenants"), ["tenants: Is a directory", "this is a folder: name a file"]),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), ["set TMPDIR"]),
        (error(errno.EIO, "/home/x/disk"), ["Input/output error", "/home/x/disk", "OSError"]),
    ],
)
def test_each_refusal_says_where_and_the_way_out(met: OSError, words: list[str]) -> None:
    sentence = explained(met, WORLD)
    assert sentence is not None
    for word in words:
        assert word in sentence
    assert sentence.endswith("Then run the same command again.") or "set TMPDIR" in sentence


def test_a_program_that_cannot_be_started_is_not_on_path() -> None:
    with pytest.raises(FileNotFoundError) as met:
        subprocess.run(["myflux-no-such-program"], check=True)
    assert "`myflux-no-such-program` is not on PATH: install it" in (explained(met.value, WORLD) or "")


def test_a_folder_is_never_told_to_be_moved_where_a_file_was_named(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as met:
        tmp_path.write_text("")
    assert "move it away" not in (explained(met.value, WORLD) or "")


def test_a_working_directory_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for attempt in (lambda: Path("x.sarif").write_text(""), Path.cwd):
        with pytest.raises(FileNotFoundError) as met:
            attempt()
        assert "this shell's working directory was deleted: `cd` to another" in (explained(met.value, WORLD) or "")


def test_a_user_without_a_home_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    assert "the disk is full" in (explained(error(errno.ENOSPC), {}) or "")


def test_a_fault_of_the_product_keeps_its_traceback() -> None:
    assert explained(KeyError("x")) is None
    assert explained(AssertionError()) is None


def test_a_script_of_ci_says_the_same(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYFLUX_STATE", "/srv/records")

    def script() -> int:
        raise error(errno.EACCES, "/srv/records/x")

    with pytest.raises(SystemExit, match="1"):
        failure.run(script)
    assert "set MYFLUX_STATE to another folder" in capsys.readouterr().err


def test_a_user_whom_this_machine_does_not_know_is_recorded_by_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(journal.getpass, "getuser", unknown)
    record = journal.begin(tmp_path, "rotate", CellNamed(), ["acme"], "")  # pyright: ignore[reportArgumentType]
    assert record.by == str(os.getuid())


class CellNamed:
    cell = "local"


KEY = "sk-" + "proj-" + "x" * 40


@pytest.mark.parametrize("written", ["utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"], ids=["in UTF-8", "in the C locale"])
def test_bytes_that_are_no_text_are_told_instead_of_decoded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], written: str, errors: str
) -> None:
    """In the C locale Python reads any bytes from standard input as text."""
    piped = io.TextIOWrapper(io.BytesIO(f"{KEY}\xe9\r\n".encode(written)), encoding="utf-8", errors=errors)
    monkeypatch.setattr(sys, "stdin", piped)
    with pytest.raises(SystemExit, match="1"):
        ask.key("Key: ")
    said = capsys.readouterr().err
    assert "UTF-16" in said
    assert KEY[-20:] not in said


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_piped_key_is_its_first_line(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    piped = io.TextIOWrapper(io.BytesIO(f"{KEY}\r\nmore\r\n".encode()), encoding=encoding)
    for given in (piped, io.StringIO(f"{KEY}\n")):
        monkeypatch.setattr(sys, "stdin", given)
        assert ask.key("Key: ") == f"{KEY}\n"
