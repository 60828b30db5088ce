"""A progress line on stderr: rewritten in place on a terminal; elsewhere a new line, at most every 30 seconds."""

from __future__ import annotations

import sys
import time
from threading import Lock, Timer
from types import TracebackType
from typing import Final

from ops.cli.output import plain

_SECONDS: Final = 30.0


class Line:
    """Use it in a `with`, which ends the line."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = ""
        self._at = -_SECONDS

    def __enter__(self) -> Line:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._terminal and self._last:
            print(file=sys.stderr, flush=True)

    def say(self, sentence: str) -> None:
        now, sentence = time.monotonic(), plain(sentence)
        if sentence == self._last or (not self._terminal and now - self._at < _SECONDS):
            return
        if self._terminal:
            print(f"\r\x1b[2K{sentence}", end="", file=sys.stderr, flush=True)
        else:
            print(sentence, file=sys.stderr, flush=True)
        self._last, self._at = sentence, now


class Later:
    """A line for a command that is mostly quick: shown only once it has taken two seconds. Use it in a `with`."""

    def __init__(self, seconds: float = 2.0) -> None:
        self._line = Line()
        self._lock = Lock()
        self._sentence = ""
        self._shown = False
        self._timer = Timer(seconds, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> Later:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        self._timer.join()
        self._line.__exit__(kind, error, at)

    def say(self, sentence: str) -> None:
        with self._lock:
            self._sentence = sentence
            if self._shown:
                self._line.say(sentence)

    def _begin(self) -> None:
        with self._lock:
            self._shown = True
            if self._sentence:
                self._line.say(self._sentence)
