"""KMS keys and aliases.

A key that is scheduled for deletion counts as deleted. An alias may name its key by id or by ARN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.provider.aws import Aws
from local.provider.model import AutoName, Change, Created, Property, Resource, Scalar, State
from local.provider.rules import between, matches, one_of
from local.provider.services.tags import mapped, pairs

_SYMMETRIC, _HMAC = "SYMMETRIC_DEFAULT", "HMAC_256"
_ENCRYPTS, _SIGNS = "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC"
"""Specs and usages of the keys that the stand-in carries."""


def _create_key(aws: Aws, inputs: State) -> Created:
    request: dict[str, Any] = {"Tags": pairs(inputs.get("tags"), "TagKey", "TagValue")}
    request |= {"Description": inputs["description"]} if inputs.get("description") else {}
    request |= {"Policy": inputs["policy"]} if inputs.get("policy") else {}
    request |= {"KeySpec": inputs["customerMasterKeySpec"], "KeyUsage": inputs["keyUsage"]}
    request |= {"BypassPolicyLockoutSafetyCheck": True} if inputs["bypassPolicyLockoutSafetyCheck"] else {}
    return Created(aws.client("kms").create_key(**request)["KeyMetadata"]["KeyId"])


def _complete_key(aws: Aws, id: str, inputs: State) -> None:
    if inputs["enableKeyRotation"]:
        _set_rotation(aws, id, inputs)
    if not inputs["isEnabled"]:
        aws.client("kms").disable_key(KeyId=id)


def _set_rotation(aws: Aws, id: str, inputs: State) -> None:
    kms = aws.client("kms")
    if not inputs["enableKeyRotation"]:
        kms.disable_key_rotation(KeyId=id)
        return
    period = inputs.get("rotationPeriodInDays")
    kms.enable_key_rotation(KeyId=id, **({"RotationPeriodInDays": period} if period else {}))


def _read_key(aws: Aws, id: str, _prior: State) -> State | None:
    kms = aws.client("kms")
    try:
        key = kms.describe_key(KeyId=id)["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        return None
    if key["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion"):
        return None
    rotation = kms.get_key_rotation_status(KeyId=id) if key.get("KeySpec", _SYMMETRIC) == _SYMMETRIC else {}
    rotates = rotation.get("KeyRotationEnabled", False)
    return {
        "id": key["KeyId"],
        "arn": key["Arn"],
        "keyId": key["KeyId"],
        "description": key.get("Description", ""),
        "isEnabled": key["Enabled"],
        "keyUsage": key.get("KeyUsage", "ENCRYPT_DECRYPT"),
        "customerMasterKeySpec": key.get("KeySpec", "SYMMETRIC_DEFAULT"),
        "multiRegion": key.get("MultiRegion", False),
        "policy": kms.get_key_policy(KeyId=id, PolicyName="default")["Policy"],
        "enableKeyRotation": rotates,
        "rotationPeriodInDays": rotation.get("RotationPeriodInDays") if rotates else None,
        "tags": mapped(kms.list_resource_tags(KeyId=id).get("Tags"), "TagKey", "TagValue"),
    }


def _update_key(aws: Aws, change: Change) -> State:
    kms, new = aws.client("kms"), change.new
    # A disabled key cannot be changed: it is enabled before all other changes, and disabled after them.
    if "isEnabled" in change.changed and new["isEnabled"]:
        kms.enable_key(KeyId=change.id)
    if change.changed & {"enableKeyRotation", "rotationPeriodInDays"}:
        _set_rotation(aws, change.id, new)
    if "description" in change.changed:
        kms.update_key_description(KeyId=change.id, Description=new.get("description", ""))
    if "policy" in change.changed:
        bypass = {"BypassPolicyLockoutSafetyCheck": True} if new["bypassPolicyLockoutSafetyCheck"] else {}
        kms.put_key_policy(KeyId=change.id, PolicyName="default", Policy=new["policy"], **bypass)
    if "isEnabled" in change.changed and not new["isEnabled"]:
        kms.disable_key(KeyId=change.id)
    return {}


def _delete_key(aws: Aws, id: str, state: State) -> None:
    kms = aws.client("kms")
    days = state.get("deletionWindowInDays")
    try:
        kms.schedule_key_deletion(KeyId=id, **({"PendingWindowInDays": days} if days else {}))
    except kms.exceptions.KMSInvalidStateException as error:
        if "pending deletion" not in str(error):
            raise


def _retag_key(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    kms = aws.client("kms")
    if remove:
        kms.untag_resource(KeyId=id, TagKeys=list(remove))
    if add:
        kms.tag_resource(KeyId=id, Tags=pairs(add, "TagKey", "TagValue"))


def _key_conflicts(inputs: State) -> list[tuple[str, str]]:
    if inputs.get("rotationPeriodInDays") and inputs["enableKeyRotation"] is False:
        return [("rotationPeriodInDays", "needs enableKeyRotation to be true")]
    usage, spec = inputs.get("keyUsage"), inputs.get("customerMasterKeySpec")
    if isinstance(usage, str) and isinstance(spec, str) and (usage == _SIGNS) != (spec == _HMAC):
        return [("keyUsage", f"{usage} is not a usage of {spec}")]
    if spec == _HMAC and inputs["enableKeyRotation"] is True:
        return [("enableKeyRotation", "KMS does not rotate an HMAC key by itself")]
    return []


def _same_key(old: Any, new: Any) -> bool:
    """Whether both name the same key, each by its id or its ARN."""
    return str(old).rsplit("/", 1)[-1] == str(new).rsplit("/", 1)[-1]


def _create_alias(aws: Aws, inputs: State) -> Created:
    aws.client("kms").create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
    return Created(inputs["name"])


def _read_alias(aws: Aws, id: str, _prior: State) -> State | None:
    pages = aws.client("kms").get_paginator("list_aliases").paginate()
    alias = next((each for page in pages for each in page["Aliases"] if each["AliasName"] == id), None)
    if alias is None or "TargetKeyId" not in alias:
        return None
    arn, target = alias["AliasArn"], alias["TargetKeyId"]
    key_arn = target if target.startswith("arn:") else f"{arn.rsplit(':', 1)[0]}:key/{target}"
    return {"name": id, "arn": arn, "targetKeyId": target, "targetKeyArn": key_arn}


def _update_alias(aws: Aws, change: Change) -> State:
    aws.client("kms").update_alias(AliasName=change.id, TargetKeyId=change.new["targetKeyId"])
    return {}


def _delete_alias(aws: Aws, id: str, _state: State) -> None:
    aws.client("kms").delete_alias(AliasName=id)


RESOURCES = (
    Resource(
        type="aws:kms/key:Key",
        inputs={
            "description": Property(Scalar.STRING, computed=True),
            "deletionWindowInDays": Property(Scalar.INTEGER, read_back=False, rule=between(7, 30)),
            "enableKeyRotation": Property(Scalar.BOOLEAN, default=False),
            "bypassPolicyLockoutSafetyCheck": Property(Scalar.BOOLEAN, default=False, read_back=False),
            "rotationPeriodInDays": Property(Scalar.INTEGER, computed=True, rule=between(90, 2560)),
            "policy": Property(Scalar.POLICY, computed=True),
            "isEnabled": Property(Scalar.BOOLEAN, default=True),
            "keyUsage": Property(Scalar.STRING, default=_ENCRYPTS, replaces=True, rule=one_of((_ENCRYPTS, _SIGNS))),
            "customerMasterKeySpec": Property(
                Scalar.STRING, default=_SYMMETRIC, replaces=True, rule=one_of((_SYMMETRIC, _HMAC))
            ),
        },
        outputs={
            "arn": Scalar.STRING,
            "keyId": Scalar.STRING,
            "multiRegion": Scalar.BOOLEAN,
        },
        create=_create_key,
        complete=_complete_key,
        read=_read_key,
        update=_update_key,
        delete=_delete_key,
        retag=_retag_key,
        conflicts=_key_conflicts,
    ),
    Resource(
        type="aws:kms/alias:Alias",
        inputs={
            "name": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(
                    r"alias/(?!aws/)[a-zA-Z0-9/_-]{1,250}", "alias/… of a-z A-Z 0-9 / _ -, outside alias/aws/"
                ),
            ),
            "targetKeyId": Property(Scalar.STRING, required=True, same=_same_key),
        },
        outputs={"arn": Scalar.STRING, "targetKeyArn": Scalar.STRING},
        fixed={"namePrefix": ""},
        create=_create_alias,
        read=_read_alias,
        update=_update_alias,
        delete=_delete_alias,
        autoname=AutoName(prefix="alias/"),
        volatile=lambda _inputs, _changed: frozenset({"targetKeyArn"}),
    ),
)
