"""The machine's list of certificates, read once in each process.

Each new HTTP client of the OpenAI SDK reads it, which takes longer than several calls: a third of what the emulator's
tests took. Another file, as an environment variable names it, is read anew.
"""

from __future__ import annotations

import os
import ssl
from typing import Any

from httpx2._transports import default

_MADE: dict[tuple[Any, ...], ssl.SSLContext] = {}
_original = default.create_ssl_context  # pyright: ignore[reportPrivateImportUsage]


def _create_ssl_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
    if verify is not True or cert is not None:
        return _original(verify=verify, cert=cert, trust_env=trust_env)
    named = (trust_env, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    if named not in _MADE:
        _MADE[named] = _original(trust_env=trust_env)
    return _MADE[named]


def read_once() -> None:
    default.create_ssl_context = _create_ssl_context  # pyright: ignore[reportPrivateImportUsage]
