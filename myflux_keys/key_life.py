"""How long a key may live."""

from __future__ import annotations

from typing import Final

LONGEST_SECONDS: Final = 31_536_000
"""OpenAI's maximum for `expires_in_seconds` and for an admin key: 365 days."""
LONGEST_HOURS: Final = LONGEST_SECONDS // 3600
LONGEST_DAYS: Final = LONGEST_HOURS // 24

MARGIN_HOURS: Final = 72
"""A key is valid this long beyond interval and overlap, so that a late rotation does not stop a tenant's calls."""

READER_CACHE_SECONDS: Final = 3600
"""The longest that a reader caches a key that was replaced: the default of aws-secretsmanager-caching."""
