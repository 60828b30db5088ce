"""The cells' plugins for the engine, and the programs that it runs, as forks of processes that have loaded them.

In each run the engine starts the language host twice, and the provider and the program once, and most of their time
goes into loading the same modules. So a cell whose environment a test computes gets, in place of the commands that
start Python, those that ask the server (`stub`). The engine and the code that runs are the same. Tests of the plugins'
own processes start them without this module, and so do programs of another folder than the repository's, whose modules
are not those that are loaded.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local import commands
from local.process import REPOSITORY

HOST: Final = "local.language_host"
FORKED: Final = (HOST, "local.provider")
"""Modules that are started as forks, where the engine starts them."""

_STUB: Final = Path(__file__).with_name("stub.py")
RUNNER: Final = str(REPOSITORY / "local" / "language_host" / "run_program.py")

plain = commands.stub
"""Makes a command that starts Python."""
_addresses: list[Path] = []
"""The running server's, if any."""


@contextmanager
def forked(address: Path) -> Generator[None]:
    """Cells get commands that ask the server at `address`. Commands that start Python are put beside it."""
    for module in FORKED:
        plain(address.with_name(module), module)

    def stub(target: Path, module: str) -> None:
        if module not in FORKED:
            plain(target, module)
            return
        words = map(shlex.quote, [*_asking(str(address), module), str(address.with_name(module))])
        commands._script(target, f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')

    commands.stub = stub
    _addresses.append(address)
    try:
        yield
    finally:
        _addresses.remove(address)
        commands.stub = plain


def typed() -> str:
    """Lines for bash that precede a script in the repository's folder: the `./myflux-keys` typed there is a fork too,
    with the same inputs and outputs, arguments, environment and exit code."""
    words = [shlex.quote(word) for a in _addresses for word in [*_asking(str(a), "ops.cli"), "./myflux-keys"]]
    return f'./myflux-keys() {{ {" ".join(words)} "$@"; }}\n' if words else ""


def fork_programs(address: str) -> None:
    """In a language host: it asks the server at `address` for its programs."""
    # Loaded in that process alone: the tests' own need not have it.
    from local.language_host import host
    from local.language_host.processes import Processes

    class Forking(Processes):
        def run(self, command: Sequence[str], cwd: str, env: Mapping[str, str], orders: bytes) -> int:
            if command == [sys.executable, RUNNER] and Path(cwd) == REPOSITORY:
                command = [*_asking(address, RUNNER), *command]
            return super().run(command, cwd, env, orders)

    host.Processes = Forking


def _asking(address: str, target: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(_STUB), address, target]
