"""The promoter's entry point: for all hand-ins by the schedule, and for one by `connect confirm`.

The event is a hint, since nobody vouches for it: it names objects, of which the intake itself says what they are.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote_plus

from functions.promoter.intake import Intake, Overlap, new_keys
from functions.promoter.promote import promote
from functions.promoter.services import Services
from functions.promoter.settings import Settings, read_settings
from functions.shared import log, objects
from functions.shared.deadline import Deadline, LambdaContext
from functions.shared.intake import Place
from functions.shared.openai_http import OpenAIHTTP
from functions.shared.secrets_client import new_client

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient

ONE_KEY_SECONDS: Final = 90.0
"""With less time left no key is begun: a try pauses up to seven seconds a model where OpenAI does not answer."""


class PromoterFailed(Exception):
    """A failure as Lambda and the caller see it: its text is redacted, and it has no cause."""


@lru_cache(maxsize=1)
def warm() -> tuple[S3Client, KMSClient, SecretsManagerClient]:
    """What one warm function keeps between invocations."""
    return objects.new_client(), new_keys(), new_client()


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """How many keys met which end. Raises PromoterFailed."""
    log.configure()
    try:
        settings = read_settings(os.environ)
        services = assemble(settings, *warm(), Deadline.of(context))
        done = run(services, named_in(event) or services.intake.places())
    except Exception as error:  # noqa: BLE001 - every failure must leave through a redacted text
        text = log.failure_text(error)
        log.line("connect.error", level=logging.ERROR, error=text)
        raise PromoterFailed(text) from None
    if done.get("failed"):
        raise PromoterFailed(
            f"{done['failed']} of {sum(done.values())} keys could not be worked on: see the lines above"
        )
    return done


def assemble(
    settings: Settings, store: S3Client, keys: KMSClient, secrets: SecretsManagerClient, deadline: Deadline
) -> Services:
    intake = Intake(store, keys, settings.bucket, settings.intake_key, settings.link_key)
    return Services(settings, intake, secrets, OpenAIHTTP(settings.common.base_url, deadline), deadline)


def run(services: Services, places: Iterable[Place]) -> dict[str, int]:
    """One key's failure does not keep the next one waiting."""
    done: Counter[str] = Counter()
    for place in places:
        if services.deadline.remaining() < ONE_KEY_SECONDS:
            done["left"] += 1
            continue
        try:
            done[promote(services, place).value] += 1
        except Overlap:
            done["later"] += 1
        except Exception as error:  # noqa: BLE001 - of one key: the others go on
            fields = {"tenant": place.tenant, "link": place.id, "error": log.failure_text(error)}
            log.line("connect.failed", level=logging.ERROR, **fields)
            done["failed"] += 1
    return dict(done)


def named_in(event: Mapping[str, Any]) -> list[Place]:
    """The places that an event names, in S3's form: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    records = event.get("Records")
    found: list[Place] = []
    for record in cast(list[Any], records) if isinstance(records, list) else []:
        try:
            key = record["s3"]["object"]["key"]
            place = Place.in_key(unquote_plus(key))
        except (KeyError, TypeError, AttributeError):
            continue
        found += [place] if place and place not in found else []
    return found
