"""Every command in a world that is not as it should be: it ends with a sentence and a way out, never with a traceback.

In this process, which costs a hundredth of one for each run. AWS is a port on which nobody listens; how long that takes
is another test's. `demo` and what starts a local cell run for minutes, so they
meet the troubles that stop them before that.
"""

from __future__ import annotations

import io
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import botocore.endpoint
import pytest
import typer.main
from botocore.exceptions import EndpointConnectionError

from ops import aws_clients
from ops.account import Account
from ops.cli import main, streams
from ops.cli.output import result
from tests.cli.conftest import ROOT, Command, Said

FORBIDDEN: Final = "/proc/nope"
NO_HOME: Final = "/proc/none"
"""Where nobody makes a folder or file, root neither."""
COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "validate": (),
    "check": ("--base", "HEAD", "--no-state"),
    "up": ("acme", "fjord"),
    "preview": ("acme", "fjord"),
    "refresh": ("acme", "fjord"),
    "destroy": ("acme", "fjord", "--yes"),
    "demo": ("--home", f"{NO_HOME}/demo"),
    "bootstrap": ("local",),
    "new": ("hotel-sol", "--name", "Hotel Sol", "--from", "acme"),
    "adopt": ("acme", "--yes"),
    "move": ("acme", "--to", "second", "--yes"),
    "rename": ("acme", "apex"),
    "credential": ("acme", "--federated", "--yes"),
    "offboard": ("acme", "--yes"),
    "rotate": ("acme",),
    "revoke": ("acme", "--yes"),
    "disable": ("acme",),
    "enable": ("acme",),
    "sweep": (),
    "env": ("local",),
    "doctor": ("local",),
    "status": (),
    "verify": ("acme",),
    "history": ("acme",),
    "capacity": (),
    "models": (),
    "estimate": ("acme", "--input-tokens", "2000"),
    "usage": (),
    "local up": ("--home", f"{NO_HOME}/cell"),
    "local status": ("--home", f"{NO_HOME}/cell"),
    "local env": ("--home", f"{NO_HOME}/cell"),
    "local down": ("--home", f"{NO_HOME}/cell"),
    "local reset": ("--home", f"{NO_HOME}/cell"),
    "local advance": ("1h", "--home", f"{NO_HOME}/cell"),
    "local mfa-code": ("--home", f"{NO_HOME}/cell"),
    "local openai-admin-key": ("--home", f"{NO_HOME}/cell"),
    "local openai-customer": ("--home", f"{NO_HOME}/cell"),
    "admin-key set": ("--cell", "local"),
    "admin-key rotate": ("--cell", "local"),
    "key set": ("initech",),
    "key status": (),
    "connect link": ("initech",),
    "connect confirm": ("initech", "--yes"),
    "handover": ("fjord", "--consumer", "cinnox", "--no-browser"),
}
ASK_AWS: Final = {
    "bootstrap", "up", "preview", "refresh", "destroy", "adopt", "move", "offboard", "rotate", "revoke", "disable",
    "enable", "sweep", "status", "history", "capacity", "usage", "admin-key set", "admin-key rotate", "key set",
    "key status", "connect link", "connect confirm", "handover",
}  # fmt: skip
_MAY_NOT_KNOW: Final = {"status", "verify"}
"""They end with 3 where nothing that was seen is wrong, and not everything was seen."""
CLIENT: Final = aws_clients.client
Walk = Callable[..., dict[str, Said]]


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    children: Mapping[str, Any] | None = getattr(command, "commands", None)
    if children is None:
        yield " ".join(path)
        return
    for name in children:
        yield from leaves(children[name], (*path, name))


def test_the_walk_leaves_out_no_command() -> None:
    assert set(leaves(typer.main.get_command(main.app))) == set(COMMANDS)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Committed to a repository, with a second cell."""
    folder = tmp_path / "fleet"
    for name in ("tenants", "cells"):
        shutil.copytree(ROOT / name, folder / name)
    text = (folder / "cells" / "local.yaml").read_text(encoding="utf-8")
    (folder / "cells" / "second.yaml").write_text(text.replace("cell: local", "cell: second"), encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The fleet")
    return folder


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *who, *arguments], cwd=folder, env=clean, check=True, capture_output=True)


@pytest.fixture
def an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials belong to the cell's account, so that commands go on to what they do next."""
    monkeypatch.setattr(Account, "check", lambda _account: datetime.now(UTC))


