"""Tests that each leave one thing behind, which the suite's own fixture must name. Only `test_leftovers` runs them.

Nothing cleans up after them, except for things that would outlive the process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HELD: list[Any] = []


@pytest.fixture(scope="module")
def shared() -> list[socket.socket]:
    """A fixture that does not close what tests add to it."""
    return []


@pytest.fixture
def own() -> Iterator[socket.socket]:
    with socket.socket() as made:
        yield made


def test_future() -> None:
    async def main() -> None:
        future: asyncio.Future[None] = asyncio.Future()
        future.set_exception(ValueError("nobody asks"))
        # A reference cycle: only the garbage collector frees it.
        HELD.append([future])

    asyncio.run(main())


def test_dropped_future() -> None:
    async def main() -> None:
        asyncio.Future[None]().set_exception(ValueError("gone at once"))

    asyncio.run(main())


def test_pending_task() -> None:
    loop = asyncio.new_event_loop()
    HELD.append(loop.create_task(asyncio.sleep(1000)))
    loop.close()


def test_event_loop() -> None:
    HELD.append(asyncio.new_event_loop())


def test_thread() -> None:
    threading.Thread(target=threading.Event().wait, daemon=True, name="the forgotten").start()


def test_process() -> None:
    HELD.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))


def test_socket() -> None:
    HELD.append(socket.socket())


def test_temporary_file() -> None:
    os.close(tempfile.mkstemp(prefix="forgotten-")[0])


def test_file_in_the_tree() -> None:
    Path("forgotten.txt").write_text("", encoding="utf-8")


def test_environment() -> None:
    os.environ["FORGOTTEN"] = "a value that is not shown"


def test_working_directory(tmp_path: Path) -> None:
    HELD.append(Path.cwd())
    os.chdir(tmp_path)


def test_signal_handler() -> None:
    os.chdir(HELD.pop())
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def test_umask() -> None:
    os.umask(0o027)


def test_search_path() -> None:
    sys.path.append("/forgotten")


def test_log_level() -> None:
    logging.getLogger("asyncio").setLevel(logging.DEBUG)


def test_log_handler() -> None:
    logging.getLogger().addHandler(logging.StreamHandler(sys.__stderr__))


def test_a_modules_fixture_may_hold_it_for_a_while(shared: list[socket.socket]) -> None:
    shared.append(socket.socket())


def test_clean(own: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Restores, ends or closes everything that it uses."""
    monkeypatch.setenv("FORGOTTEN_TOO", "x")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    thread = threading.Thread(target=lambda: None)
    thread.start()

    async def main() -> None:
        with pytest.raises(ValueError):
            await asyncio.gather(asyncio.sleep(0), refused())

    async def refused() -> None:
        raise ValueError

    asyncio.run(main())


def test_detached_process(tmp_path: Path) -> None:
    """Starts a process as a local cell does: its parent ends at once."""
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path)]
    subprocess.run([sys.executable, "-c", f"import subprocess; subprocess.Popen({sleeps})"], check=True)


def test_last_of_the_module(shared: list[socket.socket]) -> None:
    HELD.extend(shared)
