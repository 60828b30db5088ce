"""The sweep function's entry point, called by EventBridge twice an hour and by operators' commands."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.shared import cloudwatch, handover_store, log
from functions.shared.admin_key import AdminKey
from functions.shared.deadline import Deadline, LambdaContext
from functions.shared.environment import HEALTH_BUCKET, Environment, read_environment, required
from functions.shared.handover_store import HandoverStore
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIHTTP
from functions.shared.secrets_client import new_client
from functions.sweep import trust
from functions.sweep.declared import declared
from functions.sweep.gather_cell import Comparer, orphans_answer
from functions.sweep.inspect import inspect
from functions.sweep.request import (
    CONTRACT,
    ContractRequest,
    KeysRequest,
    OrphansRequest,
    RevokeRequest,
    SweepRequest,
    read_request,
)
from functions.sweep.revoke import revoke_all, valid_keys
from functions.sweep.services import Services
from functions.sweep.sweep import Sweep

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_iam import IAMClient
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient


class SweepFailed(Exception):
    """A failure as Lambda and the caller see it: its text is redacted, and it has no cause."""


@lru_cache(maxsize=1)
def warm(admin_secret: str) -> tuple[SecretsManagerClient, CloudWatchClient, IAMClient, AdminKey, S3Client]:
    """What one warm function keeps between invocations."""
    client = new_client()
    bucket = handover_store.new_client()
    return client, cloudwatch.new_client(), trust.new_client(), AdminKey(client, admin_secret), bucket


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Raises SweepFailed."""
    log.configure()
    try:
        environment = read_environment(os.environ)
        request = read_request(event)
        if isinstance(request, ContractRequest):
            return {"contract": CONTRACT}
        seconds = context.get_remaining_time_in_millis() / 1000
        if isinstance(request, SweepRequest) and request.seconds is not None:
            seconds = min(seconds, request.seconds)
        bucket = required(os.environ, HEALTH_BUCKET)[HEALTH_BUCKET]
        services = assemble(environment, bucket, *warm(environment.admin_secret), Deadline(seconds))
        if isinstance(request, RevokeRequest):
            return revoke_all(request, services)
        if isinstance(request, KeysRequest):
            return valid_keys(request, services)
        if isinstance(request, SweepRequest):
            return Sweep(request, services).run()
        if isinstance(request, OrphansRequest):
            return orphans_answer(Comparer(services).compare(), services, request)
        return inspect(request.tenant, services)
    except Exception as error:  # noqa: BLE001 - every failure must leave through a redacted text
        text = log.failure_text(error)
        log.line("sweep.error", level=logging.ERROR, error=text)
        raise SweepFailed(text) from None


def assemble(
    environment: Environment,
    bucket: str,
    secrets: SecretsManagerClient,
    cloudwatch: CloudWatchClient,
    roles: IAMClient,
    admin_key: AdminKey,
    objects: S3Client,
    deadline: Deadline,
) -> Services:
    api = AdminAPI(OpenAIHTTP(environment.base_url, deadline), admin_key, deadline)
    handovers, known = HandoverStore(objects, bucket), declared(objects, bucket)
    return Services(environment, secrets, cloudwatch, roles, admin_key, api, deadline, handovers, known)
