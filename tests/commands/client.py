"""Runs `python -m ops.cli` as a process of its own, which need not load the modules first.

Loading them takes most of a command's time, and the tests run hundreds. So a server loads them once, and forks a
process for each command (`server`), with the environment, folder, arguments, input and outputs that the test gives.
Where a variable that Python or the C library reads only at its start has another value than for the servers, Python is
started anew. Tests of the process itself start one without this module.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import IO

from tests.commands import plugins
from tests.commands.server import Orders, settings

ROOT = Path(__file__).resolve().parents[2]
MODULE = "ops.cli"

_STRICT = {"PYTHONWARNINGS": "error"}
_servers: dict[frozenset[tuple[str, str]], socket.socket] = {}
"""By the settings that their forks have."""


@contextmanager
def servers() -> Generator[None]:
    """Starts the servers, one of them for commands whose warnings are errors. None loads modules before a request. The
    other one also serves the engine (`plugins`)."""
    with ExitStack() as running:
        address = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="served-"))) / "socket"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(address))
            listening.listen(64)
            running.enter_context(_server(dict(os.environ), listening.fileno()))
        running.enter_context(_server(dict(os.environ) | _STRICT))
        running.enter_context(plugins.forked(address))
        try:
            yield
        finally:
            _servers.clear()


@contextmanager
def _server(environment: Mapping[str, str], *listening: int) -> Generator[None]:
    ours, theirs = socket.socketpair()
    with closing(ours):
        with theirs:
            descriptors = [theirs.fileno(), *listening]
            process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("server.py"), *map(str, descriptors)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=descriptors,
            )
        _servers[settings(environment)] = ours
        try:
            yield
        finally:
            ours.shutdown(socket.SHUT_RDWR)
            process.wait()


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    module: str = MODULE,
    stdin: str | None = None,
    timeout: float = 300,
    group: bool = False,
    begun: Callable[[int], object] | None = None,
) -> subprocess.CompletedProcess[str]:
    """`myflux-keys`, or another module, with `arguments`, from the repository's root.

    Returns once it has ended, and all that holds its outputs. `stdin` None is /dev/null. `group` gives it a session of
    its own. `begun` is called with its process's id. After `timeout` seconds it is killed, with that session's
    processes: subprocess.TimeoutExpired.
    """
    server = _servers.get(settings(environment))
    if server is None:
        return anew(arguments, environment, module=module, stdin=stdin, timeout=timeout, group=group, begun=begun)
    with ExitStack() as ends:
        answers, theirs = (ends.enter_context(end) for end in socket.socketpair())
        (source, into), (out, printing), (err, telling) = (_pipe(ends) for _ in range(3))
        given = ends.enter_context(Path(os.devnull).open("rb")) if stdin is None else source
        socket.send_fds(server, [b"+"], [end.fileno() for end in (theirs, given, printing, telling)])
        for end in (theirs, source, printing, telling):
            end.close()
        orders = Orders(
            target=module,
            arguments=list(arguments),
            path=str(ROOT),
            cwd=str(ROOT),
            environment=dict(environment),
            group=group,
            tied=False,
        )
        answers.sendall(ascii(orders).encode() + b"\n")
        said = ends.enter_context(answers.makefile("r", encoding="utf-8"))
        pid = int(said.readline())
        if begun:
            begun(pid)
        readers = ends.enter_context(ThreadPoolExecutor(max_workers=3))
        texts = [readers.submit(_text, end) for end in (out, err)]
        writer = readers.submit(_write, into, stdin or "")
        try:
            answers.settimeout(timeout)
            code = int(said.readline())
        except BaseException as error:
            _kill(pid, group=group)
            if isinstance(error, TimeoutError):
                raise subprocess.TimeoutExpired([module, *arguments], timeout) from None
            raise
        writer.result()
        return subprocess.CompletedProcess([module, *arguments], code, *(text.result() for text in texts))


def _kill(pid: int, *, group: bool) -> None:
    """With its group, or alone where it has not come to have one yet."""
    for kill in (os.killpg, os.kill) if group else (os.kill,):
        with suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def _pipe(ends: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return ends.enter_context(os.fdopen(read, "rb")), ends.enter_context(os.fdopen(write, "wb"))


def _text(pipe: IO[bytes]) -> str:
    return pipe.read().decode()


def _write(pipe: IO[bytes], text: str) -> None:
    """A command that ends without reading all has read what it wanted."""
    with suppress(BrokenPipeError), pipe:
        pipe.write(text.encode())


def anew(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    module: str = MODULE,
    stdin: str | None = None,
    timeout: float = 300,
    group: bool = False,
    begun: Callable[[int], object] | None = None,
) -> subprocess.CompletedProcess[str]:
    """The same, started by Python."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=group,
    ) as running:
        if begun:
            begun(running.pid)
        try:
            out, err = running.communicate(stdin, timeout=timeout)
        except BaseException:
            os.killpg(running.pid, signal.SIGKILL) if group else running.kill()
            raise
        return subprocess.CompletedProcess(running.args, running.returncode, out, err)
