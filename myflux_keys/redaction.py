"""The shapes of keys, and a logging filter that redacts them.

Standard library only, for the functions' zips. Sources of the shapes: OpenAI's documented key prefixes (sk-proj-,
sk-svcacct-, sk-admin-, legacy sk-) and AWS's unique id prefixes for access keys (AKIA, ASIA).
"""

from __future__ import annotations

import logging
import re
from typing import Final

REDACTED: Final = "[redacted]"

_OPENAI: Final = r"sk-[A-Za-z0-9_-]{16,}"
_AWS: Final = r"(?:AKIA|ASIA)[A-Z0-9]{16}"
# A key starts a word, or follows an escape whose last character only looks like part of one: \n, %20, \x20, \u0020.
_START: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[abfnrtv])|(?<=%[0-9A-Fa-f]{2})|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4}))"
KEY_SHAPE: Final = re.compile(rf"{_START}(?:{_OPENAI}|{_AWS})")


def redact(text: str) -> str:
    """`text` with everything shaped like a key replaced."""
    return KEY_SHAPE.sub(REDACTED, text)


def looks_like_key(text: str) -> bool:
    """Whether `text` holds something that is shaped like an OpenAI key or an AWS access key id."""
    return KEY_SHAPE.search(text) is not None


class RedactingFilter(logging.Filter):
    """Redacts a record's message, arguments, traceback and extra fields before any handler formats it.

    Put it on handlers: a logger's filter does not see the records of the loggers below it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(_message(record))
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        # A handler that formats exceptions by itself would do so from here, unredacted.
        record.exc_info = None
        for name, value in list(vars(record).items()):
            if isinstance(value, str):
                setattr(record, name, redact(value))
            elif name not in _PLAIN and looks_like_key(shown := repr(value)):
                setattr(record, name, redact(shown))
        return True


_PLAIN: Final = frozenset({"args", "created", "levelno", "lineno", "msecs", "process", "relativeCreated", "thread"})


def _message(record: logging.LogRecord) -> str:
    """A call whose arguments do not match its format is logged unformatted: a filter must not break its caller."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError, IndexError):
        return f"{record.msg} {record.args!r}"
