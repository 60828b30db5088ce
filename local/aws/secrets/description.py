"""DescribeSecret and ListSecrets.

Owns the fields of a secret that are returned, when a field is left out, and which secrets match a list's filters.
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
    filters = request.get("Filters", [])
    chosen = [
        secret
        for _, secret in ministack._secrets.items()
        if (deleted or not secret.get("DeletedDate")) and all(_passes(secret, one) for one in filters)
    ]
    field = _ORDER[request.get("SortBy", "created-date")]
    chosen.sort(
        key=lambda secret: (secret[field] is not None, secret[field]), reverse=request.get("SortOrder") != "asc"
    )
    page, next_token = paging.page(chosen, request)
    entries = [_common(secret) | {"SecretVersionsToStages": labels.shown(secret)} for secret in page]
    return {"SecretList": entries} | next_token


def _passes(secret: Record, one: Request) -> bool:
    """Prefix match, case-sensitive except for descriptions; a value that begins with ``!`` must not match.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
    """
    key, folds = one["Key"], one["Key"] in ("description", "all")
    held = [text.lower() if folds else text for text in _held(secret, key)]
    for value in one["Values"]:
        wanted = value.removeprefix("!").lower() if folds else value.removeprefix("!")
        words = wanted.split() if key == "all" else [wanted]
        if any(text.startswith(word) for text in held for word in words) != value.startswith("!"):
            return True
    return False


def _held(secret: Record, key: str) -> list[str]:
    tags = secret.get("Tags") or []
    by_key = {
        "name": [secret["Name"]],
        "description": [secret.get("Description") or ""],
        "tag-key": [tag["Key"] for tag in tags],
        "tag-value": [tag["Value"] for tag in tags],
        "primary-region": [secret.get("_PrimaryRegion") or ""],
        "owning-service": [secret.get("OwningService") or ""],
    }
    if key == "all":
        return [word for held in by_key.values() for text in held for word in text.split()]
    return by_key[key]


def _common(secret: Record) -> Answer:
    shown: Answer = {name: secret[name] for name in ("ARN", "Name", "CreatedDate", "LastChangedDate", "Tags")}
    for name in ("Description", "KmsKeyId", "LastAccessedDate", "DeletedDate", "RotationLambdaARN"):
        if secret.get(name):
            shown[name] = secret[name]
    if secret.get("_PrimaryRegion"):
        shown["PrimaryRegion"] = secret["_PrimaryRegion"]
    # RotationEnabled is absent if rotation was never configured.
    if secret.get("RotationRules"):
        shown["RotationEnabled"] = secret["RotationEnabled"]
        shown["RotationRules"] = plan.shown_rules(secret)
    if secret.get("RotationEnabled"):
        shown["NextRotationDate"] = secret["_Window"].closes
        if secret.get("LastRotatedDate"):
            shown["LastRotatedDate"] = secret["LastRotatedDate"]
    return shown
