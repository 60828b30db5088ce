"""The rotation function's entry point: Secrets Manager's event in, one step done, one log line out.

Owns reading the event, putting the parts together, and turning a failure into an error that is safe to show. Leaves out
the steps. What lives between invocations is one client, the admin key for some minutes, and `memory.py`.

The value that a rotation stores, as JSON: ``{"schema": 1, "tenant": "acme", "api_key": "sk-svcacct-…",
"key_id": "key_…", "project_id": "proj_…", "service_account_id": "…", "organization_id": "org-…",
"base_url": "https://…/v1", "models": ["…"], "minted_at": "…Z", "expires_at": "…Z"}``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from functions.rotation.memory import Memory
from functions.rotation.steps import Outcome, Rotation
from functions.rotation.tenant import Refused
from functions.shared import log
from functions.shared.admin_key import AdminKey
from functions.shared.deadline import Deadline, LambdaContext
from functions.shared.environment import Environment, read_environment
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIHTTP
from functions.shared.secrets_client import new_client
from functions.shared.secrets_manager import SecretStore

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

STEPS: Final = {
    "createSecret": Rotation.create,
    "create_secret": Rotation.create,
    "setSecret": Rotation.set,
    "set_secret": Rotation.set,
    "testSecret": Rotation.test,
    "test_secret": Rotation.test,
    "finishSecret": Rotation.finish,
    "finish_secret": Rotation.finish,
}
"""AWS's pages spell the steps both ways."""


class RotationFailed(Exception):
    """What Lambda and Secrets Manager see of a failure: its text is redacted and no cause hangs on it."""


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
    """Called by Secrets Manager, once a step. Raises RotationFailed."""
    log.configure()
    deadline = Deadline.of(context)
    began = deadline.now()
    told: dict[str, Any] = {"step": str(event.get("Step")), "version": str(event.get("ClientRequestToken"))}
    try:
        environment = read_environment(os.environ)
        told |= {"cell": environment.cell}
        outcome = run(event, environment, warm(environment.admin_secret), deadline)
    except Exception as error:  # noqa: BLE001 - every failure must leave through a redacted text
        text = log.failure_text(error)
        log.line("rotation.failed", level=logging.ERROR, **told, error=text, seconds=round(deadline.now() - began, 3))
        raise RotationFailed(text) from None
    log.line("rotation.step", **told, **outcome, seconds=round(deadline.now() - began, 3))


def run(event: Mapping[str, Any], environment: Environment, kept: Warm, deadline: Deadline) -> Outcome:
    """One step. `event` has Step, SecretId, ClientRequestToken and sometimes RotationToken."""
    step, secret_id, token = (_required(event, name) for name in ("Step", "SecretId", "ClientRequestToken"))
    if step not in STEPS:
        raise Refused(f"{step} is no step of a rotation: createSecret, setSecret, testSecret, finishSecret")
    rotation_token: Any = event.get("RotationToken")
    http = OpenAIHTTP(environment.base_url, deadline)
    rotation = Rotation(
        environment,
        secret_id,
        token,
        rotation_token=rotation_token if isinstance(rotation_token, str) and rotation_token else None,
        store=SecretStore(kept.client, secret_id),
        api=AdminAPI(http, kept.admin_key, deadline),
        deadline=deadline,
        memory=kept.memory,
    )
    outcome = STEPS[step](rotation)
    return {"tenant": rotation.tenant_slug, **outcome, "openai_calls": http.calls}


def _required(event: Mapping[str, Any], name: str) -> str:
    value: Any = event.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"the event has no {name}: this function is called by Secrets Manager's rotation, not by hand")
    return value
