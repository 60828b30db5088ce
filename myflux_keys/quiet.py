"""Stops the libraries that handle keys from logging them, whatever level the application's loggers have.

At DEBUG botocore logs response bodies, a secret's value included, and the HTTP/2 stack logs request headers. Mutes them
only during the reader's own calls: the application's levels and handlers do not change, and the filter does nothing
outside `quiet()`.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

FAMILIES: Final = ("boto3", "botocore", "urllib3", "httpx2", "httpcore2", "httpx", "httpcore", "h11", "h2", "hpack")

CARRIERS: Final = (
    "botocore.auth",
    "botocore.awsrequest",
    "botocore.endpoint",
    "botocore.hooks",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.retries.standard",
    "hpack.hpack",
    "hpack.table",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
    "httpcore2.proxy",
    "urllib3.connectionpool",
)
"""They log headers or bodies. Listed by name, since a module loaded during the first call creates its logger then."""

_quiet: ContextVar[bool] = ContextVar("myflux_keys_quiet", default=False)


class _Mute(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or not _quiet.get()


_mute: Final = _Mute()
_loggers_seen = 0


def _install() -> None:
    """A logger's filter does not apply to its children, so each one gets it. Loggers are only added."""
    global _loggers_seen
    known = logging.root.manager.loggerDict
    if len(known) == _loggers_seen:
        return
    for name in CARRIERS:
        logging.getLogger(name)
    names = list(known)
    for name in names:
        logger = known.get(name)
        if name.split(".", 1)[0] in FAMILIES and isinstance(logger, logging.Logger):
            logger.addFilter(_mute)
    _loggers_seen = len(names)


@contextmanager
def quiet() -> Generator[None]:
    """Mutes everything below WARNING from these loggers, in this thread or task, during the block."""
    _install()
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)
