"""CreateSecret, PutSecretValue, UpdateSecret, GetSecretValue.

Owns how values are stored and read as versions. Leaves out the rules of labels (`labels`), KMS (`encryption`) and
rotation.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from ministack.services import secretsmanager as ministack

from local.aws.secrets import encryption, events, labels, plan, rotation_driver, settings
from local.aws.secrets.labels import CURRENT, PENDING, PREVIOUS, Version
from local.aws.secrets.refusals import (
    Refusal,
    invalid_parameter,
    invalid_request,
    label_not_found,
    version_is_immutable,
    version_not_found,
)
from local.aws.secrets.store import LOCK, Record, find_live, find_writable, new_arn, now, touch

Request = dict[str, Any]
Answer = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_DAY = 24 * 3600


def create_secret(request: Request) -> Answer:
    name: str = request["Name"]
    if not _NAME.fullmatch(name):
        raise Refusal(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )
    given = _value(request)
    token: str = request.get("ClientRequestToken") or str(uuid.uuid4())
    existing: Record | None = ministack._secrets.get(name)
    if existing is not None:
        return _created_before(existing, given, token)
    arn, key_id = new_arn(name), request.get("KmsKeyId")
    encryption.validate(key_id, arn)
    versions: dict[str, Version] = {}
    if given:
        versions[token] = _version(given, encryption.encrypt(key_id, arn, token)) | {"Stages": [CURRENT]}
    moment = now()
    secret: Record = {
        "ARN": arn,
        "Name": name,
        "Description": request.get("Description", ""),
        "Tags": list(request.get("Tags", [])),
        "CreatedDate": moment,
        "LastChangedDate": moment,
        "LastAccessedDate": None,
        "DeletedDate": None,
        "KmsKeyId": None if encryption.is_managed(key_id) else key_id,
        "ReplicationStatus": [],
        "Versions": versions,
    }
    ministack._secrets[name] = secret
    if request.get("AddReplicaRegions"):
        _replicate(secret, request)
    return _named(secret) | ({"VersionId": token} if given else {}) | _replicas(secret)


def _created_before(existing: Record, given: Request, token: str) -> Answer:
    """A repeated request with the same token and value gets the same response as the first."""
    if existing.get("DeletedDate"):
        raise invalid_request(
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
    version = existing["Versions"].get(token)
    if given and version is not None and _same(version, given):
        return _named(existing) | {"VersionId": token} | _replicas(existing)
    raise Refusal(
        "ResourceExistsException", f"The operation failed because the secret {existing['Name']} already exists."
    )


def _replicate(secret: Record, request: Request) -> None:
    status, _, body = ministack._replicate_secret_to_regions({**request, "SecretId": secret["Name"]})
    if status != 200:
        del ministack._secrets[secret["Name"]]
        error = json.loads(body)
        raise Refusal(error["__type"], error["message"])


def put_secret_value(request: Request) -> Answer:
    with LOCK:
        secret = find_writable(request["SecretId"])
        given = _value(request)
        if not given:
            raise invalid_parameter("You must provide either SecretString or SecretBinary.")
        _check_rotation_token(secret, request.get("RotationToken"))
        token: str = request.get("ClientRequestToken") or str(uuid.uuid4())
        version = secret["Versions"].get(token)
        if version is not None and labels.has_value(version):
            encryption.decrypt(version.get("KeyArn"), secret["ARN"], token)
            if not _same(version, given):
                raise version_is_immutable(token)
            return _named(secret) | {"VersionId": token, "VersionStages": list(version["Stages"])}
        wanted = list(dict.fromkeys(request.get("VersionStages") or [CURRENT]))
        if labels.is_empty(secret) and settings.first_version_current() and CURRENT not in wanted:
            wanted.append(CURRENT)
        _store(secret, token, given, wanted)
        return _named(secret) | {"VersionId": token, "VersionStages": list(secret["Versions"][token]["Stages"])}


def update_secret(request: Request) -> Answer:
    with LOCK:
        secret = find_writable(request["SecretId"])
        given = _value(request)
        token: str = request.get("ClientRequestToken") or str(uuid.uuid4())
        if given and token in secret["Versions"]:
            raise version_is_immutable(token)
        if "KmsKeyId" in request:
            _change_key(secret, request["KmsKeyId"])
        if "Description" in request:
            secret["Description"] = request["Description"]
        if not given:
            touch(secret)
            return _named(secret)
        _store(secret, token, given, [CURRENT])
        return _named(secret) | {"VersionId": token}


def get_secret_value(request: Request) -> Answer:
    secret = find_live(request["SecretId"])
    version_id: str | None = request.get("VersionId")
    label: str | None = request.get("VersionStage")
    if version_id is not None:
        missing = version_not_found(version_id)
    else:
        label = label or CURRENT
        missing = label_not_found(label)
        version_id = labels.holder(secret, label)
    version: Version | None = secret["Versions"].get(version_id)
    if version_id is None or version is None:
        raise missing
    if label is not None and label not in version["Stages"]:
        raise invalid_request("You provided a VersionStage that is not associated to the provided VersionId.")
    if not labels.has_value(version):
        raise missing
    key = secret.get("KmsKeyId") if ministack._is_replica(secret) else version.get("KeyArn")
    encryption.decrypt(key, secret["ARN"], version_id)
    # AWS stores the day of the last access, not its time.
    secret["LastAccessedDate"] = now() // _DAY * _DAY
    value = {name: version[name] for name in ("SecretString", "SecretBinary") if version.get(name) is not None}
    return (
        _named(secret)
        | {"VersionId": version_id, "VersionStages": list(version["Stages"]), "CreatedDate": version["CreatedDate"]}
        | value
    )


def _value(request: Request) -> Request:
    given = {name: request[name] for name in ("SecretString", "SecretBinary") if request.get(name) is not None}
    if len(given) == 2:
        raise invalid_parameter(
            "You can't specify both a binary secret value and a string secret value in the same secret."
        )
    return given


def _same(version: Version, given: Request) -> bool:
    return all(version.get(name) == given.get(name) for name in ("SecretString", "SecretBinary"))


def _version(given: Request, key_arn: str | None) -> Version:
    return {
        "SecretString": given.get("SecretString"),
        "SecretBinary": given.get("SecretBinary"),
        "CreatedDate": now(),
        "KeyArn": key_arn,
    }


def _store(secret: Record, token: str, given: Request, wanted: list[str]) -> None:
    """Adds the version, or fills a rotation's placeholder, and moves the labels."""
    key_arn = encryption.encrypt(secret.get("KmsKeyId"), secret["ARN"], token)
    current, pending = labels.holder(secret, CURRENT), labels.holder(secret, PENDING)
    held = secret["Versions"].get(token, {"Stages": []})
    secret["Versions"][token] = _version(given, key_arn) | {"Stages": held["Stages"]}
    labels.attach_all(secret, wanted, token)
    if CURRENT in wanted and pending not in {None, token}:
        _abandon(secret, str(pending), was_under_way=pending != current)
    if CURRENT in wanted and pending != token:
        plan.changed_by_hand(secret, now())
    labels.prune(secret, now())
    touch(secret)
    for label in wanted:
        if label not in {PENDING, PREVIOUS}:
            ministack._emit_secret_label_updated(secret, label, token)


