"""What the functions write to their log: one JSON line a step, and no key in it whatever goes wrong.

Owns the line's shape, the redaction of everything that passes the root logger, and the silence of the loggers that
print request bodies. Leaves out what is worth a line (handlers and steps). Lambda prints an uncaught exception itself,
past every logging filter, so `failure_text` gives handlers a text that is safe to raise.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from botocore.exceptions import ClientError

from myflux_keys.redaction import RedactingFilter, redact

LOGGER: Final = logging.getLogger("myflux")

TALKATIVE: Final = ("boto3", "botocore", "urllib3", "http", "s3transfer")
"""With the root logger at DEBUG botocore prints request and response bodies, SecretString included."""

_FILTER: Final = RedactingFilter()


def configure() -> None:
    """Idempotent; called at the start of every invocation, since the runtime may have added handlers since the last."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    # A logger's filter does not see what its children pass up, so the handlers carry it as well.
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
    """The error's kind and message, redacted. For AWS's errors: operation and code too, which operators search by."""
    if isinstance(error, ClientError):
        reason = error.response.get("Error", {})
        text = f"{error.operation_name} was refused: {reason.get('Code', 'unknown')}: {reason.get('Message', '')}"
        return redact(text)
    return redact(f"{type(error).__name__}: {error}")
