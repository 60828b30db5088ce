"""The record of a stopped operation, on disk, so that the same command can continue.

Owns the file and the lock. Leaves out which entries are left: the commands ask AWS about each entry, since the cell may
have been reset meanwhile. A record holds slugs, version ids, times and the reason, never a key.

The folder is ``$MYFLUX_STATE``, or ``$XDG_STATE_HOME/myflux-keys``, or ``~/.local/state/myflux-keys``; in it
``<account>/<region>/<cell>/``. Finished records are kept in ``finished/``: who ran what on this machine. The engine's
logs are in ``logs/``, with a folder for each checkout and backend.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ops import state_place
from ops.errors import OperationError
from tenancy import Cell
from tenancy.loading import ROOT

SCHEMA: Final = 1
STATE: Final = "MYFLUX_STATE"


@dataclass
class Entry:
    """One tenant. `version` is the rotation's ClientRequestToken, written down before it is first used. `started` is in
    Unix seconds by this machine's clock, `accepted` the same moment by AWS's, in ISO 8601. `outcome` is ``started``,
    ``succeeded`` or ``failed``, and empty until one of them is known."""

    version: str = ""
    started: float = 0.0
    accepted: str = ""
    outcome: str = ""
    detail: str = ""


@dataclass
class Journal:
    """`entries` holds every tenant of the operation, also those not started. Call `save` after each change."""

    path: Path
    operation: str
    cell: str
    reason: str
    by: str
    begun: str
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    done: list[str] = field(default_factory=list[str])
    """The steps that are done, where an operation has several."""

    def mark(self, step: str) -> None:
        """The step is done, now or already in an earlier run."""
        if step not in self.done:
            self.done.append(step)
            self.save()

    def save(self) -> None:
        """Atomic: a crash leaves the earlier record."""
        document = {"schema": SCHEMA, **asdict(self)} | {"path": None}
        draft = self.path.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def finish(self) -> Path:
        """Moves the record to ``finished/`` and returns its new path."""
        self.save()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        kept = self.path.parent / "finished" / f"{stamp}-{self.path.name}"
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        return self.path.replace(kept)


def root(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder with the records of every cell."""
    if given := environment.get(STATE):
        return Path(given)
    if state := environment.get("XDG_STATE_HOME"):
        return Path(state) / "myflux-keys"
    try:
        return Path.home() / ".local" / "state" / "myflux-keys"
    except RuntimeError:
        # A container may run as a user that it does not know.
        raise OperationError(
            f"this user has no home folder: set HOME, or {STATE} to the folder for the records. Nothing was changed."
        ) from None


def _operator() -> str:
    """The user's name; the number of a user that this machine does not know, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def folder(cell: Cell, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder with the records of one cell.

    Every local cell has the same name and account, so that its backend tells it apart: what was done to one cell must
    not count as done to another.
    """
    own = f"-{_of_backend(cell, environment)}" if cell.local else ""
    return root(environment) / cell.account_id / cell.region / f"{cell.cell}{own}"


def logs(environment: Mapping[str, str] = os.environ, checkout: Path = ROOT) -> Path:
    """The folder with the engine's logs of one checkout on one backend: stacks of others may have the same names."""
    own = digest(str(checkout), environment.get(state_place.BACKEND, ""))
    return root(environment) / "logs" / f"{checkout.name}-{own}"


def _of_backend(cell: Cell, environment: Mapping[str, str] = os.environ) -> str:
    """A name for the cell's backend, in file names."""
    return digest(state_place.of(cell, environment).url if state_place.is_named(cell, environment) else "")


def digest(*parts: str) -> str:
    """A name in file names, the same for the same parts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


@contextmanager
def exclusive_run(cell: Cell, operation: str) -> Generator[Path]:
    """The cell's folder, locked for one `operation` at a time on this machine. Raises OperationError if it is locked.

    Each operation has its own lock: revoking a leaked key must not wait until a whole fleet has been rotated.
    """
    place = folder(cell)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (place / f"{operation}.lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _already_runs(cell, operation) from None
        yield place


def refuse_second_run(cell: Cell, operation: str) -> None:
    """As `exclusive_run` refuses, for what only looks: makes no file, and keeps no lock. Raises OperationError."""
    try:
        lock = (folder(cell) / f"{operation}.lock").open(encoding="utf-8")
    except FileNotFoundError:
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _already_runs(cell, operation) from None


def _already_runs(cell: Cell, operation: str) -> OperationError:
    return OperationError(
        f"another `{operation}` of cell {cell.cell} runs on this machine, and only one may run at a time: wait for it, "
        "or stop it with Ctrl-C and run it again later. Nothing was changed."
    )


def name(operation: str, tenants: Iterable[str]) -> str:
    """The record's file name: the same operation on the same tenants has the same name."""
    slugs = sorted(tenants)
    digest = hashlib.sha256("\n".join(slugs).encode()).hexdigest()[:10]
    return f"{operation}-{slugs[0] if len(slugs) == 1 else digest}.json"


def unfinished(place: Path, operation: str, tenants: Iterable[str]) -> Journal | None:
    """The record of a stopped run; None where there is none. Raises OperationError for a record that cannot be read."""
    path = place / name(operation, tenants)
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("schema") != SCHEMA:
            raise ValueError("of another version")
        document["path"] = path
        document["entries"] = {slug: Entry(**entry) for slug, entry in document["entries"].items()}
        return Journal(**document)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperationError(
            f"the record of an unfinished {operation} in {path} cannot be read ({type(error).__name__}): check it, "
            "then delete it to start again. Nothing was changed."
        ) from None


def begin(place: Path, operation: str, cell: Cell, tenants: Iterable[str], reason: str) -> Journal:
    """A new record, which replaces an unfinished one of the same name. It keeps the order of `tenants`."""
    slugs = list(dict.fromkeys(tenants))
    journal = Journal(
        path=place / name(operation, slugs),
        operation=operation,
        cell=cell.cell,
        reason=reason,
        by=_operator(),
        begun=datetime.now(UTC).isoformat(timespec="seconds"),
        entries={slug: Entry() for slug in slugs},
    )
    journal.save()
    return journal
