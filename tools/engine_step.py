"""Runs one long command: shows its progress, limits its time and keeps the end of its output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

_TAIL_BYTES: Final = 1500
_PLAIN_EVERY_SECONDS: Final = 15.0


class StepError(RuntimeError):
    """A command could not be run, failed, or took too long. The message holds the end of its output."""


@contextmanager
def writing(cache: Path) -> Generator[None]:
    """Raises StepError where the system does not let this process write `cache`."""
    try:
        yield
    except OSError as error:
        raise StepError(
            f"{error.filename or cache}: {error.strerror}. Make the cache {cache} writable, free space there, or set "
            "$MYFLUX_CACHE to another folder"
        ) from None


def run(
    command: Sequence[str],
    what: str,
    limit: float,
    env: Mapping[str, str],
    cwd: Path | None = None,
    *,
    thing: str = "engine",
) -> None:
    """Runs `command` for at most `limit` seconds while stderr shows `thing`, `what` and the seconds gone.

    Raises StepError. Every process that the command started ends with it, also on Ctrl-C.
    """
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            raise StepError(f"could not run {command[0]}: {error.strerror}") from None
        try:
            in_time = _watch(process, what, limit, thing)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if not in_time:
            raise StepError(f"stopped after {limit:.0f} s without a result. The end of its output:\n{_tail(output)}")
        if process.returncode:
            raise StepError(f"ended with exit code {process.returncode}. The end of its output:\n{_tail(output)}")


def say(text: str, thing: str = "engine") -> None:
    """Writes a line of progress. `thing` is what is being brought: ``engine`` or ``browser``."""
    sys.stderr.write(f"{thing}: {text}\n")
    sys.stderr.flush()


def _watch(process: subprocess.Popen[bytes], what: str, limit: float, thing: str) -> bool:
    """True if the process ended in time. A terminal shows the seconds; a log gets a line from time to time."""
    start = time.monotonic()
    terminal = sys.stderr.isatty()
    every = 0.5 if terminal else _PLAIN_EVERY_SECONDS
    say(what, thing)
    told = start
    while process.poll() is None:
        now = time.monotonic()
        if now - start > limit:
            return False
        if now - told >= every:
            told = now
            if terminal:
                sys.stderr.write(f"\r{thing}: {what}: {now - start:.0f} s ")
                sys.stderr.flush()
            else:
                say(f"{what}: {now - start:.0f} s so far", thing)
        time.sleep(0.1)
    if terminal:
        sys.stderr.write("\n")
    return True


def _tail(output: IO[bytes]) -> str:
    output.seek(0, os.SEEK_END)
    output.seek(max(0, output.tell() - _TAIL_BYTES))
    return output.read().decode("utf-8", errors="replace").strip() or "(none)"
