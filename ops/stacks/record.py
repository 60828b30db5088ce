"""The record of a run over many stacks, on disk, so that the same command continues with the stacks that are left.

Owns the file: one line is appended for each stack that ended. A stack counts as done only with its present fingerprint,
so a change made meanwhile is not skipped. A complete run deletes its record: the next one checks every stack again.

The folder also holds the workers' notes (`lock_holder`), by backend. No values, only names and fingerprints.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from ops import journal
from ops.errors import OperationError

_SUCCEEDED: Final = "succeeded"


def place() -> Path:
    """The folder with the records and notes of this machine."""
    folder = journal.root() / "fleet"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def name(operation: str, backends: str, stacks: Collection[str]) -> str:
    """The record's file name: the same operation on the same stacks of the same backends has the same name."""
    digest = hashlib.sha256("\n".join([backends, *sorted(stacks)]).encode()).hexdigest()[:12]
    return f"{operation}-{digest}.jsonl"


class Record:
    """Made by `opened`."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self.path = path
        self._file = file
        file.seek(0)
        self._done = dict(_entries(file))
        file.seek(0, os.SEEK_END)

    def done(self, fingerprints: Mapping[str, str]) -> set[str]:
        """The stacks that an earlier run has finished with the same fingerprint."""
        return {stack for stack, fingerprint in fingerprints.items() if self._done.get(stack) == fingerprint}

    def add(self, stack: str, fingerprint: str) -> None:
        """Writes to disk before it returns, so that a finished stack is not repeated after a crash."""
        self._file.write(json.dumps({"stack": stack, "fingerprint": fingerprint, "outcome": _SUCCEEDED}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._done[stack] = fingerprint

    def forget(self) -> None:
        """Empties the record: after a complete run, or to start again."""
        self._file.seek(0)
        self._file.truncate()
        self._done.clear()


def _entries(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Skips a last line that a crash cut off: its stack is repeated."""
    for line in lines:
        try:
            entry = json.loads(line)
            yield str(entry["stack"]), str(entry["fingerprint"])
        except (ValueError, KeyError, TypeError):
            continue


@contextmanager
def opened(folder: Path, operation: str, backends: str, stacks: Collection[str]) -> Generator[Record]:
    """For one run at a time on this machine. Raises OperationError while another works on the same stacks."""
    path = folder / name(operation, backends, stacks)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperationError(
                f"the same `{operation}` already runs on this machine: wait for it, or stop it with Ctrl-C and run the "
                "same command again to continue. Nothing was changed."
            ) from None
        yield Record(path, file)
