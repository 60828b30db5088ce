"""The blocks that cannot be played here, each with its reason. The page's prose is listed too where it is a click."""

from __future__ import annotations

from typing import Final

UNPLAYED: Final[dict[tuple[str, int], str]] = {}
"""By heading and number."""
