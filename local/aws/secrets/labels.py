"""Versions of a secret and the staging labels on them.

Owns the moves of labels and the removal of deprecated versions, as pure changes of a record. Leaves out who may request
them and when. https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local.aws.secrets.refusals import Refusal

CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"
PREVIOUS = "AWSPREVIOUS"

KEPT_VERSIONS = 100
KEPT_SECONDS = 24 * 3600
MOST_LABELS = 20
"""https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html"""

Record = dict[str, Any]
Version = dict[str, Any]


def holder(secret: Record, label: str) -> str | None:
    """The id of the version that has `label`."""
    return next((vid for vid, version in secret["Versions"].items() if label in version["Stages"]), None)


def has_value(version: Version) -> bool:
    """False for the placeholder that a rotation creates before its function stores a value."""
    return version.get("SecretString") is not None or version.get("SecretBinary") is not None


def is_empty(secret: Record) -> bool:
    """Whether the secret never got a value."""
    return not any(has_value(version) for version in secret["Versions"].values())


def detach(secret: Record, label: str) -> None:
    for version in secret["Versions"].values():
        version["Stages"] = [held for held in version["Stages"] if held != label]


def attach(secret: Record, label: str, version_id: str) -> None:
    """Attaches `label` to one version, and removes it from any other.

    When AWSCURRENT moves, AWSPREVIOUS moves to the version that lost it.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """
    before = holder(secret, label)
    if before == version_id:
        return
    if len(secret["Versions"][version_id]["Stages"]) >= MOST_LABELS:
        raise Refusal("LimitExceededException", f"A version has at most {MOST_LABELS} staging labels.")
    detach(secret, label)
    secret["Versions"][version_id]["Stages"].append(label)
    if label == CURRENT and before is not None:
        detach(secret, PREVIOUS)
        secret["Versions"][before]["Stages"].append(PREVIOUS)


def attach_all(secret: Record, wanted: Iterable[str], version_id: str) -> None:
    for label in wanted:
        attach(secret, label, version_id)


def rotation_is_pending(secret: Record) -> bool:
    """Whether AWSPENDING is on another version than AWSCURRENT: to RotateSecret, a rotation is then in progress.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    """
    pending = holder(secret, PENDING)
    return pending is not None and pending != holder(secret, CURRENT)


def prune(secret: Record, now: float) -> None:
    """Removes deprecated (unlabelled) versions, oldest first, while there are over 100; none younger than a day.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
    """
    versions = secret["Versions"]
    deprecated = sorted(
        (version["CreatedDate"], vid)
        for vid, version in versions.items()
        if not version["Stages"] and version["CreatedDate"] <= now - KEPT_SECONDS
    )
    for _, vid in deprecated[: max(0, len(versions) - KEPT_VERSIONS)]:
        del versions[vid]


def shown(secret: Record) -> dict[str, list[str]]:
    """The labelled versions, as DescribeSecret shows them."""
    return {vid: list(version["Stages"]) for vid, version in secret["Versions"].items() if version["Stages"]}
