"""Runs actionlint on the workflows: the one on PATH if it has the right version, or one built from Go modules once.

Without it and without Go, reports that the workflows were not checked; with $CI set, fails instead, except on GitLab,
which runs none of them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools import engine
from tools.engine_step import StepError, run, writing

VERSION: Final = "1.7.7"
ROOT: Final = Path(__file__).resolve().parents[1]
MODULE: Final = Path(__file__).parent / "actionlint_build"
_BUILD_SECONDS: Final = 600.0


def ensure(environment: Mapping[str, str]) -> Path:
    """The executable. Raises StepError if there is none and it cannot be built."""
    folder = engine.cache(environment).parent / "actionlint" / VERSION
    kept = folder / "actionlint"
    if os.access(kept, os.X_OK):
        return kept
    path = environment.get("PATH", os.defpath)
    found = shutil.which("actionlint", path=path)
    if found and _version(found) == VERSION:
        return Path(found)
    go = shutil.which("go", path=path)
    if go is None:
        raise StepError(f"no actionlint {VERSION} and no `go` to build it with on PATH")
    clean = {name: value for name, value in environment.items() if name != "GOFLAGS"} | {"GOWORK": "off"}
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with writing(folder), tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as scratch:
        target = Path(scratch) / "actionlint"
        command = [go, "build", "-mod=readonly", "-buildvcs=false", "-ldflags", "-s -w", "-o", str(target)]
        package = "github.com/rhysd/actionlint/cmd/actionlint"
        run([*command, package], f"building actionlint {VERSION} (once)", _BUILD_SECONDS, clean, cwd=MODULE)
        # Two builds at the same time make the same file; the second replaces the first in one step.
        target.replace(kept)
    return kept


def _version(executable: str) -> str:
    answer = subprocess.run([executable, "-version"], capture_output=True, text=True, check=False)
    return answer.stdout.partition("\n")[0].strip().removeprefix("v")


def main() -> int:
    argparse.ArgumentParser(prog="python -m tools.actionlint", description=__doc__).parse_args()
    try:
        linter = ensure(os.environ)
    except StepError as error:
        sys.stderr.write(f"actionlint: the workflows were NOT CHECKED: {error}\n")
        return 1 if os.environ.get("CI") and not os.environ.get("GITLAB_CI") else 0
    # Without shellcheck and pyflakes, which only some machines have: so the result is the same everywhere.
    return subprocess.run([linter, "-shellcheck=", "-pyflakes="], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
