"""How many processes run the tests that were asked for, and with which folders they begin."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_TESTS = Path(__file__).parent

LONGEST = (
    "tenants_life",
    "program",
    "actions",
    "connect_page",
    "stacks",
    "sweep",
    "review",
    "ci",
    "connect",
    "provider",
    "crash",
    "policies",
    "cli",
    "engine",
    "aws_secrets",
    "isolation",
    "reader",
)
"""The folders whose tests take longest, the longest first, as measured; each of the others takes less than a minute. A
long folder that begins late runs alone at the end, while the other cores wait."""


def workers(arguments: Iterable[str], here: Path, cores: int) -> int:
    """Number of xdist's processes for pytest's `arguments`, which are relative to `here`; 0: pytest's own runs them.

    Twice as many as there are cores: for four tenths of the time, a process waits for an engine, a function or a clock.
    Never more than folders, since a folder's tests stay together; for one folder a second process would only cost time.
    """
    paths = [(here / argument.partition("::")[0]).resolve() for argument in arguments]
    most = cores * 2
    if not all(_TESTS in path.parents for path in paths):
        return most
    folders = {path.relative_to(_TESTS).parts[0] for path in paths}
    return min(most, len(folders)) if len(folders) > 1 else 0


def place(folder: str) -> int:
    """When `folder` begins, from 0: LONGEST in its order, then all others."""
    return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)