def _abandon(secret: Record, pending: str, *, was_under_way: bool) -> None:
    """A value stored by hand ends the rotation in progress, so that AWSPENDING does not block later rotations.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieve-ct-entries.html (RotationAbandoned)
    """
    labels.detach(secret, PENDING)
    if was_under_way:
        rotation_driver.stop(secret)
        events.publish(secret, events.ROTATION_ABANDONED, pending)


def _check_rotation_token(secret: Record, given: str | None) -> None:
    if given is not None and given != secret.get("_RotationToken"):
        raise invalid_parameter("The RotationToken is not that of this secret's latest rotation.")


def _change_key(secret: Record, key_id: str) -> None:
    encryption.validate(key_id, secret["ARN"])
    secret["KmsKeyId"] = None if encryption.is_managed(key_id) else key_id
    for version_id, version in secret["Versions"].items():
        if labels.has_value(version) and {CURRENT, PENDING, PREVIOUS} & set(version["Stages"]):
            old = version.get("KeyArn")
            version["KeyArn"] = encryption.reencrypt(key_id, secret["ARN"], version_id, old)


def _named(secret: Record) -> Answer:
    return {"ARN": secret["ARN"], "Name": secret["Name"]}


def _replicas(secret: Record) -> Answer:
    return {"ReplicationStatus": secret["ReplicationStatus"]} if secret["ReplicationStatus"] else {}
