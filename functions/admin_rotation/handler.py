"""The admin rotation function's entry point: one step of a rotation, or the daily tidying, and one log line.

Owns reading the event, putting the parts together, and turning a failure into an error that is safe to show. Leaves out
the steps. Called by Secrets Manager with ``Step``, ``SecretId`` and ``ClientRequestToken``, and by the platform's daily
rule with ``{"action": "tidy"}``. What a rotation stores is the bare text of the admin key, as a person's is: everything
else about a key OpenAI lists, under the name that the rotation gave it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from functions.admin_rotation.guard import Refused
from functions.admin_rotation.steps import AdminRotation, Outcome
from functions.admin_rotation.tidy import tidy
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
    "createSecret": AdminRotation.create,
    "create_secret": AdminRotation.create,
    "setSecret": AdminRotation.set,
    "set_secret": AdminRotation.set,
    "testSecret": AdminRotation.test,
    "test_secret": AdminRotation.test,
    "finishSecret": AdminRotation.finish,
    "finish_secret": AdminRotation.finish,
}
"""AWS's pages spell the steps both ways."""
TIDY: Final = "tidy"


class AdminRotationFailed(Exception):
    """What Lambda and Secrets Manager see of a failure: its text is redacted and no cause hangs on it."""


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
    """Raises AdminRotationFailed."""
    log.configure()
    deadline = Deadline.of(context)
    began = deadline.now()
    told: dict[str, Any] = {"step": str(event.get("Step") or event.get("action"))}
    if "ClientRequestToken" in event:
        told |= {"version": str(event["ClientRequestToken"])}
    try:
        environment = read_environment(os.environ)
        told |= {"cell": environment.cell}
        outcome = run(event, environment, warm(environment.admin_secret), deadline)
    except Exception as error:  # noqa: BLE001 - every failure must leave through a redacted text
        text = log.failure_text(error)
        seconds = round(deadline.now() - began, 3)
        log.line("admin_rotation.failed", level=logging.ERROR, **told, error=text, seconds=seconds)
        raise AdminRotationFailed(text) from None
    log.line("admin_rotation.step", **told, **outcome, seconds=round(deadline.now() - began, 3))


def run(event: Mapping[str, Any], environment: Environment, kept: Warm, deadline: Deadline) -> Outcome:
    """One step, or the tidying."""
    http = OpenAIHTTP(environment.base_url, deadline)
    if event.get("action") == TIDY and "Step" not in event:
        # Read anew: a key kept in memory may be the very one that is to be found unused.
        current = AdminKey(kept.client, environment.admin_secret)
        outcome = tidy(
            environment, SecretStore(kept.client, environment.admin_secret), AdminAPI(http, current, deadline)
        )
        return {**outcome, "openai_calls": http.calls}
    step, secret_id, token = (_required(event, name) for name in ("Step", "SecretId", "ClientRequestToken"))
    if step not in STEPS:
        raise Refused(f"{step} is no step of a rotation: createSecret, setSecret, testSecret, finishSecret")
    rotation_token: Any = event.get("RotationToken")
    rotation = AdminRotation(
        environment,
        secret_id,
        token,
        rotation_token=rotation_token if isinstance(rotation_token, str) and rotation_token else None,
        store=SecretStore(kept.client, secret_id),
        api=AdminAPI(http, kept.admin_key, deadline),
        deadline=deadline,
    )
    return {**STEPS[step](rotation), "openai_calls": http.calls}


def _required(event: Mapping[str, Any], name: str) -> str:
    value: Any = event.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"the event has no {name}: Secrets Manager calls this function, and a rule with action {TIDY!r}")
    return value
