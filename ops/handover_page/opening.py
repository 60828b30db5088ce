"""Opens the page in the person's own browser, where this machine has one that shows pages."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def opens(link: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a browser was started. Without a display Python would start one in the terminal, such as lynx."""
    if sys.platform == "linux" and not any(environment.get(one) for one in _DISPLAYS):
        return False
    try:
        with _output_on_stderr():
            return webbrowser.open(link)
    except webbrowser.Error:
        return False


@contextmanager
def _output_on_stderr() -> Generator[None]:
    """Some browsers say on standard output that they opened a tab, in the middle of our JSON."""
    try:
        kept = os.dup(1)
    except OSError:
        # The caller closed it.
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
