"""Reverts what the product changes in loggers once a process: a function at its first invocation, the reader at its
first call.

A test must not inherit the silence or the redaction of an earlier test: they would hide a key in its log.
"""

from __future__ import annotations

import logging
from collections.abc import Generator

import pytest

from functions.shared import log
from myflux_keys import quiet
from myflux_keys.redaction import RedactingFilter

_FUNCTIONS = (log.LOGGER.name, *log.TALKATIVE)


def make_loud() -> None:
    root = logging.getLogger()
    for place in (log.LOGGER, root, *root.handlers):
        for redacting in [each for each in place.filters if isinstance(each, RedactingFilter)]:
            place.removeFilter(redacting)
    for name in _FUNCTIONS:
        if logging.getLogger(name).level != logging.NOTSET:
            logging.getLogger(name).setLevel(logging.NOTSET)
    if quiet._loggers_seen:
        for logger in list(logging.root.manager.loggerDict.values()):
            if isinstance(logger, logging.Logger):
                logger.removeFilter(quiet._mute)
        quiet._loggers_seen = 0


@pytest.fixture(autouse=True)
def loud_again(nothing_left_by_the_test: None) -> Generator[None]:
    """Requests the fixture that checks loggers, so that this one ends before that check."""
    yield
    make_loud()
