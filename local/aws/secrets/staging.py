"""UpdateSecretVersionStage and ListSecretVersionIds.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import secretsmanager as ministack

from local.aws.secrets import labels, paging
from local.aws.secrets.labels import CURRENT, PENDING, PREVIOUS
from local.aws.secrets.refusals import invalid_parameter, invalid_request, version_not_found
from local.aws.secrets.store import LOCK, Record, find, find_writable, touch

Request = dict[str, Any]
Answer = dict[str, Any]


def update_secret_version_stage(request: Request) -> Answer:
    with LOCK:
        secret = find_writable(request["SecretId"])
        label: str = request["VersionStage"]
        to, source = request.get("MoveToVersionId"), request.get("RemoveFromVersionId")
        _check(secret, label, to, source)
        if to is None:
            labels.detach(secret, label)
        else:
            labels.attach(secret, label, to)
        touch(secret)
        if to is not None and label not in {PENDING, PREVIOUS}:
            ministack._emit_secret_label_updated(secret, label, to)
        return {"ARN": secret["ARN"], "Name": secret["Name"]}


def _check(secret: Record, label: str, to: str | None, source: str | None) -> None:
    for version_id in (to, source):
        if version_id is not None and version_id not in secret["Versions"]:
            raise version_not_found(version_id)
    held_by = labels.holder(secret, label)
    if to is None and source is None:
        raise invalid_parameter("You must specify MoveToVersionId or RemoveFromVersionId.")
    if source is not None and held_by != source:
        raise invalid_parameter(
            f"The parameter RemoveFromVersionId is wrong: staging label {label} is not currently attached to version "
            f"{source}."
        )
    if label == CURRENT and to is None:
        raise invalid_parameter(
            "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed."
        )
    if to is not None and source is None and held_by not in {None, to}:
        raise invalid_parameter(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to version "
            f"{held_by}, so you must explicitly reference that version in RemoveFromVersionId."
        )
    if to is not None and label == CURRENT and not labels.has_value(secret["Versions"][to]):
        raise invalid_request(f"You can't move staging label AWSCURRENT to version {to}, because it has no value.")


def list_secret_version_ids(request: Request) -> Answer:
    secret = find(request["SecretId"])
    listed = [
        (version_id, version)
        for version_id, version in sorted(secret["Versions"].items(), key=lambda item: item[1]["CreatedDate"])
        if version["Stages"] or request.get("IncludeDeprecated")
    ]
    page, next_token = paging.page(listed, request)
    versions: list[Answer] = []
    for version_id, version in page:
        shown: Answer = {"VersionId": version_id, "CreatedDate": version["CreatedDate"]}
        if version["Stages"]:
            shown["VersionStages"] = list(version["Stages"])
        if labels.has_value(version):
            shown["KmsKeyIds"] = [version.get("KeyArn") or "DefaultEncryptionKey"]
        versions.append(shown)
    return {"ARN": secret["ARN"], "Name": secret["Name"], "Versions": versions} | next_token
