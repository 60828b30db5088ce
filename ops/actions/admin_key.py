"""A cell's OpenAI admin key: checked and stored for a person, and rotated on request.

Owns the checks, the write, and the request for a rotation. Leaves out reading the key (prompt or standard input:
`ops/cli/`) and the rotation (`functions/admin_rotation`). The key is never returned, logged, or put into an
argument or the environment. The checks use the functions' OpenAI client, which repeats no request that creates
something, follows no redirect, and redacts its messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from functions.admin_rotation.proof import SCOPE, CandidateKey, NotProven, prove
from functions.shared.admin_keys import AdminKeyRecord, list_admin_keys, own_key
from functions.shared.deadline import Deadline
from functions.shared.environment import SettingError, checked_base_url
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from myflux_keys.key_life import LONGEST_DAYS
from myflux_keys.names import store_admin_key
from myflux_keys.payload import SecretText
from myflux_keys.quiet import quiet
from myflux_keys.version_labels import CURRENT, version_with
from ops import ways_out
from ops.actions import pasted_key
from ops.errors import DENIED, OperationError, code_of, explain, is_deletion
from tenancy import Cell, Tenant

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

PREFIX: Final = "sk-" + "admin-"
SOON_DAYS: Final = 30
CHECK_SECONDS: Final = 150.0
"""OpenAI's Admin API may answer 429 for a minute, more than once."""
_PATIENCE_SECONDS: Final = 10.0
"""OpenAI may refuse a new key for some seconds."""

_AT_AWS: Final = "InternalServiceError"
_UNKNOWN: Final = "It is not known whether the key was stored: run the same command again, which stores it once more."
"""Added where AWS's answer was lost or broken: AWS may have stored the key."""


class AdminKeyError(OperationError):
    """The key was not stored, or not rotated. The message says why and what to do, and never holds the key."""


@dataclass(frozen=True)
class Stored:
    """`notices` are sentences for the person who stored it. `expires_at` in Unix seconds, None if it has no expiry or
    the expiry is not known."""

    secret: str
    version_id: str
    expires_at: int | None
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where an admin key is stored. `organization_id` is the key's organization, `setting` the field that says so.
    `before` is the command that makes the secret, `up` the one that repairs it."""

    secret: str
    organization_id: str
    before: str
    up: str
    setting: str
    customers: bool = False


def place_of(cell: Cell, tenant: Tenant | None = None) -> Place:
    """Where the cell's admin key is stored, or that of a customer. Raises AdminKeyError where the tenant has none."""
    if tenant is None:
        organization = cell.openai.organization_id
        before = f"deploy the cell's platform first (`myflux-keys up --cell {cell.cell}`)"
        up = f"myflux-keys up --cell {cell.cell}"
        return Place(cell.names.admin_secret, organization, before, up, "openai.organization_id in the cell's file")
    if tenant.organization_id is None:
        raise AdminKeyError(
            f"tenant {tenant.tenant} has no secret for an admin key, because its file has no organization_id. For a "
            f"customer's admin key write `source: customer` and `organization_id` into the file; `myflux-keys up "
            f"{tenant.tenant}` then makes the secret."
        )
    names = cell.names.tenant(tenant.tenant)
    before = (
        f"deploy the tenant's stack first (`myflux-keys up {tenant.tenant}`)"
        if cell.cell == tenant.cell
        else f"start the tenant's move first (`myflux-keys move {tenant.tenant} --to {cell.cell}`)"
    )
    setting = "organization_id in the tenant's file"
    up = f"myflux-keys up {tenant.tenant}"
    return Place(names.admin_secret, tenant.organization_id, before, up, setting, customers=True)


def store(
    cell: Cell, key: SecretText, base_url: str, client: SecretsManagerClient, tenant: Tenant | None = None
) -> Stored:
    """Checks `key` with OpenAI and writes it to the cell's admin secret, or to the one of `tenant`, whose customer gave
    it. Raises AdminKeyError and stores nothing."""
    place = place_of(cell, tenant)
    _check_shape(key)
    record, now = _checked_with_openai(place, key, base_url)
    try:
        with quiet():
            answer = client.put_secret_value(SecretId=place.secret, SecretString=key.reveal())
    except ClientError as error:
        raise AdminKeyError(_why_not_stored(cell, place, error)) from None
    except BotoCoreError as error:
        raise AdminKeyError(f"{explain(error)} {_UNKNOWN}") from None
    check_live(client, place.secret, answer["VersionId"])
    expires_at = record.expires_at if record else None
    way_out = "ask the customer for another one" if place.customers else ways_out.admin_key_replaced(cell.cell)
    return Stored(place.secret, answer["VersionId"], expires_at, tuple(notices(record, now, way_out)))


def check_live(client: SecretsManagerClient, secret: str, version_id: str) -> None:
    """Checks that `version_id` is the live version. Raises OperationError where it is not."""
    try:
        stages = client.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
    except (ClientError, BotoCoreError) as error:
        raise OperationError(
            f"AWS stored the key as version {version_id} of {secret}. It could not be checked whether that is the live "
            f"version: {explain(error)}"
        ) from None
    if CURRENT not in stages.get(version_id, []):
        live = version_with(CURRENT, stages) or "none"
        raise OperationError(
            f"AWS stored the key as version {version_id} of {secret}, but the live version is {live}: somebody else "
            "stored a key at the same time. Find out who, and run the same command again if your key is the right one."
        )


