"""Secrets Manager secrets and their resource policies. No input, output or call contains a secret's value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from local.provider.aws import Aws
from local.provider.model import AutoName, Change, Created, ListOf, ObjectOf, Property, Resource, Scalar, State
from local.provider.rules import between, matches
from local.provider.services.tags import mapped, pairs


def _replicas(replicas: Sequence[State] | None) -> list[dict[str, str]]:
    return [
        {"Region": each["region"]} | ({"KmsKeyId": each["kmsKeyId"]} if each.get("kmsKeyId") else {})
        for each in replicas or ()
    ]


def _create(aws: Aws, inputs: State) -> Created:
    request: dict[str, Any] = {
        "Name": inputs["name"],
        "Description": inputs.get("description", ""),
        "ForceOverwriteReplicaSecret": inputs["forceOverwriteReplicaSecret"],
        "Tags": pairs(inputs.get("tags")),
    }
    request |= {"KmsKeyId": inputs["kmsKeyId"]} if inputs.get("kmsKeyId") else {}
    request |= {"AddReplicaRegions": _replicas(inputs["replicas"])} if inputs.get("replicas") else {}
    return Created(aws.client("secretsmanager").create_secret(**request)["ARN"])


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    secret = aws.client("secretsmanager").describe_secret(SecretId=id)
    if secret.get("DeletedDate"):
        return None
    return {
        "id": secret["ARN"],
        "arn": secret["ARN"],
        "name": secret["Name"],
        "description": secret.get("Description", ""),
        "kmsKeyId": secret.get("KmsKeyId", ""),
        "replicas": [_replica(status) for status in secret.get("ReplicationStatus") or []],
        "tags": mapped(secret.get("Tags")),
    }


def _replica(status: Mapping[str, Any]) -> State:
    seen = {
        "region": status["Region"],
        "kmsKeyId": status.get("KmsKeyId"),
        "status": status.get("Status"),
        "statusMessage": status.get("StatusMessage"),
    }
    return {name: value for name, value in seen.items() if value}


def _update(aws: Aws, change: Change) -> State:
    client, new = aws.client("secretsmanager"), change.new
    if "replicas" in change.changed:
        _move_replicas(aws, change)
    asked: State = {}
    if "description" in change.changed:
        asked["Description"] = new.get("description", "")
    if "kmsKeyId" in change.changed:
        # With an empty key id, the account's aws/secretsmanager key encrypts the secret again.
        asked["KmsKeyId"] = new.get("kmsKeyId", "")
    if asked:
        client.update_secret(SecretId=change.id, **asked)
    return {}


def _move_replicas(aws: Aws, change: Change) -> None:
    client = aws.client("secretsmanager")
    before, after = _by_region(change.old.get("replicas")), _by_region(change.new.get("replicas"))
    moved = [region for region in before if region in after and not _same_replica(before[region], after[region])]
    gone = sorted(before.keys() - after.keys()) + moved
    added = [after[region] for region in after if region not in before or region in moved]
    if gone:
        client.remove_regions_from_replication(SecretId=change.id, RemoveReplicaRegions=gone)
    if added:
        client.replicate_secret_to_regions(
            SecretId=change.id,
            AddReplicaRegions=_replicas(added),
            ForceOverwriteReplicaSecret=change.new["forceOverwriteReplicaSecret"],
        )


def _by_region(replicas: Any) -> dict[str, State]:
    return {each["region"]: each for each in replicas or ()}


def _same_replica(old: State, new: State) -> bool:
    """AWS sets its own key if none is given. A replica's status is not an input."""
    return not new.get("kmsKeyId") or old.get("kmsKeyId") == new["kmsKeyId"]


def _same_replicas(old: Any, new: Any) -> bool:
    before, after = _by_region(old), _by_region(new)
    return before.keys() == after.keys() and all(_same_replica(before[region], after[region]) for region in after)


def _delete(aws: Aws, id: str, state: State) -> None:
    client = aws.client("secretsmanager")
    regions = sorted(_by_region(state.get("replicas")))
    if regions:
        client.remove_regions_from_replication(SecretId=id, RemoveReplicaRegions=regions)
    days = state["recoveryWindowInDays"]
    client.delete_secret(
        SecretId=id, **({"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True})
    )


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    client = aws.client("secretsmanager")
    if remove:
        client.untag_resource(SecretId=id, TagKeys=list(remove))
    if add:
        client.tag_resource(SecretId=id, Tags=pairs(add))


def _put_policy(aws: Aws, arn: str, inputs: State) -> None:
    block = inputs.get("blockPublicPolicy")
    aws.client("secretsmanager").put_resource_policy(
        SecretId=arn,
        ResourcePolicy=inputs["policy"],
        **({} if block is None else {"BlockPublicPolicy": block}),
    )


def _create_policy(aws: Aws, inputs: State) -> Created:
    _put_policy(aws, inputs["secretArn"], inputs)
    return Created(inputs["secretArn"])


def _read_policy(aws: Aws, id: str, _prior: State) -> State | None:
    client = aws.client("secretsmanager")
    try:
        held = client.get_resource_policy(SecretId=id)
    except client.exceptions.InvalidRequestException as error:
        # Of a secret marked for deletion nothing can be read: the official plugin takes its policy for gone.
        if "marked for deletion" in str(error):
            return None
        raise
    if not held.get("ResourcePolicy") or json.loads(held["ResourcePolicy"]) == {}:
        return None
    return {"secretArn": held["ARN"], "policy": held["ResourcePolicy"]}


def _update_policy(aws: Aws, change: Change) -> State:
    _put_policy(aws, change.id, change.new)
    return {}


def _delete_policy(aws: Aws, id: str, _state: State) -> None:
    aws.client("secretsmanager").delete_resource_policy(SecretId=id)


_REPLICA = ObjectOf(
    "aws:secretsmanager/SecretReplica:SecretReplica",
    {"region": Property(Scalar.STRING, required=True), "kmsKeyId": Property(Scalar.STRING, computed=True)},
)

RESOURCES = (
    Resource(
        type="aws:secretsmanager/secret:Secret",
        inputs={
            "name": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(r"[a-zA-Z0-9/_+=.@-]{1,512}", "a secret's name: up to 512 of a-z A-Z 0-9 / _ + = . @ -"),
            ),
            "description": Property(Scalar.STRING),
            "kmsKeyId": Property(Scalar.STRING),
            "recoveryWindowInDays": Property(Scalar.INTEGER, default=30, read_back=False, rule=between(7, 30, 0)),
            "forceOverwriteReplicaSecret": Property(Scalar.BOOLEAN, default=False, read_back=False),
            "replicas": Property(ListOf(_REPLICA, unordered=True), computed=True, same=_same_replicas),
        },
        outputs={"arn": Scalar.STRING},
        fixed={"namePrefix": ""},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(longest=512),
    ),
    Resource(
        type="aws:secretsmanager/secretPolicy:SecretPolicy",
        inputs={
            "secretArn": Property(Scalar.STRING, required=True, replaces=True),
            "policy": Property(Scalar.POLICY, required=True),
            "blockPublicPolicy": Property(Scalar.BOOLEAN, read_back=False),
        },
        outputs={},
        create=_create_policy,
        read=_read_policy,
        update=_update_policy,
        delete=_delete_policy,
    ),
)
