"""The keys of an issuer: by discovery, or uploaded.

Discovery documents and key sets are kept for 600 s by the cell's clock; a key id that a kept set lacks has it fetched
again, once. Issuers answer where the cell says (`local/addresses.py`).
"""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import jwt

from local import addresses
from local.openai.federation.records import IdentityProvider

KEPT_SECONDS: Final = 600
_PATIENCE: Final = 5.0
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class KeySources:
    """Thread-safe: exchanges fetch in threads, one after the other."""

    def __init__(self, home: Path | None) -> None:
        """`home` is the cell's folder; without it no issuer can be reached."""
        self._home = home
        self._kept: dict[str, tuple[float, Any]] = {}
        self._fetching = threading.Lock()

    def key(self, provider: IdentityProvider, key_id: str, now: float) -> jwt.PyJWK | None:
        """The provider's key of this id; None if there is none, or its issuer cannot be asked."""
        if provider.jwks is not None:
            return _picked(provider.jwks, key_id)
        with self._fetching:
            found = self._document(discovery_url(provider), now)
            if not isinstance(found, dict):
                return None
            stated = cast("dict[str, Any]", found)
            if str(stated.get("issuer", "")).rstrip("/") != provider.issuer.rstrip("/"):
                return None
            url = str(stated.get("jwks_uri", ""))
            return _picked(self._document(url, now), key_id) or _picked(self._fetched(url, now), key_id)

    def _document(self, url: str, now: float) -> Any:
        until, document = self._kept.get(url, (0.0, None))
        return document if now < until else self._fetched(url, now)

    def _fetched(self, url: str, now: float) -> Any:
        """None if it cannot be had, which is not kept."""
        parts = urlsplit(url)
        base = addresses.find(self._home, parts.netloc) if self._home and parts.scheme == "https" else None
        if base is None:
            return None
        try:
            with _DIRECT.open(base + parts.path, timeout=_PATIENCE) as answer:
                document: Any = json.load(answer)
        except (OSError, ValueError):
            return None
        self._kept[url] = (now + KEPT_SECONDS, document)
        return document


def discovery_url(provider: IdentityProvider) -> str:
    return provider.discovery_url or f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"


def _picked(key_set: Any, key_id: str) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWKSet.from_dict(key_set)[key_id]
    except (jwt.PyJWTError, KeyError, TypeError, AttributeError):
        return None
