"""The console script `myflux-keys`: the repository's commands where there is a repository.

Owns finding them. Leaves out the commands (`ops/cli/`): the wheel holds the reader alone, and says so.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def main() -> int:
    """Runs the commands of the checkout that this file belongs to. Exit code 2 where there is none."""
    checkout = Path(__file__).resolve().parent.parent
    if not (checkout / "ops" / "cli" / "__main__.py").is_file():
        sys.stderr.write(
            "myflux-keys: this installation holds the reader alone (`from myflux_keys import KeyReader`).\n"
            "The commands run from a checkout of the MyFlux Keys repository: ./myflux-keys --help there.\n"
        )
        return 2
    # First, so that no other package called `ops` is found before the checkout's.
    sys.path.insert(0, str(checkout))
    runpy.run_module("ops.cli", run_name="__main__", alter_sys=True)
    return 0
