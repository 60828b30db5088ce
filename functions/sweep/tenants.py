"""The cell's secrets as Secrets Manager lists and describes them.

Owns the calls and the records. Leaves out values (`gather_facts.py`), judging dates (`due.py`) and what it means that a
secret is not as it should be (`orphans.py`). Tags can be changed and a secret can be deleted by hand, so the list
starts from names as well as from tags, and what is on its way out is in it. ListSecrets matches by prefix, and tag keys
and tag values apart from each other, so each entry is checked again here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions.rotation.tenant import Refused, check_name
from functions.shared.secrets_manager import CURRENT, SecretState
from myflux_keys import names

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class TenantSecret:
    """`next_rotation` and `last_rotated` are Unix seconds by AWS's clock; None where AWS tells none."""

    arn: str
    tenant: str
    state: SecretState
    next_rotation: float | None
    last_rotated: float | None

    @property
    def managed(self) -> bool:
        """Keys are minted here. Otherwise the key is a customer's own, handed over."""
        return names.TAG_PROJECT_ID in self.state.tags

    @property
    def consumers(self) -> tuple[str, ...]:
        """Whom an alarm about an old key names; myflux where the tag is left out, as in a tenant's file."""
        return tuple(self.state.tags.get(names.TAG_CONSUMERS, names.CONSUMERS[0]).split())


@dataclass(frozen=True)
class ListedSecret:
    """A secret that is the cell's by its name or by its tags, whatever has become of it.

    `tenant` is the slug in its name; None where the name is not that of a tenant's secret. `deletion` is DeletedDate in
    Unix seconds, None where no deletion is scheduled: the date after which AWS removes it, says the page of
    DescribeSecret; the date when it was deleted, says that of ListSecrets. `secret` is the record that the sweep works
    with; None where the tags do not fit the name, or deletion is scheduled.
    """

    name: str
    tenant: str | None
    tags: Mapping[str, str]
    deletion: float | None
    secret: TenantSecret | None

    def misfits(self, cell: str) -> dict[str, str | None]:
        """Our tags whose value is not what the name says, each with its value; None for a tag that is not there."""
        ours = {names.TAG_TENANT: self.tenant, names.TAG_CELL: cell, names.TAG_MANAGED_BY: names.MANAGED_BY}
        return {tag: self.tags.get(tag) for tag, value in ours.items() if self.tags.get(tag) != value}


def listed_secrets(client: SecretsManagerClient, cell: str) -> list[ListedSecret]:
    """Every secret under the cell's names, and every other that carries the cell's tags, sorted by name; the places of
    admin keys too. Raises botocore's errors.

    ListSecrets has no resource to narrow it by, so whoever may call it may list every secret's name and tags. What was
    changed in the last five minutes may be missing:
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
    """Every tenant's secret that is as it should be, sorted by tenant. Raises botocore's errors."""
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


def describe(client: SecretsManagerClient, secret_id: str, cell: str) -> TenantSecret:
    """One tenant's secret as it is now. Raises Refused for a secret that is no tenant's of this cell."""
    answer = client.describe_secret(SecretId=secret_id)
    secret = _of_cell(answer, cell)
    if secret is None:
        raise Refused(f"{answer['Name']} is no secret of cell {cell} that is tagged as ours, or it is being deleted")
    return secret


def describe_leaving(client: SecretsManagerClient, secret_id: str, cell: str) -> tuple[TenantSecret, bool]:
    """`describe`, also for a secret in its deletion window, and whether it is in there. Raises what `describe` does."""
    answer = client.describe_secret(SecretId=secret_id)
    leaving = bool(answer.get("DeletedDate"))
    secret = _of_cell({name: value for name, value in answer.items() if name != "DeletedDate"}, cell)
    if secret is None:
        raise Refused(f"{answer['Name']} is no secret of cell {cell} that is tagged as ours")
    return secret, leaving


def stored_at(client: SecretsManagerClient, secret: TenantSecret) -> float | None:
    """When the live version's value was stored, by AWS's clock; None where there is none."""
    versions = client.list_secret_version_ids(SecretId=secret.arn).get("Versions", [])
    live = (version for version in versions if CURRENT in version.get("VersionStages", []))
    return next((_seconds(version.get("CreatedDate")) for version in live), None)


def _of_cell(entry: Mapping[str, Any], cell: str) -> TenantSecret | None:
    tags = _tags(entry)
    try:
        tenant = check_name(entry["Name"], cell)
    except Refused:
        return None
    ours = {names.TAG_TENANT: tenant, names.TAG_CELL: cell, names.TAG_MANAGED_BY: names.MANAGED_BY}
    if not ours.items() <= tags.items() or entry.get("DeletedDate"):
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


def _tags(entry: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in entry.get("Tags", []) if "Key" in tag and "Value" in tag}


def _seconds(date: datetime | None) -> float | None:
    return date.timestamp() if date else None


def by_tenant(secrets: list[TenantSecret], wanted: list[str]) -> Iterator[TenantSecret]:
    """Those wanted, in the list's order. Raises Refused, naming the ones that the cell has not."""
    unknown = sorted(set(wanted) - {secret.tenant for secret in secrets})
    if unknown:
        raise Refused(
            f"the cell has no secret of {', '.join(unknown)}: deploy the tenant's stack first, or name others"
        )
    return (secret for secret in secrets if secret.tenant in wanted)
