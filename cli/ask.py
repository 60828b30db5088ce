"""A question before something that cannot be taken back.

Owns asking on a terminal. Where nobody can answer, silence is not consent: the command then needs its own flag.
"""

from __future__ import annotations

import sys

from cli import output


def confirmed(question: str, *, yes: bool, flag: str = "--yes") -> bool:
    """`yes` answers at once. Ends the command with exit code 2 where there is nobody to ask."""
    if yes:
        return True
    if not sys.stdin.isatty():
        output.fail(f"there is nobody to ask here ({question}): add {flag} to go on. Nothing was changed.", code=2)
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
