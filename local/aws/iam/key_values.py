"""Condition keys' values, as the evaluator takes them: text, several texts, or an absent key."""

from __future__ import annotations

from typing import Any

Values = dict[str, str | tuple[str, ...]]
"""By the key's lower-case name."""


def text(value: Any) -> str | tuple[str, ...] | None:
    """None for a value that fills no key: absent, or a structure."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return tuple(str(item.get("Region", item) if isinstance(item, dict) else item) for item in value)
    return None if value is None or isinstance(value, dict) else str(value)


def filled(keys: dict[str, Any]) -> Values:
    """Without the keys that nothing fills."""
    return {name.lower(): found for name, value in keys.items() if (found := text(value)) not in (None, ())}
