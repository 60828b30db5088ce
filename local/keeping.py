"""What a cell keeps across a stop, if it was asked to (`myflux-keys local up --keep`).

Owns the folder `kept` of the cell's home: who wrote it, and a database for each side. Leaves out what a side keeps
(`aws/keeping.py`, `openai/keeping.py`). SQLite's transactions are whole even if the process is killed in one, so a kept
cell loses nothing that it has answered, and no file is ever half written. Records are pickled, as their side has them:
so only the same versions read them again.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from local.servers import CellError

FOLDER: Final = "kept"
_WRITER: Final = "written-by.json"
_FORMAT: Final = 1
"""One more whenever a kept record changes its shape."""
LOOK_SECONDS: Final = 1.0
"""How long a change that answers nobody, such as a log line, waits at most until it is saved."""


@dataclass(frozen=True)
class Writer:
    """What must be equal for a kept state to be read."""

    format: int
    myflux_keys: str
    ministack: str

    def __str__(self) -> str:
        return f"MyFlux Keys {self.myflux_keys} with MiniStack {self.ministack} (format {self.format})"


def this_version() -> Writer:
    return Writer(_FORMAT, version("myflux-keys"), version("ministack"))


def begin(home: Path) -> None:
    """From now on, the sides of the cell in `home` keep what they have."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700)
    (folder / _WRITER).write_text(json.dumps(asdict(this_version())), encoding="utf-8")


def is_kept(home: Path) -> bool:
    return (home / FOLDER / _WRITER).exists()


def require_readable(home: Path) -> None:
    """Raises CellError if another version wrote what the cell in `home` keeps."""
    found = (home / FOLDER / _WRITER).read_text(encoding="utf-8")
    try:
        writer = Writer(**json.loads(found))
    except (ValueError, TypeError):
        raise CellError(f"{home / FOLDER / _WRITER} cannot be read: {found[:80]!r}. {_WAY_OUT}") from None
    if writer != this_version():
        raise CellError(
            f"the state in {home / FOLDER} was kept by {writer}, and this is {this_version()}, which may read it "
            f"wrongly: start it with that version. {_WAY_OUT}"
        )


_WAY_OUT: Final = "`myflux-keys local down --forget` deletes it, and `myflux-keys local up --keep` starts an empty cell"


def store(home: Path, side: str) -> Store | None:
    """The database of a side, ``aws`` or ``openai``; None if the cell in `home` keeps nothing."""
    return Store(home / FOLDER / f"{side}.db") if is_kept(home) else None


_AS_BEFORE: Final = b""
"""In place of a record that has not changed: no pickle is empty."""


class Store:
    """Groups of records: by name, then by key. Safe for several threads."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing of it; a machine without power may lose the last moments, and breaks nothing.
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS records (name TEXT, key TEXT, value BLOB, PRIMARY KEY (name, key))"
        )
        self._lock = threading.Lock()
        self._saved: dict[str, dict[str, bytes]] = {}
        for name, key, value in self._database.execute("SELECT name, key, value FROM records"):
            self._saved.setdefault(name, {})[key] = _digest(value)

    def groups(self) -> list[str]:
        return list(self._saved)

    def read(self, name: str) -> Iterator[tuple[str, Any]]:
        """(key, record) of a group, in the order of the keys."""
        rows = self._database.execute("SELECT key, value FROM records WHERE name = ? ORDER BY key", (name,))
        for key, value in rows:
            yield key, pickle.loads(value)  # noqa: S301 (the cell's own file, for its owner alone)

    def save(self, groups: Mapping[str, Mapping[str, bytes]], grown: Mapping[str, list[Any]] | None = None) -> None:
        """Makes each group just these pickled records, all in one transaction; writes only what has changed.

        `grown` are lists that only grow, each a group of its own. A shorter one than last time is a new one.
        """
        with self._lock:
            wanted = dict(groups)
            for name, items in (grown or {}).items():
                wanted[name] = self._grown(name, items)
            changed: list[tuple[str, str, bytes]] = []
            gone: list[tuple[str, str]] = []
            now: dict[str, dict[str, bytes]] = {}
            for name, records in wanted.items():
                before = self._saved.get(name, {})
                now[name] = {
                    key: before[key] if value is _AS_BEFORE else _digest(value) for key, value in records.items()
                }
                changed += [(name, key, records[key]) for key, seen in now[name].items() if before.get(key) != seen]
                gone += [(name, key) for key in before if key not in records]
            if changed or gone:
                self._write(changed, gone)
            self._saved |= now

    def _grown(self, name: str, items: list[Any]) -> dict[str, bytes]:
        """A record for each time that the list had grown: its key is where it begins, and how long it is."""
        before = self._saved.get(name, {})
        kept = sum(int(key.partition("+")[2]) for key in before)
        if len(items) < kept:
            before, kept = {}, 0
        records = dict.fromkeys(before, _AS_BEFORE)
        if len(items) > kept:
            records[f"{kept:012d}+{len(items) - kept}"] = pickle.dumps(items[kept:])
        return records

    def _write(self, changed: list[tuple[str, str, bytes]], gone: list[tuple[str, str]]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("DELETE FROM records WHERE name = ? AND key = ?", gone)
        self._database.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", changed)
        self._database.execute("COMMIT")


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()


def size(home: Path) -> int:
    """Bytes of what the cell in `home` keeps of its two sides."""
    return sum(path.stat().st_size for path in (home / FOLDER).iterdir())
