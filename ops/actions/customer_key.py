"""A customer's own key: checked, written to the secret that Pulumi made for it, and reported by its age.

Owns which tenants may have one, the write, and the facts about a key that need no reading of it. Leaves out the checks
with the key (`customer_key_check.py`) and reading it from a prompt (`ops/cli/`). Nothing here rotates: only the
customer can make another key, and only the customer can revoke the old one. Whether a key belongs to a person is kept
as a staging label of its version: the label is removed with the version, and it is no drift for Pulumi, as a tag would
be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from functions.shared.customer_key import Kind
from functions.shared.customer_key import payload as payload_of
from functions.shared.deadline import Deadline
from myflux_keys.payload import SecretText
from myflux_keys.quiet import quiet
from myflux_keys.version_labels import CURRENT, PERSONS_LABEL
from ops import ways_out
from ops.account import aws_time
from ops.actions.admin_key import check_live
from ops.actions.customer_key_check import CHECK_SECONDS, PERSONS_KEY, CustomerKeyError, check, kind_of
from ops.errors import DENIED, code_of, is_deletion
from tenancy import Cell, Tenant

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

OLD_DAYS: Final = 90
"""From this age on `status` asks for a new key; the alarm CustomerKeyAgeDays has the same limit."""


@dataclass(frozen=True)
class Stored:
    """`notices` are sentences for the person who stored it."""

    secret: str
    version_id: str
    kind: Kind
    notices: tuple[str, ...]


@dataclass(frozen=True)
class KeyStatus:
    """A customer's key, without its value. `version_id` and `stored_at` are None where there is no key yet."""

    tenant: str
    secret: str
    version_id: str | None
    stored_at: datetime | None
    age_days: int | None
    notices: tuple[str, ...]


def store(cell: Cell, tenant: Tenant, key: SecretText, base_url: str, client: SecretsManagerClient) -> Stored:
    """Checks `key` and writes it to the tenant's secret. Raises CustomerKeyError, and then stores nothing."""
    secret = secret_of(cell, tenant)
    kind = kind_of(key)
    try:
        described = client.describe_secret(SecretId=secret)
        check(key, tenant.models, base_url, Deadline(CHECK_SECONDS))
        stored_at = aws_time(described).isoformat().replace("+00:00", "Z")
        payload = payload_of(tenant.tenant, key, base_url=base_url, models=tenant.models, stored_at=stored_at)
        labels = [CURRENT] if kind == "service_account" else [CURRENT, PERSONS_LABEL]
        with quiet():
            answer = client.put_secret_value(SecretId=secret, SecretString=payload.to_json(), VersionStages=labels)
        check_live(client, secret, answer["VersionId"])
        before = described.get("VersionIdsToStages", {})
        if kind == "service_account":
            _unlabel(client, secret, before)
    except ClientError as error:
        raise CustomerKeyError(_why_not_stored(cell, tenant, error)) from None
    return Stored(secret, answer["VersionId"], kind, tuple(_notices_on_storing(kind, replaces=bool(before))))


def key_status(cell: Cell, tenant: Tenant, client: SecretsManagerClient) -> KeyStatus:
    """Reads no value. Raises CustomerKeyError."""
    secret = secret_of(cell, tenant)
    try:
        answer = client.list_secret_version_ids(SecretId=secret)
    except ClientError as error:
        why = _why_not_stored(cell, tenant, error)
        if code_of(error) != "ResourceNotFoundException":
            raise CustomerKeyError(why) from None
        # A tenant that is not deployed yet must not stop the report about the others.
        return KeyStatus(tenant.tenant, secret, None, None, None, (why,))
    current = next((v for v in answer.get("Versions", []) if CURRENT in v.get("VersionStages", [])), None)
    if current is None:
        notice = f"No key yet: ask the customer for one, then `myflux-keys key set {tenant.tenant}`."
        return KeyStatus(tenant.tenant, secret, None, None, None, (notice,))
    stored_at: datetime | None = current.get("CreatedDate")
    # AWS's clock has whole seconds: a key stored within this second would be -1 days old.
    age = (aws_time(answer) - stored_at.replace(microsecond=0)).days if stored_at else None
    persons = PERSONS_LABEL in current.get("VersionStages", [])
    notices = tuple(notices_of(tenant.tenant, age, persons=persons))
    return KeyStatus(tenant.tenant, secret, current.get("VersionId"), stored_at, age, notices)


def notices_of(tenant: str, age_days: int | None, *, persons: bool) -> Sequence[str]:
    """The warnings about a stored key."""
    found = [PERSONS_KEY] if persons else []
    if age_days is not None and age_days >= OLD_DAYS:
        found.append(
            f"This key is {age_days} days old, and only the customer can replace it: ask for a new one, then "
            f"`myflux-keys key set {tenant}`."
        )
    return found


def secret_of(cell: Cell, tenant: Tenant) -> str:
    """The name of a customer's secret. Raises CustomerKeyError for a managed tenant."""
    if tenant.has_identity:
        told = ways_out.without_a_key(tenant.tenant, "no key of the customer's is kept for it")
        raise CustomerKeyError(f"{told} Nothing was changed.")
    if tenant.minted:
        raise CustomerKeyError(
            f"tenant {tenant.tenant} is managed, or its customer gave an admin key: only the rotation function makes "
            f"and stores its keys. For a new key now: `myflux-keys rotate {tenant.tenant}`. Nothing was changed."
        )
    return cell.names.tenant(tenant.tenant).secret


def _notices_on_storing(kind: Kind, *, replaces: bool) -> Sequence[str]:
    found = [PERSONS_KEY] if kind != "service_account" else []
    if replaces:
        found.append(
            "If the key before it was another one: that one is still valid at OpenAI, and only the customer can revoke "
            "it. Ask them to do so in half an hour: by then no reader has it in its cache."
        )
    return found


def _unlabel(client: SecretsManagerClient, secret: str, stages: Mapping[str, Sequence[str]]) -> None:
    """Removes the label: AWS never deletes a version that has one, so a replaced key would be kept for ever."""
    for version, labels in stages.items():
        if PERSONS_LABEL in labels:
            client.update_secret_version_stage(SecretId=secret, VersionStage=PERSONS_LABEL, RemoveFromVersionId=version)


def _why_not_stored(cell: Cell, tenant: Tenant, error: ClientError) -> str:
    code, message = code_of(error), error.response.get("Error", {}).get("Message", "")
    if code == "ResourceNotFoundException":
        return f"{tenant.tenant}: {ways_out.no_secret(tenant.tenant)}"
    if is_deletion(error):
        return f"{tenant.tenant}: {ways_out.deletion_scheduled(tenant.tenant, minted=tenant.minted)}"
    if code in DENIED:
        allowed = ", ".join(cell.deployers)
        return f"AWS refuses ({code}): only the cell's deployers may store a customer's key ({allowed})."
    return f"AWS refuses: {code}: {message}"
