"""The page function's entry point: one request of a function URL (payload 2.0) in, one answer out.

It never raises: Lambda would print the exception, and answer without our headers. Nothing of a body is logged.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from functions.connect import request, session, store
from functions.connect.answer import of_json, of_page
from functions.connect.settings import read_settings
from functions.connect.visit import Services, Visit
from functions.shared import log, objects
from functions.shared.deadline import Deadline, LambdaContext

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client

LONGEST_SECONDS: Final = 40.0
"""Of one request's work. A browser that waits longer looks broken."""


@lru_cache(maxsize=1)
def warm() -> tuple[S3Client, KMSClient]:
    """What one warm function keeps between invocations."""
    return objects.new_client(read_seconds=5, attempts=3), session.new_client()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    log.configure()
    try:
        asked = request.read(event)
        if asked.path == "/":
            return of_page(asked.headers.get("accept-encoding", ""), body=asked.method == "GET")
        deadline = Deadline(min(context.get_remaining_time_in_millis() / 1000, LONGEST_SECONDS))
        return Visit(_services(), asked, deadline, time.time()).answer()
    except request.Refusal as refusal:
        log.line("connect.refused", level=logging.INFO, reason=refusal.code, **refusal.about)
        return of_json(refusal.status, {"error": refusal.code}, headers=refusal.headers)
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer has our headers and no text of it
        log.line("connect.error", level=logging.ERROR, error=log.failure_text(error))
        return of_json(503, {"error": "away"}, headers={"Retry-After": "2"})


def _services() -> Services:
    settings = read_settings(os.environ)
    s3, kms = warm()
    return Services(settings, kms, store.Store(s3, kms, settings.bucket, settings.intake_key))
