"""The cell's secrets as Secrets Manager lists and describes them.

Owns the calls and the records. Leaves out values (`gather_facts.py`), dates (`due.py`) and orphans (`orphans.py`). A
person can change tags or delete a secret, so the list is by names as well as by tags, and includes secrets whose
deletion is scheduled. ListSecrets matches prefixes, and tag keys and tag values separately, so each entry is checked
again here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions.rotation.tenant import check_name
from functions.shared.rotation_guard import Refused
from functions.shared.secrets_manager import SecretState
from myflux_keys import names
from myflux_keys.consumers import CONSUMERS, PASTED
from myflux_keys.version_labels import CURRENT

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class TenantSecret:
    """`next_rotation` and `last_rotated` are Unix seconds by AWS's clock; None if AWS has none."""

    arn: str
    tenant: str
    state: SecretState
    next_rotation: float | None
    last_rotated: float | None

    @property
    def managed(self) -> bool:
        """Whether keys are minted here. Otherwise the key is a customer's own."""
        return names.TAG_PROJECT_ID in self.state.tags

    @property
    def in_our_organization(self) -> bool:
        return names.TAG_ORGANIZATION_ID not in self.state.tags

    @property
    def consumers(self) -> tuple[str, ...]:
        """The consumers that an alarm about an old key names; myflux if there is no tag, as in a tenant's file."""
        return tuple(self.state.tags.get(names.TAG_CONSUMERS, CONSUMERS[0].name).split())

    @property
    def pasted(self) -> tuple[str, ...]:
        """Those of them into which a person pastes each new key."""
        return tuple(name for name in self.consumers if name in PASTED)


@dataclass(frozen=True)
class ListedSecret:
    """A secret that is the cell's by its name or by its tags.

    `tenant` is the slug in its name; None if the name is not that of a tenant's secret. `deletion` is DeletedDate in
    Unix seconds, None if no deletion is scheduled: by AWS's page of DescribeSecret the date after which AWS deletes it,
    by that of ListSecrets the date when it was deleted. `secret` is the record that the sweep uses; None if the tags do
    not match the name, or deletion is scheduled.
    """

    name: str
    tenant: str | None
    tags: Mapping[str, str]
    deletion: float | None
    secret: TenantSecret | None

    def misfits(self, cell: str) -> dict[str, str | None]:
        """Our tags whose value does not match the name, each with its value; None for a missing tag."""
        ours = _tags_of_ours(self.tenant, cell)
        return {tag: self.tags.get(tag) for tag, value in ours.items() if self.tags.get(tag) != value}


def listed_secrets(client: SecretsManagerClient, cell: str) -> list[ListedSecret]:
    """Every secret with a name or with tags of the cell, sorted by name; also those of admin keys. Raises botocore's
    errors.

    ListSecrets has no resource, so a role that may call it may list every secret's name and tags. Changes of the last
    five minutes may be missing:
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
    """
    tagged = [
        {"Key": "tag-key", "Values": [names.TAG_CELL]},
        {"Key": "tag-value", "Values": [cell]},
    ]
    found = {entry["Name"]: entry for entry in _entries(client, [_by_name(cell)])}
    found |= {
        entry["Name"]: entry
        for entry in _entries(client, tagged)
        if _tags(entry).get(names.TAG_CELL) == cell and _tags(entry).get(names.TAG_MANAGED_BY) == names.MANAGED_BY
    }
    return [_listed(entry, cell) for _, entry in sorted(found.items())]


def tenant_secrets(client: SecretsManagerClient, cell: str) -> list[TenantSecret]:
    """Every tenant's secret with correct tags and no deletion, sorted by tenant. Raises botocore's errors."""
    found = [secret for entry in _entries(client, [_by_name(cell)]) if (secret := _of_cell(entry, cell))]
    return sorted(found, key=lambda secret: secret.tenant)


def _by_name(cell: str) -> dict[str, Any]:
    return {"Key": "name", "Values": [names.tenant_secrets_prefix(cell)]}


