"""AWS clients that report within ten seconds that AWS is out of reach.

Owns how long a client waits for AWS. botocore repeats a call that could not connect as often as one that AWS throttled:
eight attempts take most of a minute, and waiting cures no wrong network or proxy. So until AWS has answered once, a
call that cannot connect is given up after some seconds. Every other retry is botocore's: those after throttling, and
all of them once AWS has answered, since an operation that is under way must survive a short outage.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionError as CannotConnect
from botocore.exceptions import HTTPClientError

from ops import aws_answers
from ops.errors import OperationError

CONNECT_SECONDS: Final = 3
"""For one address: a lost packet is sent again after one second."""
FIRST_ANSWER_SECONDS: Final = 8
"""For a client whose answers are small and quick."""
_GIVE_UP_SECONDS: Final = 4.0
_ATTEMPTS: Final = 3
_BEGAN: Final = "myflux_began"


def client(service: str, *, session: boto3.Session | None = None, config: Config | None = None, **where: Any) -> Any:
    """`where` is what boto3 takes, such as region_name. Raises OperationError where AWS's variables are wrong."""
    limits = Config(connect_timeout=CONNECT_SECONDS)
    try:
        made = cast(Any, session or boto3.Session()).client(
            service, config=limits.merge(config) if config else limits, **where
        )
    except ValueError as error:
        raise OperationError(
            f"AWS cannot be called: {error}. Correct that in AWS's variables (AWS_ENDPOINT_URL, AWS_REGION, "
            "AWS_MAX_ATTEMPTS) or its configuration file. Nothing was changed."
        ) from None
    reach = Reach()
    made.meta.events.register("before-call", reach.begins)
    made.meta.events.register("needs-retry", reach.ended)
    made.meta.events.register(aws_answers.EVENT, aws_answers.check)
    return made


class Reach:
    """Whether one client has reached AWS. Its methods are handlers of botocore's events."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._answered = False

    def begins(self, params: dict[str, Any], **_: Any) -> None:
        params["context"][_BEGAN] = self._now()

    def ended(
        self, response: Any, caught_exception: Exception | None, attempts: int, request_dict: dict[str, Any], **_: Any
    ) -> None:
        """After each attempt. Raises its exception where another attempt would be of no use."""
        self._answered = self._answered or response is not None
        if self._answered or not isinstance(caught_exception, CannotConnect | HTTPClientError):
            return
        if attempts >= _ATTEMPTS or self._now() - request_dict["context"][_BEGAN] > _GIVE_UP_SECONDS:
            raise caught_exception
