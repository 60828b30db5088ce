"""Ends a script: prints an error as a sentence on stderr, and exits with its code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from myflux_keys.redaction import redact
from ops.explained import explained


class Failure(Exception):
    """The job cannot run. The message has the reason and what to do."""


def run(script: Callable[[], int]) -> NoReturn:
    try:
        code = script()
    except Exception as error:
        sentence = str(error) if isinstance(error, Failure) else explained(error)
        if sentence is None:
            raise
        print(redact(sentence), file=sys.stderr)
        code = 1
    sys.exit(code)
