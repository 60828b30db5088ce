"""The functions' log: one JSON line a step, never with a key."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from botocore.exceptions import ClientError

from myflux_keys.redaction import RedactingFilter, redact

LOGGER: Final = logging.getLogger("myflux")

TALKATIVE: Final = ("boto3", "botocore", "urllib3", "http", "s3transfer")
"""At DEBUG, botocore logs request and response bodies, SecretString included."""

_FILTER: Final = RedactingFilter()


def configure() -> None:
    """Adds the redaction to all handlers. Called in every invocation, since the runtime may have added handlers."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    # A logger's filter does not apply to its children's records, so the handlers need it as well.
    for place in (LOGGER, root, *root.handlers):
        if _FILTER not in place.filters:
            place.addFilter(_FILTER)
    LOGGER.setLevel(logging.INFO)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def line(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """One JSON object: `level`, `event`, then `fields` as given. Fields hold ids, counts and names, never a value."""
    content = {"level": logging.getLevelName(level), "event": event, **fields}
    LOGGER.log(level, "%s", json.dumps(content, default=str, separators=(",", ":")))


def failure_text(error: BaseException) -> str:
    """The error's type and message, redacted; for AWS's errors, operation and code too. Safe to raise: Lambda prints an
    uncaught exception without any logging filter."""
    if isinstance(error, ClientError):
        reason = error.response.get("Error", {})
        text = f"{error.operation_name} was refused: {reason.get('Code', 'unknown')}: {reason.get('Message', '')}"
        return redact(text)
    return redact(f"{type(error).__name__}: {error}")
