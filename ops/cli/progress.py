"""One calm line on stderr that tells how far a long operation is.

Owns when it is worth saying: on a terminal the line is rewritten in place, elsewhere a new one is written when
something changed, twice a minute at most. Leaves out what is said.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final

_SECONDS: Final = 30.0


class Line:
    """Used in a `with`, which ends the line."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._said = ""
        self._at = -_SECONDS

    def __enter__(self) -> Line:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._terminal and self._said:
            print(file=sys.stderr, flush=True)

    def say(self, sentence: str) -> None:
        now = time.monotonic()
        if sentence == self._said or (not self._terminal and now - self._at < _SECONDS):
            return
        if self._terminal:
            print(f"\r\x1b[2K{sentence}", end="", file=sys.stderr, flush=True)
        else:
            print(sentence, file=sys.stderr, flush=True)
        self._said, self._at = sentence, now
