"""Writes the page, and refuses a place that it cannot be written to before anything is asked."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from ops.errors import OperationError

_MODE: Final = 0o600
"""It names customers, and what they spend."""


def check(file: Path) -> None:
    """Raises OperationError if `file` is a folder, or no file can be made beside it."""
    folder = file.absolute().parent
    if file.is_dir():
        raise OperationError(f"{file} is a folder: name a file in it, such as {file / 'status.html'}.")
    if not folder.is_dir():
        raise OperationError(f"the folder {folder} does not exist: make it, or name a file in another one.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OperationError(f"you may not write in {folder}: name a file in another folder.")


def write(file: Path, content: bytes) -> None:
    """In one step: who has the page open, or reads it at this moment, sees the earlier one or this one. Only its owner
    may read it. Raises OperationError."""
    try:
        with tempfile.NamedTemporaryFile(dir=file.absolute().parent, prefix=".status-", delete=False) as draft:
            try:
                draft.write(content)
                draft.flush()
                Path(draft.name).chmod(_MODE)
                Path(draft.name).replace(file)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise OperationError(f"{file} was not written: {error.strerror}.") from None
