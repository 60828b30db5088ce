"""Starts commands of this repository in processes that have loaded their modules already, by fork.

`python tests/commands/server.py DESCRIPTOR` is started by `client`, which sends requests through that socket: one byte,
with a socket for the request and the command's stdin, stdout and stderr. The request's socket then carries the orders
(`Orders` as JSON, ended by a line break) in, and the process's id and its exit status, a line each, out. Modules are
loaded for the first request, and never used here, so that each command finds them as its own imports would leave them.
A command ends as Python does, but that its modules are not taken down, which only the kernel's memory would notice.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TypedDict


class Orders(TypedDict):
    """`group`: whether the command gets a session, and so a process group, of its own."""

    module: str
    arguments: list[str]
    cwd: str
    environment: dict[str, str]
    group: bool


_exit_status: int | None = None
"""Of this process, once it has no more to do than what was registered for its end."""


def main() -> Orders | None:
    """The orders, in the process that is to follow them; None once nobody sends requests any more."""
    # Before any module is loaded: what those register runs first.
    atexit.register(_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asking = socket.socket(fileno=int(sys.argv[1]))
    loaded = False
    while True:
        byte, descriptors, _, _ = socket.recv_fds(asking, 1, 4)
        if not byte:
            asking.close()
            return None
        if not loaded:
            _load()
            loaded = True
        if os.fork() == 0:
            asking.close()
            return _begun(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _forget_the_ended()


def _load() -> None:
    sys.path[0] = str(Path.cwd())
    from ops.cli.commands import PLACES

    for place in PLACES.values():
        import_module(place.partition(":")[0])
    assert threading.active_count() == 1, "a fork would leave the others behind"
    # A package that Pulumi's SDK needs (dill) has looked for the folder; each command's environment has its own.
    tempfile.tempdir = None
    gc.collect()
    gc.freeze()


def _forget_the_ended() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        pass


def _begun(request: int, stdin: int, stdout: int, stderr: int) -> Orders:
    """Forks once more: the command goes on, and its parent waits for it."""
    with socket.socket(fileno=request) as answers:
        with answers.makefile("r", encoding="utf-8") as lines:
            orders: Orders = json.loads(lines.readline())
        pid = os.fork()
        if pid:
            for descriptor in (stdin, stdout, stderr):
                os.close(descriptor)
            answers.sendall(f"{pid}\n".encode())
            _, status = os.waitpid(pid, 0)
            # Who has killed it after its time listens no more.
            with suppress(BrokenPipeError):
                answers.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)
    for number, (name, descriptor) in enumerate((("stdin", stdin), ("stdout", stdout), ("stderr", stderr))):
        os.dup2(descriptor, number)
        os.close(descriptor)
        _open_again(name, number)
    return orders


def _open_again(name: str, number: int) -> None:
    """Python's own stream still takes the descriptor for what it was at the server's start, e.g. a file."""
    before: TextIOWrapper = getattr(sys, name)
    stream = os.fdopen(number, "wb" if number else "rb", closefd=False)
    again = TextIOWrapper(stream, before.encoding, before.errors, line_buffering=before.line_buffering)
    setattr(sys, name, again)
    setattr(sys, f"__{name}__", again)


def follow(orders: Orders) -> None:
    """As `python -m` does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if orders["group"]:
        os.setsid()
    os.chdir(orders["cwd"])
    os.environ.clear()
    os.environ.update(orders["environment"])
    sys.path[0] = orders["cwd"]
    sys.argv = ["-m", *orders["arguments"]]
    global _exit_status
    try:
        runpy.run_module(orders["module"], run_name="__main__", alter_sys=True)
        _exit_status = 0
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            _exit_status = leaving.code or 0
        raise


def _end() -> None:
    """Python would now take down each module, a tenth of a second for all that are loaded. Where warnings are asked
    for it does: some come only then. An error or an interruption is left to Python too."""
    if _exit_status is None or sys.warnoptions:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_exit_status & 0xFF)


if __name__ == "__main__" and (received := main()):
    follow(received)