def _entries(client: SecretsManagerClient, filters: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    pages = client.get_paginator("list_secrets").paginate(Filters=filters, IncludePlannedDeletion=True)
    for page in pages:
        yield from page["SecretList"]


def _listed(entry: Mapping[str, Any], cell: str) -> ListedSecret:
    try:
        tenant = check_name(entry["Name"], cell)
    except Refused:
        tenant = None
    return ListedSecret(entry["Name"], tenant, _tags(entry), _seconds(entry.get("DeletedDate")), _of_cell(entry, cell))


def describe(client: SecretsManagerClient, secret_id: str, cell: str, *, untagged: bool = False) -> TenantSecret:
    """One tenant's secret, read from AWS. `untagged`: some of our tags may be missing, but none may differ.

    Raises Refused for a secret that is no tenant's of this cell, or botocore's errors."""
    answer = client.describe_secret(SecretId=secret_id)
    secret = _of_cell(answer, cell, untagged=untagged)
    if secret is None:
        raise Refused(f"{answer['Name']} is not a secret of cell {cell} with our tags, or its deletion is scheduled")
    return secret


def describe_with_deleted(client: SecretsManagerClient, secret_id: str, cell: str) -> tuple[TenantSecret, bool]:
    """`describe`, also for a secret whose deletion is scheduled, and whether it is. Raises what `describe` does."""
    answer = client.describe_secret(SecretId=secret_id)
    deletion_scheduled = bool(answer.get("DeletedDate"))
    secret = _of_cell({name: value for name, value in answer.items() if name != "DeletedDate"}, cell)
    if secret is None:
        raise Refused(f"{answer['Name']} is not a secret of cell {cell} with our tags")
    return secret, deletion_scheduled


def stored_at(client: SecretsManagerClient, secret: TenantSecret) -> float | None:
    """When the live version's value was stored, by AWS's clock; None if there is none."""
    versions = client.list_secret_version_ids(SecretId=secret.arn).get("Versions", [])
    live = (version for version in versions if CURRENT in version.get("VersionStages", []))
    return next((_seconds(version.get("CreatedDate")) for version in live), None)


def _of_cell(entry: Mapping[str, Any], cell: str, *, untagged: bool = False) -> TenantSecret | None:
    tags = _tags(entry)
    try:
        tenant = check_name(entry["Name"], cell)
    except Refused:
        return None
    ours = _tags_of_ours(tenant, cell).items()
    if entry.get("DeletedDate") or any(tags.get(tag, value if untagged else None) != value for tag, value in ours):
        return None
    # The two operations spell it differently.
    stages: Mapping[str, list[str]] = entry.get("VersionIdsToStages") or entry.get("SecretVersionsToStages") or {}
    state = SecretState(
        name=entry["Name"],
        tags=tags,
        rotation_enabled=entry.get("RotationEnabled", False),
        stages={version: frozenset(labels) for version, labels in stages.items()},
        changed_at=_seconds(entry.get("LastChangedDate")),
    )
    return TenantSecret(
        entry["ARN"], tenant, state, _seconds(entry.get("NextRotationDate")), _seconds(entry.get("LastRotatedDate"))
    )


def _tags_of_ours(tenant: str | None, cell: str) -> dict[str, str | None]:
    return {names.TAG_TENANT: tenant, names.TAG_CELL: cell, names.TAG_MANAGED_BY: names.MANAGED_BY}


def _tags(entry: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in entry.get("Tags", []) if "Key" in tag and "Value" in tag}


def _seconds(date: datetime | None) -> float | None:
    return date.timestamp() if date else None


def by_tenant(secrets: list[TenantSecret], wanted: list[str]) -> Iterator[TenantSecret]:
    """Those wanted, in the list's order. Raises Refused with the tenants that are not in the cell."""
    unknown = sorted(set(wanted) - {secret.tenant for secret in secrets})
    if unknown:
        raise Refused(
            f"the cell has no secret of {', '.join(unknown)}: deploy the tenant's stack first, or choose other tenants"
        )
    return (secret for secret in secrets if secret.tenant in wanted)
