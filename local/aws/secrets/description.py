"""DescribeSecret and ListSecrets.

Owns what is shown of a secret and when a field is left out. Leaves out the filters of ListSecrets, where MiniStack
is right.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import secretsmanager as ministack

from local.aws.secrets import labels, paging, plan
from local.aws.secrets.store import Record, find

Request = dict[str, Any]
Answer = dict[str, Any]

_ORDER = {
    "created-date": "CreatedDate",
    "last-accessed-date": "LastAccessedDate",
    "last-changed-date": "LastChangedDate",
    "name": "Name",
}


def describe_secret(request: Request) -> Answer:
    secret = find(request["SecretId"])
    shown = _common(secret) | {"VersionIdsToStages": labels.shown(secret)}
    if secret.get("ReplicationStatus"):
        shown["ReplicationStatus"] = secret["ReplicationStatus"]
    return shown


def list_secrets(request: Request) -> Answer:
    deleted = bool(request.get("IncludePlannedDeletion"))
    names = [name for name, secret in ministack._secrets.items() if deleted or not secret.get("DeletedDate")]
    chosen = [ministack._secrets[name] for name in ministack._filter_secret_names(names, request.get("Filters", []))]
    field = _ORDER[request.get("SortBy", "created-date")]
    chosen.sort(
        key=lambda secret: (secret[field] is not None, secret[field]), reverse=request.get("SortOrder") != "asc"
    )
    page, next_token = paging.page(chosen, request)
    entries = [_common(secret) | {"SecretVersionsToStages": labels.shown(secret)} for secret in page]
    return {"SecretList": entries} | next_token


def _common(secret: Record) -> Answer:
    shown: Answer = {name: secret[name] for name in ("ARN", "Name", "CreatedDate", "LastChangedDate", "Tags")}
    for name in ("Description", "KmsKeyId", "LastAccessedDate", "DeletedDate", "RotationLambdaARN"):
        if secret.get(name):
            shown[name] = secret[name]
    if secret.get("_PrimaryRegion"):
        shown["PrimaryRegion"] = secret["_PrimaryRegion"]
    # A secret that was never set to rotate has no RotationEnabled at all.
    if secret.get("RotationRules"):
        shown["RotationEnabled"] = secret["RotationEnabled"]
        shown["RotationRules"] = plan.shown_rules(secret)
    if secret.get("RotationEnabled"):
        shown["NextRotationDate"] = secret["_Window"].closes
        if secret.get("LastRotatedDate"):
            shown["LastRotatedDate"] = secret["LastRotatedDate"]
    return shown