@pytest.fixture
def walk(fleet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Walk:
    """Runs each command, or those given, and returns what it said. An unforeseen exception fails the test."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MYFLUX_", "OPENAI_", "PULUMI_", "GIT_"))]:
        monkeypatch.delenv(name)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").symlink_to(cast(str, shutil.which("git")))
    given = {
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "MYFLUX_FLEET": str(fleet),
        "MYFLUX_LOCAL_OPENAI_URL": "http://127.0.0.1:9/v1",
        "MYFLUX_STATE": str(tmp_path / "records"),
        "PATH": str(programs),
        "PULUMI_BACKEND_URL": "s3://state?region=us-east-1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aws_clients, "client", _unreached)

    def run(only: set[str] | None = None, **more: tuple[str, ...]) -> dict[str, Said]:
        said: dict[str, Said] = {}
        for command, arguments in COMMANDS.items():
            if only is None or command in only:
                monkeypatch.setattr(sys, "stdin", io.StringIO(""))
                code = main.attempt([*command.split(), *(more.get(command) or arguments)])
                told = capsys.readouterr()
                said[command] = Said(code, told.out, told.err)
        return said

    return run


def _unreached(*_: Any, **__: Any) -> Any:
    """As a client is once it has given up; to make a real one for each command takes most of a walk's time."""
    raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9/")


def check(said: Mapping[str, Said]) -> None:
    for command, told in said.items():
        assert told.code in ((0, 1, 2, 3) if command in _MAY_NOT_KNOW else (0, 1, 2)), f"{command}: {told}"
        assert "Traceback" not in told.err, f"{command}: {told.err}"
        assert told.code == 0 or told.err.strip() or told.out.strip(), f"{command} failed without a word"


def that_say(said: Mapping[str, Said], *words: str) -> set[str]:
    return {command for command, told in said.items() if all(word in told.err for word in words)}


def test_aws_out_of_reach(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_clients, "client", CLIENT)
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None))
    said = walk()
    check(said)
    assert that_say(said, "AWS cannot be reached", "AWS_ENDPOINT_URL") == ASK_AWS


@pytest.mark.usefixtures("an_account")
def test_a_state_folder_that_cannot_be_written(walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYFLUX_STATE", f"{FORBIDDEN}/records")
    platforms = tmp_path / "state" / ".pulumi" / "stacks" / "myflux-keys"
    platforms.mkdir(parents=True)
    for cell in ("local", "second"):
        (platforms / f"{cell}.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state")
    said = walk()
    check(said)
    told = that_say(said, FORBIDDEN, "set MYFLUX_STATE to another folder")
    assert told == {"bootstrap", "up", "preview", "adopt", "move", "rotate", "revoke"}
    monkeypatch.delenv("MYFLUX_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", FORBIDDEN)
    assert that_say(walk(told), FORBIDDEN, "set MYFLUX_STATE to another folder") == told


@pytest.mark.usefixtures("an_account")
def test_a_user_without_a_home_folder(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.delenv("MYFLUX_STATE")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    said = walk({"rotate", "revoke", "adopt"})
    check(said)
    assert that_say(said, "set HOME, or MYFLUX_STATE") == set(said)


def test_a_folder_for_temporary_files_that_cannot_be_written(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", FORBIDDEN)
    monkeypatch.setenv("TMPDIR", FORBIDDEN)
    said = walk()
    check(said)
    assert that_say(said, FORBIDDEN, "set TMPDIR to another folder") == {"check"}


def test_a_cache_that_cannot_be_written(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What installs the engine says so (tests/engine); a command only looks whether one is there."""
    monkeypatch.setenv("MYFLUX_CACHE", FORBIDDEN)
    check(walk(set(COMMANDS) - ASK_AWS))


def test_a_disk_without_space(walk: Walk, fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel refuses each byte to a file. It says that the file is too large: a full disk is told apart below."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{fleet.parent}")
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        said = walk(set(COMMANDS) - {"up", "preview"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
    check(said)
    assert that_say(said, "ulimit -f") >= {"new"}
    assert not (fleet / "tenants" / "hotel-sol.yaml").exists()


def test_no_git(walk: Walk, fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", FORBIDDEN)
    changed = ("--changed", "HEAD")
    said = walk(up=changed, preview=changed, refresh=changed)
    check(said)
    assert that_say(said, "git is not on PATH", "install git") == {"check", "up", "preview", "refresh"}


def test_gits_variables_of_another_repository(walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(other / ".git"))
    changed = ("--changed", "HEAD")
    said = walk(up=changed, preview=changed)
    check(said)
    assert "There is nothing to do" in said["up"].out, "the fleet's own repository has this commit, and no change"
    assert said["check"].code == 0


def test_a_folder_that_is_in_no_repository(walk: Walk, fleet: Path) -> None:
    shutil.rmtree(fleet / ".git")
    said = walk({"check", "up"}, up=("--changed", "HEAD"))
    check(said)
    assert that_say(said, "not a git repository", "run it in a clone") == {"check", "up"}


class _Closed(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_standard_output_that_nobody_reads(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", streams.Results(_Closed()))
    said = walk()
    check(said | {command: Said(told.code, "", "-") for command, told in said.items() if told.code == 1})
    assert said["validate"] == Said(1, "", ""), "who left needs no message"


def test_a_result_on_a_full_disk_is_no_success() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        pipe = streams.Results(full)
        pipe.write("a result\n")
        with pytest.raises(Exception, match="cannot be written to standard output: No space left on device"):
            pipe.flush()


def test_a_report_that_nobody_reads_stops_no_operation() -> None:
    errors = streams.Redacted(_Closed())
    assert errors.write("step 1 of 2\n") > 0
    errors.flush()


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_a_stream_that_the_caller_closed_is_read_and_written_in_vain(
    stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None if name == stream else getattr(sys, name))
    streams.prepare()
    held = getattr(sys, stream)
    if stream == "stdin":
        assert held.read() == ""
    else:
        result({}, "said to nobody", as_json=False)
        print("and this", file=sys.stderr)
    getattr(held, "_stream", held).close()


def test_head_ends_a_command_without_a_word(myflux: Command) -> None:
    """In a real pipe, whose reader has gone before the first byte."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ops.cli", "validate"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
