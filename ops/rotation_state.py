"""The state of tenants' secrets and rotations, read from DescribeSecret and ListSecrets. Reads no value.

Leaves out starting a rotation (`ops/actions/rotate.py`) and the report (`ops/actions/status.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from myflux_keys import admin_budget, version_labels
from myflux_keys.aws_names import CellNames
from myflux_keys.names import TAG_TENANT
from myflux_keys.version_labels import CURRENT
from ops.account import aws_time

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class SecretFacts:
    """`stages` maps version ids to labels. Times are AWS's; None where a secret has none. `answered_at` is when AWS
    answered, in whole seconds."""

    arn: str
    name: str
    tags: Mapping[str, str]
    rotation_enabled: bool
    answered_at: datetime
    stages: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    created: datetime | None = None
    changed: datetime | None = None
    last_rotated: datetime | None = None
    next_rotation: datetime | None = None
    accessed: datetime | None = None
    """The day on which somebody last read its value, at midnight UTC: AWS tells no more."""
    deleted: datetime | None = None
    """When AWS deletes it, where that is scheduled."""

    @property
    def current(self) -> str | None:
        return version_labels.version_with(CURRENT, self.stages)

    @property
    def pending(self) -> str | None:
        """A version that is being made, or that a failed rotation left behind."""
        return version_labels.pending_version(self.stages)

    @property
    def counts_against_budget(self) -> bool:
        """Whether its rotation has called OpenAI within the window of the Admin API's budget."""
        changed, rotated = (moment.timestamp() if moment else None for moment in (self.changed, self.last_rotated))
        return admin_budget.counts_against_budget(
            pending=self.pending is not None, changed_at=changed, rotated_at=rotated, now=self.answered_at.timestamp()
        )

    def has_finished(self, version: str) -> bool:
        """Whether the rotation to `version` has ended: it is live, and no version is pending."""
        return CURRENT in self.stages.get(version, ()) and self.pending is None


def facts(answer: Mapping[str, Any], page: Mapping[str, Any] | None = None) -> SecretFacts:
    """From DescribeSecret's answer, or an entry of `page`, ListSecrets' answer: the two name the labels
    differently."""
    return SecretFacts(
        arn=answer["ARN"],
        name=answer["Name"],
        tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
        rotation_enabled=answer.get("RotationEnabled", False),
        answered_at=aws_time(page or answer),
        stages=answer.get("VersionIdsToStages") or answer.get("SecretVersionsToStages") or {},
        created=answer.get("CreatedDate"),
        changed=answer.get("LastChangedDate"),
        last_rotated=answer.get("LastRotatedDate"),
        next_rotation=answer.get("NextRotationDate"),
        accessed=answer.get("LastAccessedDate"),
        deleted=answer.get("DeletedDate"),
    )


def tenant_secrets(client: SecretsManagerClient, names: CellNames) -> Iterator[tuple[str, SecretFacts]]:
    """(tenant, facts) of every tenant's secret in the cell. Secrets Manager takes the filter as a prefix."""
    for page in client.get_paginator("list_secrets").paginate(
        Filters=[{"Key": "name", "Values": [names.tenant_secrets_prefix]}]
    ):
        for entry in page["SecretList"]:
            found = facts(entry, page)
            tenant = found.tags.get(TAG_TENANT, "")
            if found.name == names.tenant(tenant).secret:
                yield tenant, found
