"""The system's clipboard, where a program for it exists: whether it holds the key, and how it is emptied.

The page cannot do this from a tab in the background, and a browser may not let it look at all. No key is given to a
program, neither as an argument nor on its standard input: it is only read and emptied. X11 and Wayland have a second
clipboard, the last selected text.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ops.handover_page.held import HeldKey

_SECONDS: Final = 5
"""For a program whose display does not answer."""

Outcome = Literal["cleared", "other", "no_tool"]
"""``other``: it holds something else, which was left alone. ``no_tool``: nobody could look."""


@dataclass(frozen=True)
class Program:
    """`read` and `clear` are commands for each of the system's clipboards, the usual one first."""

    read: tuple[tuple[str, ...], ...]
    clear: tuple[tuple[str, ...], ...]


_WAYLAND: Final = Program(
    (("wl-paste", "--no-newline"), ("wl-paste", "--no-newline", "--primary")),
    (("wl-copy", "--clear"), ("wl-copy", "--clear", "--primary")),
)
_XCLIP: Final = Program(
    (("xclip", "-selection", "clipboard", "-out"), ("xclip", "-selection", "primary", "-out")),
    (("xclip", "-selection", "clipboard", "-in"), ("xclip", "-selection", "primary", "-in")),
)
_XSEL: Final = Program(
    (("xsel", "--clipboard", "--output"), ("xsel", "--primary", "--output")),
    (("xsel", "--clipboard", "--clear"), ("xsel", "--primary", "--clear")),
)
_MACOS: Final = Program((("pbpaste",),), (("pbcopy",),))


class Clipboard:
    """`program` None: there is none, or no display that it could ask."""

    def __init__(self, program: Program | None) -> None:
        self._program = program

    def holds(self, key: HeldKey) -> bool | None:
        """None: nobody could look."""
        if self._program is None:
            return None
        found = [_read(command) for command in self._program.read]
        if any(text is not None and key.is_in(text) for text in found):
            return True
        return None if found[0] is None else False

    def clear(self, key: HeldKey) -> Outcome:
        """Empties it if it holds the key."""
        if self._program is None:
            return "no_tool"
        held = [_read(command) for command in self._program.read]
        ours = [one for one, text in enumerate(held) if text is not None and key.is_in(text)]
        for one in ours:
            _run(self._program.clear[one])
        if ours:
            # Once it is empty most programs fail, and they did not when it held the key.
            return "no_tool" if self.holds(key) else "cleared"
        return "no_tool" if held[0] is None else "other"


def find(environment: Mapping[str, str] = os.environ) -> Clipboard:
    path = environment.get("PATH", "")
    candidates = [
        (_WAYLAND, "WAYLAND_DISPLAY" in environment),
        (_XCLIP, "DISPLAY" in environment),
        (_XSEL, "DISPLAY" in environment),
        (_MACOS, sys.platform == "darwin"),
    ]
    for program, has_display in candidates:
        read, clear = _found(program.read, path), _found(program.clear, path)
        if has_display and read and clear:
            return Clipboard(Program(read, clear))
    return Clipboard(None)


def _found(commands: tuple[tuple[str, ...], ...], path: str) -> tuple[tuple[str, ...], ...] | None:
    """With the programs' whole paths; None if one is not there."""
    places = [shutil.which(command[0], path=path) for command in commands]
    if not all(places):
        return None
    return tuple((str(place), *command[1:]) for place, command in zip(places, commands, strict=True))


def _read(command: tuple[str, ...]) -> bytes | None:
    """What it holds; None if the program failed. An empty clipboard is a failure for some, and then nothing is lost."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _run(command: tuple[str, ...]) -> None:
    """Its outcome is looked up by `holds`. xclip stays to serve what it was given, here nothing: it gets no pipe, or
    this command would wait for it."""
    try:
        subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return
