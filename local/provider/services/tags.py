"""Converts tags between a map, as programs give them, and the lists that AWS's services take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def pairs(tags: Mapping[str, str] | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """As ``[{"Key": …, "Value": …}]``; KMS names them TagKey and TagValue."""
    return [{key: name, value: text} for name, text in sorted((tags or {}).items())]


def mapped(tags: Iterable[Mapping[str, Any]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    return {tag[key]: tag[value] for tag in tags or ()}
