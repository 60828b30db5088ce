"""Further actions that a request needs, because of what it holds: tags, a role to pass, Regions to replicate to.

Owns which actions, on which resource, with which condition keys. Leaves out RotateSecret's right to invoke the function
and the use of a secret's KMS key (`local.aws.secrets`).
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
names them in the column "Dependent actions"; CreateKey's kms:PutKeyPolicy is not asked for, since
https://docs.aws.amazon.com/kms/latest/developerguide/iam-policies.html says that kms:CreateKey includes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ministack.core.responses import get_account_id, get_region
from ministack.services import iam as iam_service

from local.aws.iam import bucket_headers
from local.aws.iam.key_values import Values
from local.aws.iam.request import ServiceRequest
from local.aws.iam.request_keys import resource_tag_keys
from local.aws.iam.tags_on_create import tagging_actions


class Implied(NamedTuple):
    actions: tuple[str, ...]
    """Any one of them is enough."""
    resource: str
    keys: dict[str, Any]
    """Condition keys that only this action has."""


_PASSED_BY: Final = {
    "lambda:CreateFunction": ("Role",),
    "lambda:UpdateFunctionConfiguration": ("Role",),
    "events:PutRule": ("RoleArn",),
    "events:PutTargets": ("Targets", "RoleArn"),
    "logs:PutDestination": ("roleArn",),
    "logs:PutSubscriptionFilter": ("roleArn",),
    "scheduler:CreateSchedule": ("Target", "RoleArn"),
    "scheduler:UpdateSchedule": ("Target", "RoleArn"),
    "states:CreateStateMachine": ("roleArn",),
    "states:UpdateStateMachine": ("roleArn",),
}
"""By action, where its parameters name a role."""

_ATTRIBUTES_PASS: Final = frozenset({"sns:CreateTopic", "sns:SetTopicAttributes", "sns:Subscribe"})
"""SNS takes roles as attributes, for delivery logs and for Firehose."""

_MULTI_REGION_ROLE: Final = (
    "role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys"
)


def actions(request: ServiceRequest, action: str, resource: str, tags: Values) -> Iterator[Implied]:
    """`tags` are the request's condition keys on tags: ``aws:requesttag/…`` and ``aws:tagkeys``."""
    service = action.partition(":")[0]
    for role in _roles(request, action):
        keys = {"iam:PassedToService": f"{service}.amazonaws.com", "iam:AssociatedResourceArn": resource}
        yield Implied(("iam:PassRole",), role, keys)
    yield from _tagged(request, action, resource, tags)
    if service == "s3":
        for needed in bucket_headers.actions(request, action):
            yield Implied((needed,), resource, {})
    elif action == "secretsmanager:CreateSecret" and request.parameters.get("AddReplicaRegions"):
        # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
        yield Implied(("secretsmanager:ReplicateSecretToRegions",), resource, {})
    elif action == "lambda:GetFunction" and resource_tag_keys("lambda", resource):
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
        yield Implied(("lambda:ListTags",), resource, {})
    elif action == "kms:ReplicateKey" or (action == "kms:CreateKey" and request.parameters.get("MultiRegion")):
        yield from _multi_region()
    elif action == "sts:AssumeRole":
        yield from _session(request.parameters, resource)
    elif action == "sts:GetWebIdentityToken" and (keys := _session_keys(request.parameters)):
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_web_identity_token_tags.html
        yield Implied(("sts:TagGetWebIdentityToken",), "*", keys)


def _tagged(request: ServiceRequest, action: str, resource: str, tags: Values) -> Iterator[Implied]:
    needed = tagging_actions(action)
    if action == "s3:CreateBucket":
        held = bucket_headers.bucket_tags(request)
        tags = {f"aws:requesttag/{name}": value for name, value in held.items()} | {"aws:tagkeys": tuple(held)}
    if not needed or not tags.get("aws:tagkeys"):
        return
    if action in ("kms:CreateKey", "lambda:CreateEventSourceMapping"):
        # What they create has no ARN yet: a statement must allow tags on any key, or mapping.
        kind = "key" if action == "kms:CreateKey" else "event-source-mapping"
        separator = "/" if kind == "key" else ":"
        resource = f"arn:aws:{needed[0].partition(':')[0]}:{get_region()}:{get_account_id()}:{kind}{separator}new"
    # CloudWatch Logs names a log group without `:*` for tags.
    yield Implied(needed, resource.removesuffix(":*"), dict(tags))


def _multi_region() -> Iterator[Implied]:
    """https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-auth.html"""
    if _MULTI_REGION_ROLE.rpartition("/")[2] not in iam_service._roles:
        arn = f"arn:aws:iam::{get_account_id()}:{_MULTI_REGION_ROLE}"
        yield Implied(("iam:CreateServiceLinkedRole",), arn, {"iam:AWSServiceName": "mrk.kms.amazonaws.com"})


def _roles(request: ServiceRequest, action: str) -> Iterator[str]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"""
    yield from _named(request.parameters, _PASSED_BY.get(action, ()))
    if action in _ATTRIBUTES_PASS:
        given = [v for name, v in request.parameters.items() if name.endswith((".value", "AttributeValue"))]
        yield from (value for value in given if value.startswith("arn:") and ":iam::" in value and ":role/" in value)


def _named(parameters: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The texts at `path`, through lists."""
    if isinstance(parameters, list):
        for item in parameters:
            yield from _named(item, path)
    elif isinstance(parameters, dict) and path:
        yield from _named(parameters.get(path[0]), path[1:])
    elif isinstance(parameters, str) and parameters and not path:
        yield parameters


def _session(parameters: dict[str, Any], role: str) -> Iterator[Implied]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html"""
    keys = _session_keys(parameters)
    if keys:
        yield Implied(("sts:TagSession",), role, keys)
    if parameters.get("SourceIdentity"):
        yield Implied(("sts:SetSourceIdentity",), role, {"sts:SourceIdentity": parameters["SourceIdentity"], **keys})


def _session_keys(parameters: dict[str, Any]) -> dict[str, Any]:
    """What an action on tags of STS sees: the tags asked for, and what the whole request says; empty without tags."""
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
