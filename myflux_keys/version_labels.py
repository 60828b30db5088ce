"""The labels of a secret's versions, and what they say about a rotation.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

CURRENT: Final = "AWSCURRENT"
"""The live version."""
PENDING: Final = "AWSPENDING"
"""The version that a rotation makes. AWS leaves it on the live version when the rotation is done."""
PREVIOUS: Final = "AWSPREVIOUS"
"""The version that was live before."""

PERSONS_LABEL: Final = "myflux-persons-key"
"""Of ours: the version is a customer's key that belongs to a person."""


def version_with(label: str, stages: Mapping[str, Collection[str]]) -> str | None:
    """The id of the version that has `label`. `stages` maps version ids to their labels."""
    return next((version for version, labels in stages.items() if label in labels), None)


def is_pending(labels: Collection[str]) -> bool:
    """Whether a version with these labels is being made, or was left behind by a failed rotation."""
    return PENDING in labels and CURRENT not in labels


def pending_version(stages: Mapping[str, Collection[str]]) -> str | None:
    """The id of the version that is pending. `stages` maps version ids to their labels."""
    return next((version for version, labels in stages.items() if is_pending(labels)), None)
