"""Pending operations that a killed engine left in a stack's state: finds out what was created, and repairs the state.

Owns the decision for each pending operation, which is pure, and the look-up in AWS. The engine itself resolves pending
updates and deletions at the next refresh, but keeps a pending creation as a warning until a person decides. Here a
created resource is searched by the name that the program gave it: if it exists, it is added to the state, and the next
refresh reads it. A resource that cannot be found by name is reported, never dropped.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from ops import aws_clients
from ops.errors import code_of

NAMED: Final[Mapping[str, str]] = {
    "aws:cloudwatch/logGroup:LogGroup": "name",
    "aws:iam/role:Role": "name",
    "aws:kms/alias:Alias": "name",
    "aws:lambda/function:Function": "name",
    "aws:lambda/functionUrl:FunctionUrl": "functionName",
    "aws:s3/bucket:Bucket": "bucket",
}
"""Types whose id is an input."""

_POLICY: Final = "aws:iam/policy:Policy"
_ISSUER: Final = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
_FEDERATION: Final = "aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation"
_LOOKED_UP: Final = ("aws:secretsmanager/secret:Secret", _FEDERATION, _ISSUER, _POLICY)

AGAIN: Final = frozenset(
    {
        "aws:cloudwatch/dashboard:Dashboard",
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "aws:lambda/invocation:Invocation",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        "aws:secretsmanager/secretRotation:SecretRotation",
        "aws:sns/topic:Topic",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
        "aws:sqs/queue:Queue",
        "aws:sqs/queuePolicy:QueuePolicy",
    }
)
"""Types that can be created again without harm, so there is nothing to search: creation writes under a fixed name. The
provisioner checks before it creates, and a second rotation leaves the current key and one in its overlap."""

_CREATING: Final = "creating"


@dataclass(frozen=True)
class Mended:
    """`deployment` is None where the state needs no change. `unknown` are resources that a person must search for."""

    deployment: dict[str, Any] | None
    found: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


Find = Callable[[str, Mapping[str, Any]], str | None]
"""Returns the id that a resource of this type and inputs has in AWS; None where there is no such resource."""


def mend(deployment: Mapping[str, Any], find: Find) -> Mended:
    """Pure except for `find`. A created resource that was found is added with its id and its inputs only."""
    found: list[dict[str, Any]] = []
    again: list[str] = []
    unknown: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    in_state = {resource["urn"] for resource in deployment.get("resources", [])}
    operations: list[dict[str, Any]] = deployment.get("pending_operations") or []
    for operation in operations:
        resource: dict[str, Any] = operation["resource"]
        kind, urn = str(resource["type"]), str(resource["urn"])
        if operation["type"] != _CREATING:
            others.append(operation)
        elif urn in in_state or kind in AGAIN or not resource.get("custom") or kind.startswith("pulumi:"):
            again.append(urn)
        elif kind in NAMED or kind in _LOOKED_UP:
            id_ = find(kind, resource.get("inputs", {}))
            if id_ is None:
                again.append(urn)
            else:
                found.append({**resource, "id": id_})
        else:
            unknown.append(operation)
    if not found and not again:
        return Mended(None, unknown=tuple(operation["resource"]["urn"] for operation in unknown))
    mended = copy.deepcopy(dict(deployment))
    mended["resources"] = [*mended.get("resources", []), *found]
    mended["pending_operations"] = [*others, *unknown]
    return Mended(
        mended,
        found=tuple(resource["urn"] for resource in found),
        again=tuple(again),
        unknown=tuple(operation["resource"]["urn"] for operation in unknown),
    )


def in_aws(kind: str, inputs: Mapping[str, Any]) -> str | None:
    """Calls AWS where the id is not the name. Where the id is the name, the refresh finds out whether it exists."""
    if kind in NAMED:
        return str(inputs[NAMED[kind]])
    if kind in (_FEDERATION, _ISSUER, _POLICY):
        account = aws_clients.client("sts").get_caller_identity()["Arn"].split(":")
        if kind == _FEDERATION:
            # Of an account that has none, the refresh finds that out.
            return account[4]
        policy = f"policy{inputs.get('path', '/')}{inputs.get('name')}"
        issuer = f"oidc-provider/{str(inputs.get('url')).removeprefix('https://')}"
        return f"arn:{account[1]}:iam::{account[4]}:{policy if kind == _POLICY else issuer}"
    client = aws_clients.client("secretsmanager", region_name=inputs.get("region"))
    try:
        secret = client.describe_secret(SecretId=str(inputs["name"]))
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return None
        raise
    # A secret scheduled for deletion cannot be created again until it is deleted or restored: the engine reports that.
    return None if secret.get("DeletedDate") else secret.get("ARN")


def not_found(stack: str, unknown: tuple[str, ...]) -> str:
    """What a person must do about `Mended.unknown`."""
    names = ", ".join(name(urn) for urn in unknown)
    return (
        f"an engine was killed while it made {names}, which cannot be found by name: check whether it exists in AWS, "
        f"run `pulumi refresh --stack {stack}`, answer its question, and run the same command again. Nothing was "
        "changed."
    )


def name(urn: str) -> str:
    """Of the resource, as the program names it."""
    return urn.rpartition("::")[2]
