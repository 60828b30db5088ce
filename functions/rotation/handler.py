"""The rotation function's entry point: Secrets Manager's event in, one step done, one log line out.

A warm function keeps one client, the admin key for some minutes, and `memory.py`.

A rotation stores this JSON: ``{"schema": 1, "tenant": "acme", "api_key": "sk-svcacct-…",
"key_id": "key_…", "project_id": "proj_…", "service_account_id": "…", "organization_id": "org-…",
"base_url": "https://…/v1", "models": ["…"], "minted_at": "…Z", "expires_at": "…Z"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.rotation.memory import Memory
from functions.rotation.steps import Rotation
from functions.shared.admin_key import AdminKey
from functions.shared.deadline import Deadline, LambdaContext
from functions.shared.environment import Environment
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIHTTP
from functions.shared.rotation_frame import STEPS, Outcome, invoke, read_call
from functions.shared.secrets_client import new_client
from functions.shared.secrets_manager import SecretStore

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class Warm:
    """What one warm function keeps between invocations."""

    client: SecretsManagerClient
    admin_key: AdminKey
    memory: Memory


@lru_cache(maxsize=1)
def warm(admin_secret: str) -> Warm:
    client = new_client()
    return Warm(client, AdminKey(client, admin_secret), Memory())


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Secrets Manager calls it once for each step. Raises RotationFailed."""
    invoke(
        "rotation",
        event,
        context,
        lambda settings, deadline: run(event, settings, warm(settings.admin_secret), deadline),
    )


def run(event: Mapping[str, Any], environment: Environment, kept: Warm, deadline: Deadline) -> Outcome:
    """One step. Raises Refused, RotationError, ProofFailed, OpenAIError, or botocore's errors."""
    call = read_call(event, called_by="only Secrets Manager's rotation may call this function")
    http = OpenAIHTTP(environment.base_url, deadline)
    rotation = Rotation(
        environment,
        call,
        store=SecretStore(kept.client, call.secret_id),
        api=AdminAPI(http, kept.admin_key, deadline),
        deadline=deadline,
        memory=kept.memory,
    )
    outcome = STEPS[call.step](rotation)
    return {"tenant": rotation.tenant_slug, **outcome, "openai_calls": http.calls}
