"""The rotation function in a process of its own, which can be killed as Lambda's sandbox can: at once, anywhere.

Owns what differs from Lambda: pauses cost no time, time-outs are short. All else is the shipped handler with the
shipped client, environment variables and IAM permissions. Leaves out who calls it (`function.py`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Mapping
from functools import cache
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any, Final

import botocore.endpoint
from botocore.config import Config

from functions.rotation import handler
from functions.shared import rotation_frame, secrets_client
from functions.shared.deadline import Deadline, LambdaContext
from functions.shared.openai_http import OpenAIHTTP
from tests.crash.sabotage import MISTAKES

INVOCATION_SECONDS: Final = 300.0

_shipped_client: Final = secrets_client.new_client


class _Clock:
    """The machine's clock, ahead by all that was slept."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds


_clock: Final = _Clock()


class _Deadline(Deadline):
    @classmethod
    def of(cls, context: LambdaContext) -> Deadline:
        return Deadline(context.get_remaining_time_in_millis() / 1000, monotonic=_clock.now, sleep=_clock.sleep)


class _Impatient(OpenAIHTTP):
    """Gives a call `patience` seconds in place of the function's 10 to 20: a time-out is a time-out."""

    patience = 0.0

    def send(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        return super().send(*arguments, **{**named, "seconds": self.patience})


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return round(INVOCATION_SECONDS * 1000)


def _impatient_config(**shipped: Any) -> Config:
    return Config(**shipped).merge(Config(read_timeout=_Impatient.patience))


@cache
def _client(patience: float) -> Any:
    """A client takes long to make, and holds nothing that a cold start would lose."""
    del patience
    return _shipped_client()


def serve(pipe: Connection, environment: Mapping[str, str], log: str, mistake: str | None) -> None:
    """Runs invocations until told None. A message is (event, cold, patience), the answer None or an error's text."""
    os.environ.clear()
    os.environ.update(environment)
    logging.basicConfig(filename=log, level=logging.DEBUG)
    secrets_client.Config = _impatient_config
    botocore.endpoint.time = SimpleNamespace(sleep=_clock.sleep, time=time.time)  # type: ignore[assignment]
    handler.new_client = lambda: _client(_Impatient.patience)
    rotation_frame.Deadline = _Deadline
    handler.OpenAIHTTP = _Impatient
    if mistake is not None:
        MISTAKES[mistake]()
    with contextlib.suppress(EOFError):
        while (told := pipe.recv()) is not None:
            event, cold, _Impatient.patience = told
            if cold:
                handler.warm.cache_clear()
            try:
                handler.handler(event, _Context())
            except rotation_frame.RotationFailed as error:
                pipe.send(str(error))
            else:
                pipe.send(None)
