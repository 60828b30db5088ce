"""Functions that go on after the AWS side that ran them was killed, and the folders with their code.

A worker ends by itself when its server is gone, but only after its current execution. A cell that starts again would
then have two executions of one rotation, one of which nobody knows. Its folder stays, since only its server deletes it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import psutil

_SECONDS: Final = 30.0


def end(home: Path) -> None:
    """Ends the workers of the cell in `home`, known by a path of that cell in their environment, and deletes their
    folders. No server of that cell may run."""
    packages = str(home / "tmp" / "lambda" / "packages")
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PYTHONPATH") == packages:
                found.append(process)
        except psutil.Error:  # it has just ended, or is another user's
            continue
    for process in found:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(found, timeout=_SECONDS)
    for folder in folders(home):
        shutil.rmtree(folder, ignore_errors=True)


def folders(home: Path) -> set[Path]:
    """Each has the code of one worker. The server makes them in its own temporary folder, where no other cell's are."""
    return set((home / "tmp").glob("ministack-lambda-*"))
