"""How many processes run the tests that were asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_TESTS = Path(__file__).parent


def workers(arguments: Iterable[str], here: Path, cores: int) -> int:
    """Number of xdist's processes for pytest's `arguments`, which are relative to `here`; 0: pytest's own runs them.

    Half as many again as there are cores, since a test that waits for an engine or a clock leaves its core to another.
    Never more than folders, since a folder's tests stay together; for one folder a second process would only cost time.
    """
    paths = [(here / argument.partition("::")[0]).resolve() for argument in arguments]
    most = cores * 3 // 2
    if not all(_TESTS in path.parents for path in paths):
        return most
    folders = {path.relative_to(_TESTS).parts[0] for path in paths}
    return min(most, len(folders)) if len(folders) > 1 else 0
