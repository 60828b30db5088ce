"""Ends a script: prints an error as a sentence on stderr, and exits with its code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from myflux_keys.redaction import redact
from ops.errors import OperationError
from tenancy import TenancyError


class Failure(Exception):
    """The job cannot run. The message has the reason and what to do."""


def run(script: Callable[[], int]) -> NoReturn:
    try:
        code = script()
    except (Failure, OperationError, TenancyError) as error:
        print(redact(str(error)), file=sys.stderr)
        code = 1
    sys.exit(code)
