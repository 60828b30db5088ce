"""The console script `myflux-keys`: runs the commands of the checkout (`ops/cli/`), which the wheel does not hold."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def main() -> int:
    """Runs the commands of the checkout that this file belongs to. Exit code 2 if there is none."""
    checkout = Path(__file__).resolve().parent.parent
    if not (checkout / "ops" / "cli" / "__main__.py").is_file():
        sys.stderr.write(
            "myflux-keys: this installation has only the reader (`from myflux_keys import KeyReader`).\n"
            "The commands run from a checkout of the MyFlux Keys repository: ./myflux-keys --help there.\n"
        )
        return 2
    # First, so that no other package called `ops` is found before the checkout's.
    sys.path.insert(0, str(checkout))
    runpy.run_module("ops.cli", run_name="__main__", alter_sys=True)
    return 0
