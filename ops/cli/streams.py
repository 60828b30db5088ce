"""The process's three streams, as commands need them: redacted, never missing, and quiet when nobody reads."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn, TextIO, cast

from myflux_keys.redaction import redact


def prepare() -> None:
    """Replaces the streams of this process. One that the caller closed reads nothing, or is written to nowhere."""
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - for the process's life
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets its number: a report must not end in a traceback.
            stream.reconfigure(errors="backslashreplace")
    sys.stdout = cast(TextIO, Results(sys.stdout or _nowhere()))
    sys.stderr = cast(TextIO, Redacted(sys.stderr or _nowhere()))


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - for the process's life


class Results:
    """Standard output. A reader that has left, such as `head`, ends the command with exit code 1 and no message."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self._end(error)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._end(error)

    def _end(self, error: OSError) -> NoReturn:
        # The interpreter writes the rest at its end: it goes nowhere.
        with suppress(OSError, ValueError):
            number = self._stream.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
        if error.errno == errno.EPIPE:
            sys.exit(1)
        # Loaded here: it loads AWS's SDK, and every command loads this file.
        from ops.errors import OperationError

        raise OperationError(
            f"the result cannot be written to standard output: {error.strerror}. What the command did is not undone."
        ) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Redacted:
    """Standard error. Redacts whatever looks like a key: usage errors and tracebacks repeat what was typed. A report
    that cannot be written stops no operation."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(redact(text))
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
