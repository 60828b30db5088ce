"""The health function's entry point.

The schedule's event is ``{"every_minutes": 60}``: a new cycle begins when the last began so long ago, and a cycle that
is not finished goes on. Without the field an invocation begins a cycle at once. An operator's command sends ``action``,
one of ACTIONS, with fields of its own.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from functions.health import store
from functions.health.cycle import Cycle
from functions.health.look import look
from functions.health.services import Services, new_topic_client
from functions.health.settings import Settings, read_settings
from functions.health.usage_answer import answer_usage
from functions.shared import cloudwatch, federated_token, log, objects
from functions.shared.admin_key import AdminKey
from functions.shared.deadline import Deadline, LambdaContext
from functions.shared.federated_token import FederatedTokens
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIHTTP
from functions.shared.secrets_client import new_client
from functions.sweep.request import RequestError
from myflux_keys.role_names import runtime_role_arn

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sns import SNSClient
    from types_boto3_sts import STSClient

LONGEST_SECONDS: Final = 600.0
"""Of one invocation's work."""
_Action = Callable[[Services, Mapping[str, Any]], dict[str, Any]]
ACTIONS: Final[Mapping[str, _Action]] = {"look": look, "usage": answer_usage}
"""What a command may ask for. Each reads the event strictly, changes nothing, and answers without a key."""


class HealthFailed(Exception):
    """A failure as Lambda and the caller see it: its text is redacted, and it has no cause."""


@lru_cache(maxsize=1)
def warm(admin_secret: str) -> tuple[SecretsManagerClient, CloudWatchClient, SNSClient, S3Client, STSClient, AdminKey]:
    """What one warm function keeps between invocations."""
    client = new_client()
    metrics, topics, bucket = cloudwatch.new_client(), new_topic_client(), objects.new_client(connections=16)
    return client, metrics, topics, bucket, federated_token.new_client(), AdminKey(client, admin_secret)


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Raises HealthFailed."""
    log.configure()
    try:
        settings = read_settings(os.environ)
        seconds = min(context.get_remaining_time_in_millis() / 1000, LONGEST_SECONDS)
        services = assemble(settings, *warm(settings.common.admin_secret), Deadline(seconds))
        if (action := event.get("action")) is None:
            return Cycle(services).run(60.0 * float(event.get("every_minutes", 0)))
        if action not in ACTIONS:
            raise RequestError(f"action must be one of {', '.join(ACTIONS)}; got {action!r}")
        return ACTIONS[action](services, event)
    except Exception as error:  # noqa: BLE001 - every failure must leave through a redacted text
        text = log.failure_text(error)
        log.line("health.error", level=logging.ERROR, error=text)
        raise HealthFailed(text) from None


def assemble(
    settings: Settings,
    secrets: SecretsManagerClient,
    metrics: CloudWatchClient,
    topics: SNSClient,
    bucket: S3Client,
    sts: STSClient,
    admin_key: AdminKey,
    deadline: Deadline,
) -> Services:
    api = AdminAPI(OpenAIHTTP(settings.common.base_url, deadline), admin_key, deadline)
    objects, common = store.Store(bucket, settings.bucket), settings.common
    role = runtime_role_arn(common.cell, settings.topic)
    tokens = FederatedTokens(sts, common.cell, role, common.base_url)
    return Services(settings, secrets, metrics, topics, objects, admin_key, api, deadline, tokens)
