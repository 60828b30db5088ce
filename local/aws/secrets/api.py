"""The operations of Secrets Manager and the functions that answer them; MiniStack answers all others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response

from local.aws.secrets import (
    constraints,
    deletion,
    description,
    replicas,
    resource_policy,
    rotate_calls,
    staging,
    tagging,
    values,
)
from local.aws.secrets.refusals import Refusal

Operation = Callable[[dict[str, Any]], dict[str, Any]]
Response = tuple[int, dict[str, str], bytes]

OPERATIONS: dict[str, Operation] = {
    "CancelRotateSecret": rotate_calls.cancel_rotate_secret,
    "CreateSecret": values.create_secret,
    "DeleteResourcePolicy": resource_policy.delete_resource_policy,
    "DeleteSecret": deletion.delete_secret,
    "DescribeSecret": description.describe_secret,
    "GetResourcePolicy": resource_policy.get_resource_policy,
    "GetSecretValue": values.get_secret_value,
    "ListSecretVersionIds": staging.list_secret_version_ids,
    "ListSecrets": description.list_secrets,
    "PutResourcePolicy": resource_policy.put_resource_policy,
    "PutSecretValue": values.put_secret_value,
    "RemoveRegionsFromReplication": replicas.remove_regions_from_replication,
    "RestoreSecret": deletion.restore_secret,
    "RotateSecret": rotate_calls.rotate_secret,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
    "UpdateSecret": values.update_secret,
    "UpdateSecretVersionStage": staging.update_secret_version_stage,
    "ValidateResourcePolicy": resource_policy.validate_resource_policy,
}


def answer(name: str, request: dict[str, Any]) -> Response:
    """Runs one operation of the table."""
    try:
        constraints.check(name, request)
        return json_response(OPERATIONS[name](request))
    except Refusal as refusal:
        return error_response_json(refusal.code, refusal.message, 400)


def handler(original: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack's `handle_request` with the table in front of it."""

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Response:
        name = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            request = json.loads(body) if body else {}
            if name in OPERATIONS:
                return answer(name, request)
            if name in constraints.operations():
                constraints.check(name, request)
        except ValueError:
            return error_response_json("SerializationException", "The request is not JSON.", 400)
        except Refusal as refusal:
            return error_response_json(refusal.code, refusal.message, 400)
        return await original(method, path, headers, body, query_params)

    return handle_request
