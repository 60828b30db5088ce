"""The key in this process's memory: kept as long as the page may need it, then overwritten.

Best effort: what AWS's SDK read the answer into is Python's, which overwrites nothing. So no memory of the process
reaches a disk or another process either.
"""

from __future__ import annotations

import ctypes
import hashlib
import hmac
import resource
import sys
from contextlib import suppress
from typing import Any, Final, NoReturn

LAST: Final = 4
"""Characters that are shown of a key. OpenAI's own list shows as many."""
_PR_SET_DUMPABLE: Final = 4
"""https://man7.org/linux/man-pages/man2/pr_set_dumpable.2const.html"""


class HeldKey:
    """Shown by nothing: neither repr nor str, and not pickled."""

    def __init__(self, key: str) -> None:
        self._bytes = bytearray(key.encode())
        self._digest = _digest(key.encode())
        self.last_four = key[-LAST:]

    def reveal(self) -> str:
        """Empty once it was dropped. For the answer to the page, never for a log."""
        return self._bytes.decode()

    def is_in(self, text: bytes) -> bool:
        """Whether `text` is the key, after it was dropped too. Blanks around it do not matter."""
        return hmac.compare_digest(_digest(text.strip()), self._digest)

    def drop(self) -> None:
        for place in range(len(self._bytes)):
            self._bytes[place] = 0
        self._bytes.clear()

    def __repr__(self) -> str:
        return "HeldKey('[redacted]')"

    __str__ = __repr__

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a key cannot be pickled")


def keep_memory_private() -> None:
    """No core file, and on Linux no other process of this user may look into this one's memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # A C library without `prctl` is no reason to hand nothing over.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
