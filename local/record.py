"""The files of a cell in its home: which they are, and `cell.json`, which says where its servers run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from local import keeping
from local.process import ServerProcess
from local.servers import CellError

_FILE: Final = "cell.json"
_HELD: Final = (
    _FILE,
    "addresses",
    "aws.lock",
    "openai.lock",
    "aws.log",
    "openai.log",
    "clock",
    "credentials",
    "federation.json",
    "mfa",
    keeping.FOLDER,
    "rotations",
    "openai-token",
    "passphrase",
    "bin",
    "state",
    "tmp",
)
"""A cell's files under its home. `remove` keeps all others, such as the demo's report."""


def exists(home: Path) -> bool:
    return (home / _FILE).exists()


def write(home: Path, servers: Mapping[str, ServerProcess]) -> None:
    """Written before the servers are ready, so that a start which is killed leaves a trace that can be followed."""
    document = {name: {"group": server.group, "port": server.port} for name, server in servers.items()}
    draft = home / f"{_FILE}.new"
    with _private(draft) as text:
        text(json.dumps(document, indent=2))
    draft.replace(home / _FILE)


def read(home: Path) -> dict[str, ServerProcess]:
    """The servers by name; none if there is no cell."""
    try:
        document = json.loads((home / _FILE).read_text(encoding="utf-8"))
        return {name: ServerProcess(name, entry["group"], entry["port"], home) for name, entry in document.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CellError(
            f"{home / _FILE} cannot be read, so nobody knows which processes belong to the cell. Stop those that "
            f"hold {home}/*.lock (`fuser {home}/*.lock`), delete that folder, then `myflux-keys local up`"
        ) from None


@contextmanager
def _private(path: Path) -> Generator[Any]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        yield file.write


def remove(home: Path) -> None:
    for name in _HELD:
        path = home / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
