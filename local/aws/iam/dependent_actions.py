"""Further actions that a request needs: passing a role, tagging a session.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from local.aws.iam.request import ServiceRequest

Implied = tuple[str, str, dict[str, Any]]
"""Action, resource, further condition keys."""

_PASSED_BY: Final = {
    "lambda:CreateFunction": ("Role",),
    "lambda:UpdateFunctionConfiguration": ("Role",),
    "events:PutRule": ("RoleArn",),
    "events:PutTargets": ("Targets", "RoleArn"),
    "scheduler:CreateSchedule": ("Target", "RoleArn"),
    "scheduler:UpdateSchedule": ("Target", "RoleArn"),
    "states:CreateStateMachine": ("roleArn",),
    "states:UpdateStateMachine": ("roleArn",),
}
"""By action, where its parameters name a role."""


def actions(request: ServiceRequest, action: str, resource: str) -> Iterator[Implied]:
    for role in _named(request.parameters, _PASSED_BY.get(action, ())):
        service = action.partition(":")[0]
        yield (
            "iam:PassRole",
            role,
            {"iam:PassedToService": f"{service}.amazonaws.com", "iam:AssociatedResourceArn": resource},
        )
    if action == "sts:AssumeRole":
        parameters = request.parameters
        keys = _session_keys(parameters)
        if keys:
            yield "sts:TagSession", resource, keys
        if parameters.get("SourceIdentity"):
            yield "sts:SetSourceIdentity", resource, {"sts:SourceIdentity": parameters["SourceIdentity"], **keys}


def _named(parameters: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The texts at `path`, through lists."""
    if isinstance(parameters, list):
        for item in parameters:
            yield from _named(item, path)
    elif isinstance(parameters, dict) and path:
        yield from _named(parameters.get(path[0]), path[1:])
    elif isinstance(parameters, str) and parameters and not path:
        yield parameters


def _session_keys(parameters: dict[str, Any]) -> dict[str, Any]:
    """What sts:TagSession sees: the tags asked for, and what the whole request says."""
    keys: dict[str, Any] = {}
    names: list[str] = []
    number = 1
    while f"Tags.member.{number}.Key" in parameters:
        name = parameters[f"Tags.member.{number}.Key"]
        keys[f"aws:RequestTag/{name}"] = parameters.get(f"Tags.member.{number}.Value", "")
        names.append(name)
        number += 1
    if names:
        keys["aws:TagKeys"] = names
        transitive = [v for k, v in sorted(parameters.items()) if k.startswith("TransitiveTagKeys.member.")]
        for key, value in (("sts:TransitiveTagKeys", transitive), ("sts:ExternalId", parameters.get("ExternalId"))):
            if value:
                keys[key] = value
        keys["sts:RoleSessionName"] = parameters.get("RoleSessionName")
    return keys
