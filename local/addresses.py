"""Where a host of the internet answers on this machine: a local cell's name resolution.

A file a host, in the cell's folder `addresses`. A host without one cannot be reached, as without a network.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

FOLDER = "addresses"


def publish(home: Path, host: str, url: str) -> None:
    """`url` is where `host` answers from now on; `home` is the cell's folder."""
    file = _file(home, host)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(url, encoding="ascii")
    draft.replace(file)


def find(home: Path, host: str) -> str | None:
    try:
        return _file(home, host).read_text(encoding="ascii")
    except FileNotFoundError:
        return None


def _file(home: Path, host: str) -> Path:
    return home / FOLDER / quote(host, safe="")
