"""What the live version of a tenant's secret holds, without its value, for `ops/actions/adopt.py`."""

from __future__ import annotations

from typing import Any

from functions.rotation.proof import CALL_SECONDS, judge
from functions.rotation.version import read_payload
from functions.shared.openai_admin import ProjectKeys
from functions.shared.openai_http import OpenAIError, path
from functions.shared.openai_projects import is_archived
from functions.shared.rotation_guard import Refused, RotationError
from functions.shared.secrets_manager import SecretStore
from functions.sweep.locate_tenant import named_secret
from functions.sweep.services import Services
from myflux_keys.payload import MANAGED, Payload
from myflux_keys.redaction import redact
from myflux_keys.version_labels import CURRENT


def inspect(tenant_slug: str, services: Services) -> dict[str, Any]:
    """`problem`: why the value is not a payload of this tenant; then it is the only field. `proof`: what OpenAI answers
    to the key. `project`, `service_account` (names) and `listed` are missing for a customer's key.

    Raises Refused, OpenAIError, or botocore's errors.
    """
    secret = named_secret(tenant_slug, services)
    version = secret.state.version_with(CURRENT)
    stored = SecretStore(services.secrets, secret.arn).value(version) if version else None
    if version is None or stored is None:
        raise Refused(f"{secret.state.name} has no {CURRENT} version, so there is nothing to inspect")
    try:
        payload = read_payload(stored, tenant_slug, version)
    except RotationError as error:
        return {"tenant": tenant_slug, "version_id": version, "problem": str(error)}
    return {
        "tenant": tenant_slug,
        "version_id": version,
        "problem": None,
        "source": payload.source,
        # Whoever wrote the value may have put the key into any field of it.
        **{name: redact(getattr(payload, name)) for name in ("key_id", "project_id", "service_account_id")},
        "expires_at": redact(payload.expires_at),
        "proof": _proof(payload, services),
        **(_at_openai(payload, services) if payload.source == MANAGED else {}),
    }


def _proof(payload: Payload, services: Services) -> str:
    error: OpenAIError | None = None
    try:
        target = path("/models/{model}", model=payload.models[0])
        services.api.http.send("GET", target, payload.api_key, seconds=CALL_SECONDS)
    except OpenAIError as caught:
        error = caught
    return judge(error).value


def _at_openai(payload: Payload, services: Services) -> dict[str, Any]:
    project = path("/organization/projects/{project}", project=payload.project_id)
    account = project + path("/service_accounts/{account}", account=payload.service_account_id)
    found = _found(project, services)
    alive = found is not None and not is_archived(found)
    return {
        "project": found.get("name") if found and alive else None,
        "service_account": (_found(account, services) or {}).get("name") if alive else None,
        "listed": alive
        and any(
            key.id == payload.key_id and key.service_account_id == payload.service_account_id
            for key in ProjectKeys(services.api, payload.project_id).all()
        ),
    }


def _found(target: str, services: Services) -> dict[str, Any] | None:
    try:
        return services.api.send("GET", target)
    except OpenAIError as error:
        if error.status == 404:
            return None
        raise
