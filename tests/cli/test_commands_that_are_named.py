"""Every command that a sentence of the program names exists, with the options that the sentence gives it.

`status` and `verify` tell people to type them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ROOT
from tests.cli.test_command_help import COMMANDS

PROGRAM = "myflux-keys "
NO_COMMAND = {"do not need them: they read the cell's file. A new stack: pulumi stack init STACK"}
"""A sentence whose subject is the program."""
LEFT_OUT = {"connect": "link"}
"""``connect TENANT`` is ``connect link TENANT``."""
FOLDERS = ("components", "demo", "functions", "local", "myflux_keys", "ops", "policies", "tenancy", "tools")


def sentences(file: Path) -> Iterator[str]:
    """The texts of a file that may name a command, with ``VALUE`` for what is filled in, and docstrings."""
    text = file.read_text(encoding="utf-8")
    if PROGRAM.strip() not in text:
        return
    tree = ast.parse(text)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else " VALUE" for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def named(sentence: str) -> Iterator[str]:
    """What stands after the program's name, up to the end of the command."""
    for found in re.finditer(rf"{PROGRAM}([a-z][^`|;<\n]*)", sentence):
        yield found[1]


def wrong(typed: str) -> str:
    """Why it cannot be typed; empty if it can."""
    words = [word.strip("\"'().,:`") for word in typed.split()]
    command: Any = COMMANDS.get((words[0],))
    if command is None:
        return f"there is no command {words[0]}"
    if hasattr(command, "commands") and len(words) > 1:
        command = command.commands.get(words[1]) or command.commands.get(LEFT_OUT.get(words[0]))
    if command is None:
        return f"{words[0]} has no {words[1]}"
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    given = re.findall(r"(?<![\w-])--[a-z][a-z-]*", typed)
    return ", ".join(f"{command.name} has no {one}" for one in given if one not in {*options, "--help"})


def test_each_command_that_a_sentence_names_can_be_typed() -> None:
    found = {
        (file.relative_to(ROOT).as_posix(), typed)
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        for sentence in sentences(file)
        for typed in named(sentence)
        if typed not in NO_COMMAND
    }
    assert len(found) > 100, "the search finds them"
    assert [(file, typed, why) for file, typed in sorted(found) if (why := wrong(typed))] == []


@pytest.mark.parametrize("typed", ["repair acme", "rotate acme --now", "key put acme"])
def test_one_that_cannot_be_typed_is_found(typed: str) -> None:
    (found,) = named(f"Type `myflux-keys {typed}`.")
    assert wrong(found)
