"""Every command explains itself, and wrong usage is told from refusal by its exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
import typer.main

from myflux_keys.admin_budget import CALLS_PER_MINUTE
from ops.cli.main import app, attempt
from tests.cli.conftest import ROOT, Command


def _walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from _walk(child, (*path, name))


COMMANDS = dict(_walk(typer.main.get_command(app)))


def test_the_commands_are_these() -> None:
    assert {" ".join(path) for path, command in COMMANDS.items() if not hasattr(command, "commands")} >= {
        "admin-key rotate", "admin-key set", "adopt", "capacity", "check", "demo", "disable", "enable", "history",
        "key set",
        "key status", "local advance", "local down", "local env", "local openai-admin-key", "local reset",
        "local status", "local up", "move", "new", "offboard", "rename", "revoke", "rotate", "status", "sweep",
        "validate",
    }  # fmt: skip


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "root")
def test_help_says_what_a_command_does_and_what_each_option_means(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert len((command.help or "").split()) >= 4, "one word is no explanation"
    shown = command.get_help(typer.Context(command, info_name=" ".join(("myflux-keys", *path))))
    for parameter in command.params:
        described = getattr(parameter, "help", "")
        assert described, f"{parameter.name} is not described"
        assert described.split()[0] in shown


def test_help_says_what_takes_long_and_where_an_option_is(myflux: Command) -> None:
    up = " ".join(myflux("up", "--help").out.split())
    assert f"some {CALLS_PER_MINUTE} calls a minute to each endpoint" in up
    assert "100 tenants take a quarter of an hour, so name those that need it" in up
    assert pytest.approx(15, rel=0.1) == 100 / CALLS_PER_MINUTE
    connect = " ".join(myflux("connect", "--help").out.split())
    assert "`connect --list` lists links, and `connect TENANT --revoke` ends a tenant's" in connect


READS = "changes nothing"
NO_DRY_RUN = {
    **dict.fromkeys(("validate", "check", "preview", "env", "status", "verify", "history", "capacity"), READS),
    **dict.fromkeys(("models", "estimate", "usage", "doctor", "key status"), READS),
    **dict.fromkeys(("local status", "local env", "local mfa-code"), READS),
    "up": "`preview` is its dry run",
    "refresh": "writes the state alone, and `preview --refresh` shows what differs",
    "rename": "is always refused",
    "demo": "makes a cell of its own, and deletes that",
    "admin-key set": "ends no key: the version before stays, and the next rotation ends the key that it replaced",
    "key set": "ends no key: only the customer can",
    "connect confirm": "shows what waits, then asks, and ends nothing",
    "handover": "a person confirms in its page; `status` shows what is due, and the old key lives while it is used",
    **dict.fromkeys(("local up", "local advance", "local down", "local reset"), "a cell on this machine alone"),
    **dict.fromkeys(("local openai-admin-key", "local openai-customer"), "make a key in the emulator"),
}


def test_a_command_that_ends_or_denies_something_has_a_dry_run() -> None:
    leaves = {" ".join(path): command for path, command in COMMANDS.items() if not hasattr(command, "commands")}
    has = {name for name, command in leaves.items() if any("--dry-run" in one.opts for one in command.params)}
    assert {"revoke", "offboard", "destroy", "disable", "rotate", "connect link", "admin-key rotate"} <= has
    assert leaves.keys() - has == NO_DRY_RUN.keys(), "a new command has a dry run, or a reason to have none"


@pytest.mark.parametrize("arguments", [("--help",), ("local", "--help"), ("admin-key", "set", "--help")])
def test_help_ends_well_and_on_stdout(myflux: Command, arguments: tuple[str, ...]) -> None:
    said = myflux(*arguments)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("Usage: myflux-keys")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nope",),
        ("validate", "--nope"),
        ("local", "advance"),
        ("local", "advance", "3x"),
        ("local", "advance", "1000000000d"),
        ("admin-key", "set"),
        ("admin-key", "set", "--cell", "local", "sk-" + "admin-" + "x" * 20),
    ],
)
def test_wrong_usage_ends_with_two_and_is_told_on_stderr(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert attempt(list(arguments)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err
    assert "Traceback" not in said.err


def test_a_key_given_as_an_argument_is_not_repeated(myflux: Command) -> None:
    key = "sk-" + "admin-" + "x" * 20
    said = myflux("admin-key", "set", "--cell", "local", key)
    assert key not in said.out + said.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_come_out(myflux: Command, shell: str) -> None:
    # Named, not detected: a run without a shell above it, as a job's may be, has none to detect.
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    said = myflux("--show-completion", shell, environment=named)
    assert said.code == 0
    assert "myflux" in said.out


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("admin-key set --cell ", ["local"]),
        ("rotate --cell l", ["local"]),
        ("rotate ", ["acme", "fjord", "globex", "initech"]),
        ("rotate acme f", ["fjord"]),
        ("offboard gl", ["globex"]),
        ("up no-such", []),
    ],
)
def test_cells_and_tenants_are_completed_from_their_files(myflux: Command, typed: str, offered: list[str]) -> None:
    words = {
        "COMP_WORDS": f"myflux-keys {typed}",
        "COMP_CWORD": str(len(typed.split()) + typed.endswith(" ")),
        "_MYFLUX_KEYS_COMPLETE": "complete_bash",
    }
    assert myflux(environment=words).out.split() == offered


def test_an_unforeseen_errors_traceback_is_redacted() -> None:
    key = "sk-" + "proj-" + "x" * 20
    program = (
        "import sys; from ops.cli import main, options; sys.argv = ['myflux-keys', 'rename', 'acme', 'apex']\n"
        "def breaks(*_, **__): raise RuntimeError(options.WHAT)\n"
        "options.WHAT, main.app = sys.stdin.read(), breaks\n"
        "main.main()"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, input=key, capture_output=True, text=True, check=False
    )
    assert said.returncode == 1
    assert "Traceback" in said.stderr, "else this shows nothing"
    assert "RuntimeError: [redacted]" in said.stderr
    assert key not in said.stderr
