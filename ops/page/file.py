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
    """Raises OperationError if `file` is a folder or a device, or no file can be made beside it."""
    folder = _real(file).parent
    if file.exists() and not file.is_file() and not file.is_dir():
        # It would be replaced by the page, as root even /dev/stdout.
        raise OperationError(f"{file} is not a file: name one that may be replaced, such as status.html.")
    if file.is_dir():
        raise OperationError(f"{file} is a folder: name a file in it, such as {file / 'status.html'}.")
    if not folder.is_dir():
        raise OperationError(f"the folder {folder} does not exist: make it, or name a file in another one.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OperationError(f"you may not write in {folder}: name a file in another folder.")


def write(file: Path, content: bytes) -> None:
    """In one step: who has the page open, or reads it at this moment, sees the earlier one or this one. Only its owner
    may read it. A link stays one. Raises OperationError."""
    try:
        place = _real(file)
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".status-", delete=False) as draft:
            try:
                draft.write(content)
                draft.flush()
                Path(draft.name).chmod(_MODE)
                Path(draft.name).replace(place)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise OperationError(f"{file} was not written: {error.strerror}.") from None


def _real(file: Path) -> Path:
    """Where links lead to. Raises OperationError for a link to itself."""
    try:
        return file.resolve()
    except (OSError, RuntimeError) as error:
        raise OperationError(f"{file} leads nowhere: {error}. Name another file.") from None
