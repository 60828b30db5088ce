"""What this machine refuses, as sentences with a way out: files, folders, disks, programs.

The one place for it: commands, workers and CI's scripts ask here before they show a traceback. Leaves out AWS's errors
(`errors`) and printing.
"""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from ops import journal
from ops.errors import OperationError, from_aws
from tenancy import TenancyError
from tenancy.address import AddressError

_AGAIN: Final = "Then run the same command again."
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_ALLOW: Final = "allow this user to use it"
_IN_THE_WAY: Final = "a file is where a folder must be, or the reverse: move it away"
_LIMIT: Final = "raise this shell's limit"
_WAYS_OUT: Final = {
    errno.EACCES: _ALLOW,
    errno.EPERM: _ALLOW,
    errno.EROFS: _ALLOW,
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EISDIR: "this is a folder: name a file",
    errno.ENOENT: "make it, or correct the option or variable that names it",
    errno.EFBIG: f"{_LIMIT} (`ulimit -f unlimited`)",
    errno.EMFILE: f"{_LIMIT} (`ulimit -n 4096`)",
}
_CHOSEN: Final = ("MYFLUX_LOCAL_HOME", "MYFLUX_FLEET", "MYFLUX_CACHE")
_NO_TEMPORARY_FOLDER: Final = "No usable temporary directory"
_PROGRAMS: Final = {"pulumi": "install Pulumi, or run `make engine` and put the folder that it prints on PATH"}


def explained(error: BaseException, environment: Mapping[str, str] = os.environ) -> str | None:
    """The message for a person; None for an error that nobody foresaw, whose traceback is needed."""
    if isinstance(error, AddressError | OperationError | TenancyError):
        return str(error)
    if isinstance(error, OSError):
        return _from_machine(error, environment)
    return from_aws(error) if isinstance(error, Exception) else None


def _from_machine(error: OSError, environment: Mapping[str, str]) -> str:
    said = error.strerror or str(error) or type(error).__name__
    if said.startswith(_NO_TEMPORARY_FOLDER):
        return f"no folder for temporary files can be written: set TMPDIR to one with free space. {_AGAIN}"
    path = _path(error)
    where, elsewhere = f"{path}: {said}" if path else said, _or_elsewhere(path, environment)
    if error.errno in _FULL:
        return f"{where}: the disk is full: free space on it{elsewhere or _written(environment)}. {_AGAIN}"
    if error.errno == errno.ENOENT and not Path(path).is_absolute() and _is_adrift():
        return f"{where}: this shell's working directory was deleted: `cd` to another. {_AGAIN}"
    if error.errno == errno.ENOENT and (path in _PROGRAMS or _started_a_program(error, path)):
        return f"`{path}` is not on PATH: {_PROGRAMS.get(path, 'install it')}. {_AGAIN}"
    if error.errno in _WAYS_OUT:
        return f"{where}: {_WAYS_OUT[error.errno]}{elsewhere}. {_AGAIN}"
    return f"this machine refused something ({type(error).__name__}): {where}. Correct that{elsewhere}. {_AGAIN}"


def _path(error: OSError) -> str:
    """Empty where the system does not say which file it was."""
    return str(error.filename) if isinstance(error.filename, str | Path) else ""


def _is_adrift() -> bool:
    try:
        Path.cwd()
    except OSError:
        return True
    return False


def _started_a_program(error: OSError, path: str) -> bool:
    """A file and a program that are missing differ only in who looked for them."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(path) and os.sep not in path and bool(frames) and frames[-1].f_globals["__name__"] == "subprocess"


def _or_elsewhere(path: str, environment: Mapping[str, str]) -> str:
    """The variable that names another folder for `path`; empty where there is none."""
    given, folders = Path(path), _folders(environment)
    if not given.is_absolute():
        return ""
    around = [(len(folder.parts), name) for name, folder in folders.items() if given.is_relative_to(folder)]
    # A folder that could not be made is above the one that a command wanted.
    below = [(0, name) for name, folder in folders.items() if folder.is_relative_to(given)]
    found = max(around) if around else next(iter(below), None)
    return f", or set {found[1]} to another folder" if found else ""


def _written(environment: Mapping[str, str]) -> str:
    return "".join(f", or set {name} to another folder than {folder}" for name, folder in _folders(environment).items())


def _folders(environment: Mapping[str, str]) -> dict[str, Path]:
    """The folders that commands write to, by the variable that chooses each."""
    folders: dict[str, Path] = {}
    # A user without a home, or whose working directory is gone, still needs the sentence.
    with suppress(OperationError, OSError):
        folders[journal.STATE] = journal.root(environment).absolute()
    for name, default in (("TMPDIR", "/tmp"), *((name, "") for name in _CHOSEN)):  # noqa: S108
        folder = Path(environment.get(name) or default)
        if folder.is_absolute():
            folders[name] = folder
    return folders
