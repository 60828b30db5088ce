"""The admin rotation function's entry point: one step of a rotation, or the daily deletion, and one log line.

Secrets Manager calls it with ``Step``, ``SecretId`` and ``ClientRequestToken``; the platform's daily rule with
``{"action": "tidy"}``. A rotation stores the bare text of the admin key, as a person does. OpenAI lists everything
else about a key, under the name that the rotation gave it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from functions.admin_rotation.steps import AdminRotation
from functions.admin_rotation.tidy import tidy
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

TIDY: Final = "tidy"


@dataclass(frozen=True)
class Warm:
    """What one warm function keeps between invocations."""

    client: SecretsManagerClient
    admin_key: AdminKey


@lru_cache(maxsize=1)
def warm(admin_secret: str) -> Warm:
    client = new_client()
    return Warm(client, AdminKey(client, admin_secret))


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Raises RotationFailed."""
    invoke(
        "admin_rotation",
        event,
        context,
        lambda settings, deadline: run(event, settings, warm(settings.admin_secret), deadline),
    )


def run(event: Mapping[str, Any], environment: Environment, kept: Warm, deadline: Deadline) -> Outcome:
    """One step, or the daily deletion."""
    http = OpenAIHTTP(environment.base_url, deadline)
    if event.get("action") == TIDY and "Step" not in event:
        # Read again: the key in memory may be the replaced one, which this call would use.
        current = AdminKey(kept.client, environment.admin_secret)
        outcome = tidy(
            environment, SecretStore(kept.client, environment.admin_secret), AdminAPI(http, current, deadline)
        )
        return {**outcome, "openai_calls": http.calls}
    call = read_call(event, called_by=f"Secrets Manager calls this function, and a rule with action {TIDY!r}")
    rotation = AdminRotation(
        environment,
        call,
        store=SecretStore(kept.client, call.secret_id),
        api=AdminAPI(http, kept.admin_key, deadline),
        deadline=deadline,
    )
    return {**STEPS[call.step](rotation), "openai_calls": http.calls}
