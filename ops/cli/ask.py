"""Questions to a person at a terminal, above all before something that cannot be taken back.

Owns asking. Where nobody can answer, silence is not consent: the command then needs its own flag.
"""

from __future__ import annotations

import sys

from ops.cli import output


def can_answer() -> bool:
    return sys.stdin.isatty()


def text(question: str, default: str = "") -> str:
    """One line from a person; `default` where they just press Enter."""
    print(f"{question}{f' [{default}]' if default else ''}: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.strip() or default


def confirmed(question: str, *, yes: bool, flag: str = "--yes") -> bool:
    """`yes` answers at once. Ends the command with exit code 2 where there is nobody to ask."""
    if yes:
        return True
    if not can_answer():
        output.fail(f"there is nobody to ask here ({question}): add {flag} to go on. Nothing was changed.", code=2)
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