def live_version(cell: Cell, client: SecretsManagerClient) -> str:
    """The version that a rotation would replace; changes nothing. Raises AdminKeyError where there is none."""
    try:
        described = client.describe_secret(SecretId=cell.names.admin_secret)
    except ClientError as error:
        raise AdminKeyError(_why_not_rotated(cell, error)) from None
    version = version_with(CURRENT, described.get("VersionIdsToStages", {}))
    if version is None:
        raise AdminKeyError(
            f"{cell.names.admin_secret} holds no admin key yet, and a rotation needs one to make the next: store "
            f"the first with `{store_admin_key(cell.names.admin_secret)}`."
        )
    return version


def rotate(cell: Cell, client: SecretsManagerClient) -> str:
    """Starts a rotation of the admin key; returns the new version's id. Raises AdminKeyError."""
    live_version(cell, client)
    try:
        return client.rotate_secret(SecretId=cell.names.admin_secret)["VersionId"]
    except ClientError as error:
        raise AdminKeyError(_why_not_rotated(cell, error)) from None


def wait(
    cell: Cell,
    client: SecretsManagerClient,
    version_id: str,
    *,
    seconds: float = 300,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Returns once `version_id` is the live version. Raises AdminKeyError after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        described = client.describe_secret(SecretId=cell.names.admin_secret)
        if CURRENT in described.get("VersionIdsToStages", {}).get(version_id, []):
            return
        if time.monotonic() > end:
            raise AdminKeyError(
                f"version {version_id} is not live after {seconds:.0f} s. The old admin key still works, and Secrets "
                f"Manager tries again. The reason is in the log group {cell.names.log_group(_function(cell))}."
            )
        sleep(1.0)


def notices(record: AdminKeyRecord | None, now: float | None, way_out: str) -> Iterator[str]:
    """What the person should know about a valid key. `record` is OpenAI's record of the key, `now` OpenAI's time."""
    if record is None or now is None:
        yield "OpenAI's list does not show when this key expires: check it there. It should expire within a year."
        return
    left = record.days_left(now)
    if left is None:
        yield (f"This key never expires, so a leaked copy stays valid for ever. An admin key should expire: {way_out}.")
    elif left > LONGEST_DAYS:
        yield f"This key expires in {left:.0f} days, more than a year: {way_out}."
    elif left < SOON_DAYS:
        yield f"This key expires in {left:.0f} days: {way_out}."


def _check_shape(key: SecretText) -> None:
    text = key.reveal()
    if not text:
        raise AdminKeyError("no key was given: paste it at the prompt, or pipe it to standard input.")
    if refused := pasted_key.refusal(text):
        raise AdminKeyError(refused)
    if not text.startswith(PREFIX):
        raise AdminKeyError(
            f"this is not an admin key, which starts with `{PREFIX}`. A project's key cannot make projects or keys. "
            "An organization owner makes an admin key under Settings, Organization, Admin keys."
        )
    if not text.isascii() or not text.isprintable() or " " in text:
        raise AdminKeyError("the key contains white space or non-ASCII characters: it was not copied correctly.")


def _checked_with_openai(place: Place, key: SecretText, base_url: str) -> tuple[AdminKeyRecord | None, float | None]:
    try:
        checked = checked_base_url(base_url)
    except SettingError as error:
        raise AdminKeyError(f"an admin key is not sent to this address: {error}.") from None
    deadline = Deadline(CHECK_SECONDS)
    http = OpenAIHTTP(checked, deadline, organization=place.organization_id)
    try:
        prove(http, deadline, key, patience=_PATIENCE_SECONDS, keep=0)
        return own_key(list_admin_keys(AdminAPI(http, CandidateKey(key), deadline)), key), http.server_time
    except NotProven as failure:
        raise AdminKeyError(_why_not_good(place, failure)) from None
    except OpenAIError as error:
        raise AdminKeyError(f"this key could not be checked with OpenAI: {error}. Nothing was stored.") from None


def _why_not_good(place: Place, failure: NotProven) -> str:
    return {
        "refused": "OpenAI refuses this key: it is revoked, expired or not complete. Nothing was stored.",
        "scope": (
            f"this key may not make changes: it needs the scope {SCOPE}. Make one with all permissions under Settings, "
            "Organization, Admin keys. Nothing was stored."
        ),
        "organization": (
            f"this key does not belong to organization {place.organization_id}: make one there, or correct "
            f"{place.setting}. Nothing was stored."
        ),
    }.get(failure.reason, f"this key could not be checked with OpenAI: {failure}. Nothing was stored: try again.")


def _why_not_stored(cell: Cell, place: Place, error: ClientError) -> str:
    code = code_of(error)
    if code == "ResourceNotFoundException":
        return f"there is no secret {place.secret} yet: {place.before}."
    if is_deletion(error):
        return f"the deletion of {place.secret} is scheduled: `{place.up}` says what to do. Nothing was stored."
    if code == "AccessDeniedException":
        allowed = ", ".join(cell.deployers)
        return f"AWS refuses ({code}): only the cell's deployers may store an admin key ({allowed})."
    return f"AWS failed: {code}. {_UNKNOWN}" if code == _AT_AWS else f"AWS refuses: {code}. Nothing was stored."


def _why_not_rotated(cell: Cell, error: ClientError) -> str:
    code, message = code_of(error), error.response.get("Error", {}).get("Message", "")
    if code == "ResourceNotFoundException" or is_deletion(error):
        return _why_not_stored(cell, place_of(cell), error)
    if code in DENIED:
        allowed = ", ".join(cell.deployers)
        return f"AWS refuses ({code}): only the cell's deployers may rotate its admin key ({allowed})."
    if code == _AT_AWS:
        return f"AWS failed: {code}: {message} It is not known whether a rotation has started: check with `status`."
    return f"AWS refuses: {code}: {message} Nothing was changed."


def _function(cell: Cell) -> str:
    return cell.names.admin_rotation_function
