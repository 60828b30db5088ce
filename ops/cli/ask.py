"""Questions at the terminal, above all before something that cannot be undone."""

from __future__ import annotations

import getpass
import sys

from ops.cli import output


def can_answer() -> bool:
    """Whether standard input is a terminal."""
    return sys.stdin.isatty()


def text(question: str, default: str = "") -> str:
    """One line from the operator; `default` for an empty line."""
    print(f"{question}{f' [{default}]' if default else ''}: ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.strip() or default


def key(prompt: str) -> str:
    """A key, from a hidden prompt or from standard input. Ends the command for bytes that are no text."""
    if can_answer():
        return getpass.getpass(prompt)
    line = _piped()
    if line is None or "\0" in line:
        output.fail(
            "standard input is not UTF-8 text. PowerShell's `>` and `|` write UTF-16: paste the key at the prompt. "
            "Nothing was stored."
        )
    return line


def _piped() -> str | None:
    """One line of standard input; None for bytes that are not UTF-8."""
    # By the bytes: in the C locale Python's own decoding takes any.
    binary = getattr(sys.stdin, "buffer", None)
    if binary is None:
        return sys.stdin.readline()
    try:
        return binary.readline().decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        # Its traceback is never shown: the error holds the bytes.
        return None


def confirmed(question: str, *, yes: bool, flag: str = "--yes") -> bool:
    """`yes` is an answer given before. Without it and without a terminal the command ends with exit code 2."""
    if yes:
        return True
    if not can_answer():
        output.fail(
            f"this is not a terminal, so nobody can answer: {question} Add {flag} to answer yes. Nothing was changed.",
            code=2,
        )
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
