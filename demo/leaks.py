"""Searches texts for keys.

Leaves out which texts and which keys. The search first tests itself: it must find a decoy in every encoding, so an
empty result means that there is no key.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Leak:
    where: str
    key_id: str
    encoding: str


@dataclass(frozen=True)
class Text:
    """Something that was written, and where."""

    where: str
    content: bytes


def encodings(key: str) -> dict[str, bytes]:
    """The encodings of a key. Base64 encodes three bytes at a time, so a key inside a longer text has one of three
    forms."""
    raw = key.encode()
    shapes = {
        "raw": raw,
        # As either byte order has it: without the zero before the first character or after the last one.
        "UTF-16": key.encode("utf-16-le")[:-1],
        "hex": raw.hex().encode(),
        "hex, upper case": raw.hex().upper().encode(),
        "URL-encoded": quote(key, safe="").replace("-", "%2D").encode(),
        "URL-encoded throughout": "".join(f"%{byte:02X}" for byte in raw).encode(),
    }
    for shift in range(3):
        # The first and last characters also hold bits of the neighbouring bytes: only those between depend on the key
        # alone.
        start, end = shift and shift + 1, -4
        encoded = base64.b64encode(b"\0" * shift + raw)
        shapes[f"base64, shifted by {shift}"] = encoded[start:end]
        shapes[f"base64url, shifted by {shift}"] = encoded[start:end].replace(b"+", b"-").replace(b"/", b"_")
    return shapes


def search(texts: Iterable[Text], keys: dict[str, str]) -> Iterator[Leak]:
    """`keys` maps a key's id to its value. The values themselves are never part of the result."""
    needles = [(key_id, name, shape) for key_id, key in keys.items() for name, shape in encodings(key).items()]
    for text in texts:
        for key_id, name, shape in needles:
            if shape in text.content:
                yield Leak(text.where, key_id, name)


def prove_search(folder: Path) -> None:
    """Raises AssertionError unless a decoy is found in a file in each encoding, and by that encoding's own shape."""
    decoy = "sk-" + "svcacct-" + "decoy" * 8

    def seen(path: Path) -> set[str]:
        return {leak.encoding for leak in search(files([path]), {"decoy": decoy})}

    with tempfile.TemporaryDirectory(dir=folder) as planted:
        for name, shape in encodings(decoy).items():
            path = Path(planted) / "file"
            path.write_bytes(b"before " + shape + b" after")
            if name not in seen(path):
                raise AssertionError(f"the search does not find keys that are {name}")
        for shift, prefix in enumerate(("", "x", "xy")):
            path = Path(planted) / "file"
            path.write_bytes(base64.b64encode(f"{prefix}{decoy} and more".encode()))
            if f"base64, shifted by {shift}" not in seen(path):
                raise AssertionError("the search does not find keys inside a longer base64 text")


def files(paths: Iterable[Path]) -> Iterator[Text]:
    for path in paths:
        if path.is_file() and not path.is_symlink():
            yield Text(str(path), path.read_bytes())
