"""Finds text shaped like a key, also in encoded text.

Owns the shapes and the encodings: base64 in both alphabets, gzip, hexadecimal, percent signs and escapes, also nested.
Leaves out where a key may be (`plaintext`). The shapes are repeated from myflux_keys/redaction.py, which cannot be
imported where a pack runs; a test compares the two.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import unquote

from .model import Archive

KEY_SHAPE: Final = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=\\[abfnrtv])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4}))"
    r"(?:sk-[A-Za-z0-9_-]{16,}|(?:AKIA|ASIA)[A-Z0-9]{16})"
)
_BEGINS: Final = ("sk-", "AKIA", "ASIA")
"""One of these is in every key: looking for them first is many times quicker."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){16,}")
_ESCAPE: Final = re.compile(r"\\u00([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})")
_PRINTABLE: Final = bytes(range(0x20, 0x7F))
_LAYERS: Final = 3
_LARGEST: Final = 1 << 20
"""Bytes. Nothing that fits a resource's property is larger once unpacked, except a gzip bomb."""


def holds_key(text: str, layers: int = _LAYERS) -> bool:
    if any(begin in text for begin in _BEGINS) and KEY_SHAPE.search(text):
        return True
    return layers > 0 and any(holds_key(inner, layers - 1) for inner in _unwrapped(text))


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside `value`, names of fields included, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in cast(Mapping[Any, Any], value).items():
            yield path, str(name)
            step = shown(str(name))
            yield from texts(inner, f"{path}.{step}" if path else step)
    elif isinstance(value, Archive):
        # A file's path on this machine is shown to nobody.
        yield path, value.uri
        yield from texts(value.parts, path)
    elif isinstance(value, list | tuple | set | frozenset):
        for place, inner in enumerate(cast(list[Any], value)):
            yield from texts(inner, f"{path}[{place}]")


def shown(name: str) -> str:
    """A field's name as a part of a path. A name that is a key must not come out."""
    return "…" if _is_key(name) else name


@lru_cache(maxsize=4096)
def _is_key(name: str) -> bool:
    """Cached, since the same names occur in every resource."""
    return holds_key(name)


def _unwrapped(text: str) -> Iterator[str]:
    if "%" in text and (inner := unquote(text, errors="replace")) != text:
        yield inner
    if "\\" in text and (inner := _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)), text)) != text:
        yield inner
    # Base64 is often broken into lines.
    both = {text, re.sub(r"\s+", "", text)}
    for run in {run for folded in both for run in _BASE64.findall(folded)}:
        # A run may begin with a few characters that are not part of it, as a prefix `v1/` would.
        for start in range(4):
            yield from _readable(_decoded(run[start:]))
    for run in {run for folded in both for run in _HEX.findall(folded)}:
        yield from _readable(bytes.fromhex(run))


def _decoded(run: str) -> bytes:
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) - 1] if len(body) % 4 == 1 else body
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return b""


def _readable(raw: bytes) -> Iterator[str]:
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = zlib.decompressobj(wbits=31).decompress(raw, _LARGEST)
        except zlib.error:
            return
    # Skips bytes that neither are text nor hold what a key begins with: otherwise every long name would be decoded
    # again and again. In UTF-16 every second byte of such text is zero.
    printable = len(raw) - len(raw.translate(None, _PRINTABLE))
    if raw and (2 * printable >= len(raw) or _begins(raw, "ascii")):
        yield raw.decode("latin-1")
    if 4 * raw.count(0) >= len(raw) > 0 or _begins(raw, "utf-16-le"):
        yield raw.decode("utf-16-le", errors="replace")


def _begins(raw: bytes, encoding: str) -> bool:
    return any(begin.encode(encoding) in raw for begin in _BEGINS)
