"""Starts commands of this repository in processes that have loaded their modules already, by fork.

`python tests/commands/server.py DESCRIPTOR [LISTENING]` is started by `client`, which sends requests through the first
socket: one byte, with a socket for the request and the command's stdin, stdout and stderr. The second one, if any,
listens for `stub`, whose connection is the request and brings its own stdin, stdout and stderr. A request's socket then
carries the orders (`Orders` as Python writes them, ended by a line break) in, and the process's id and its exit status,
a line each, out. Modules are loaded for the first request, and never used here, so that each process finds them as its
own imports would leave them. It ends as Python does, but that its modules are not taken down, which only the kernel's
memory would notice.
"""

from __future__ import annotations

import atexit
import gc
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading
from ast import literal_eval
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from select import select
from typing import BinaryIO, TypedDict, cast

AT_START = ("PYTHON", "LANG", "LC_", "LD_", "MALLOC_", "TZ")
"""Variables that begin so are read when a process starts."""


class Orders(TypedDict):
    target: str
    """A module, or a script's path."""
    arguments: list[str]
    path: str
    """Where a module's imports begin."""
    cwd: str
    environment: dict[str, str]
    group: bool
    """Whether the process gets a session, and so a process group, of its own."""
    tied: bool
    """Whether it gets the signals that its request carries, and is killed where its request breaks off."""


_exit_status: int | None = None
"""Of this process, once it has no more to do than what was registered for its end."""
_address = ""
"""Where a process may ask for more forks."""


def main() -> Orders | None:
    """The orders, in the process that is to follow them; None once nobody sends requests any more."""
    global _address
    # Before any module is loaded: what those register runs first.
    atexit.register(_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asking, *listening = doors = [socket.socket(fileno=int(number)) for number in sys.argv[1:]]
    for each in listening:
        _address = each.getsockname()
    loaded = False
    while True:
        for door in select(doors, [], [])[0]:
            if door is asking:
                byte, descriptors, _, _ = socket.recv_fds(asking, 1, 4)
                if not byte:
                    asking.close()
                    return None
            else:
                descriptors = [door.accept()[0].detach()]
            if not loaded:
                _load(for_the_engine=bool(listening))
                loaded = True
            if os.fork() == 0:
                for each in doors:
                    each.close()
                return _begun(*descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            _forget_the_ended()


def settings(environment: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """What of it a fork cannot take over."""
    return frozenset((name, value) for name, value in environment.items() if name.startswith(AT_START))


def _load(*, for_the_engine: bool) -> None:
    sys.path[0] = str(Path.cwd())
    from ops.cli.commands import PLACES

    for place in PLACES.values():
        import_module(place.partition(":")[0])
    if for_the_engine:
        for module in ("program", "local.language_host.host", "local.provider.servicer"):
            import_module(module)
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


def _begun(request: int, *streams: int) -> Orders:
    """Forks once more: the process goes on, and its parent waits for it."""
    with socket.socket(fileno=request) as answers:
        if not streams:
            streams = tuple(socket.recv_fds(answers, 1, 3)[1])
        with cast("BinaryIO", answers.makefile("rb")) as lines:
            line = lines.readline()
            # Who asked may have been killed before it had said all.
            if len(streams) < 3 or not line.endswith(b"\n"):
                os._exit(0)
            orders: Orders = literal_eval(line.decode())
            if orders["tied"] and settings(orders["environment"]) != settings(os.environ):
                answers.sendall(b"-\n")
                os._exit(0)
            if pid := os.fork():
                for descriptor in streams:
                    os.close(descriptor)
                _wait(pid, answers, lines if orders["tied"] else None)
    for number, (name, descriptor) in enumerate(zip(("stdin", "stdout", "stderr"), streams, strict=True)):
        os.dup2(descriptor, number)
        os.close(descriptor)
        _open_again(name, number)
    return orders


def _wait(pid: int, answers: socket.socket, lines: BinaryIO | None) -> None:
    # Who has killed the process after its time, or was killed itself, listens no more.
    with suppress(ConnectionError):
        answers.sendall(f"{pid}\n".encode())
    over = threading.Event()
    if lines:
        threading.Thread(target=_pass_on, args=(lines, pid, over), daemon=True).start()
    _, status = os.waitpid(pid, 0)
    over.set()
    with suppress(ConnectionError):
        answers.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _pass_on(lines: BinaryIO, pid: int, over: threading.Event) -> None:
    """Signals. 0 means that the parent of the one who asked has ended: then the process loses its own."""
    while True:
        number = lines.read(1)
        if number == b"\0":
            os._exit(0)
        if over.is_set():
            return
        os.kill(pid, number[0] if number else signal.SIGKILL)
        if not number:
            return


def _open_again(name: str, number: int) -> None:
    """Python's own stream still takes the descriptor for what it was at the server's start, e.g. a file."""
    before: TextIOWrapper = getattr(sys, name)
    stream = os.fdopen(number, "wb" if number else "rb", closefd=False)
    again = TextIOWrapper(stream, before.encoding, before.errors, line_buffering=before.line_buffering)
    setattr(sys, name, again)
    setattr(sys, f"__{name}__", again)


def follow(orders: Orders) -> None:
    """As Python does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if orders["group"]:
        os.setsid()
    os.chdir(orders["cwd"])
    os.environ.clear()
    os.environ.update(orders["environment"])
    target = orders["target"]
    sys.argv = [target, *orders["arguments"]]
    if target == "local.language_host" and _address:
        sys.path[0] = orders["path"]
        import_module("tests.commands.plugins").fork_programs(_address)
    global _exit_status
    try:
        if target.endswith(".py"):
            sys.path[0] = str(Path(target).parent)
            runpy.run_path(target, run_name="__main__")
        else:
            sys.path[0] = orders["path"]
            runpy.run_module(target, run_name="__main__", alter_sys=True)
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
