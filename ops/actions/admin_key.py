"""A cell's OpenAI admin key: stored by a person after it was checked, and rotated by hand when there is reason to.

Owns the checks, the one write, and asking for a rotation. Leaves out where the key comes from (a prompt or standard
input: `ops/cli/`) and the rotation itself (`functions/admin_rotation`). The key is never returned, logged, or put into
an argument or the environment. The checks ask OpenAI with the functions' own client: it repeats nothing that makes
something, follows no redirect, and redacts what it says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from functions.admin_rotation.proof import SCOPE, NotProven, OnTrial, prove
from functions.shared.admin_keys import AdminKeyRecord, list_admin_keys, own_key
from functions.shared.deadline import Deadline
from functions.shared.environment import SettingError, checked_base_url
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from myflux_keys.key_life import LONGEST_DAYS
from myflux_keys.payload import SecretText
from myflux_keys.quiet import quiet
from myflux_keys.version_labels import CURRENT, version_with
from ops.errors import OperationError, code_of, explain, is_deletion
from tenancy import Cell, Tenant

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

PREFIX: Final = "sk-" + "admin-"
SOON_DAYS: Final = 30
CHECK_SECONDS: Final = 150.0
"""OpenAI's Admin API may ask for a minute's patience more than once."""
_PATIENCE_SECONDS: Final = 10.0
"""A key that somebody has just made may be refused for some seconds."""

_AT_AWS: Final = "InternalServiceError"
_UNKNOWN: Final = "Whether the key was stored is not known: run the same command again, which stores it once more."
"""Of an answer that was lost or broken: AWS may have done what it was asked."""


class AdminKeyError(OperationError):
    """The key is not kept, or not rotated. The message says why and what to do, and never holds the key."""


@dataclass(frozen=True)
class Stored:
    """`notices` are sentences for the person who stored it. `expires_at` in Unix seconds, None if it has none or it
    could not be told."""

    secret: str
    version_id: str
    expires_at: int | None
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where an admin key goes: its secret, the organization that it must be of, and the line that says so. `before`
    is what makes the place, for whoever finds none, and `up` the command that looks at it."""

    secret: str
    organization_id: str
    before: str
    up: str
    said_in: str
    customers: bool = False


def place_of(cell: Cell, tenant: Tenant | None = None) -> Place:
    """The cell's place, or the one of a customer's admin key. Raises AdminKeyError where the tenant's file has none."""
    if tenant is None:
        organization = cell.openai.organization_id
        up = f"deploy the cell's platform first (`pulumi up --refresh --stack {cell.cell}`)"
        looks = f"myflux-keys up --cell {cell.cell}"
        return Place(cell.names.admin_secret, organization, up, looks, "openai.organization_id in the cell's file")
    if tenant.organization_id is None:
        raise AdminKeyError(
            f"tenant {tenant.tenant} has no place for an admin key: its file names no organization_id. A customer who "
            f"gives one has source: customer and organization_id there; `myflux-keys up {tenant.tenant}` then makes "
            "the place."
        )
    names = cell.names.tenant(tenant.tenant)
    before = (
        f"deploy the tenant's stack first (`myflux-keys up {tenant.tenant}`)"
        if cell.cell == tenant.cell
        else f"begin the tenant's move first (`myflux-keys move {tenant.tenant} --to {cell.cell}`)"
    )
    said_in = "organization_id in the tenant's file"
    looks = f"myflux-keys up {tenant.tenant}"
    return Place(names.admin_secret, tenant.organization_id, before, looks, said_in, customers=True)


def store(
    cell: Cell, key: SecretText, base_url: str, client: SecretsManagerClient, tenant: Tenant | None = None
) -> Stored:
    """Checks `key` against OpenAI and writes it to the cell's admin secret, or to that of a `tenant` who gave it.
    Raises AdminKeyError and keeps nothing."""
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
    told = notices(record, now, customers=place.customers)
    return Stored(place.secret, answer["VersionId"], expires_at, tuple(told))


def check_live(client: SecretsManagerClient, secret: str, version_id: str) -> None:
    """A look at whether `version_id` is what readers get. Raises OperationError where it is not."""
    try:
        stages = client.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
    except (ClientError, BotoCoreError) as error:
        raise OperationError(
            f"AWS took the key as version {version_id} of {secret}. Whether that is the live version could not be "
            f"looked at: {explain(error)}"
        ) from None
    if CURRENT not in stages.get(version_id, []):
        live = version_with(CURRENT, stages) or "none"
        raise OperationError(
            f"AWS took the key as version {version_id} of {secret}, and the live version is {live}: somebody stores at "
            "the same time. Find out who, and run the same command again if yours is to be the one."
        )


def rotate(cell: Cell, client: SecretsManagerClient) -> str:
    """Asks Secrets Manager to replace the admin key now; the new version's id. Raises AdminKeyError."""
    try:
        described = client.describe_secret(SecretId=cell.names.admin_secret)
        if version_with(CURRENT, described.get("VersionIdsToStages", {})) is None:
            raise AdminKeyError(
                f"{cell.names.admin_secret} holds no key yet, and a new one is made with the one before it: store the "
                f"first with `myflux-keys admin-key set --cell {cell.cell}`."
            )
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
    """Returns once `version_id` is the live one. Raises AdminKeyError after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        described = client.describe_secret(SecretId=cell.names.admin_secret)
        if CURRENT in described.get("VersionIdsToStages", {}).get(version_id, []):
            return
        if time.monotonic() > end:
            raise AdminKeyError(
                f"version {version_id} is not live after {seconds:.0f} s. The key before it goes on working; Secrets "
                f"Manager tries again. The function says why in {cell.names.log_group(_function(cell))}."
            )
        sleep(1.0)


def notices(record: AdminKeyRecord | None, now: float | None, *, customers: bool = False) -> Iterator[str]:
    """What the person should know of a key that is good: `record` is what OpenAI lists of it, `now` OpenAI's time."""
    way_out = "ask the customer for another one" if customers else "`myflux-keys admin-key rotate` replaces it now"
    if record is None or now is None:
        yield "OpenAI's list does not tell for certain when this key expires: look there, and let it end within a year."
        return
    left = record.days_left(now)
    if left is None:
        yield (
            f"This key has no expiry: whoever gets hold of it can use it for ever. Have it replaced by one that has: "
            f"{way_out}."
        )
    elif left > LONGEST_DAYS:
        yield f"This key lives for {left:.0f} days, more than a year: {way_out}."
    elif left < SOON_DAYS:
        yield f"This key dies in {left:.0f} days: {way_out}."


def _check_shape(key: SecretText) -> None:
    text = key.reveal()
    if not text:
        raise AdminKeyError("no key was given: paste it at the prompt, or pipe it into standard input.")
    if not text.startswith(PREFIX):
        raise AdminKeyError(
            f"this is not an admin key: one starts with `{PREFIX}`. A project's key cannot make projects or mint keys. "
            "An organization owner makes an admin key under Settings, Organization, Admin keys."
        )
    if not text.isascii() or not text.isprintable() or " " in text:
        raise AdminKeyError("the key holds white space or characters outside ASCII: it was cut or copied wrongly.")


def _checked_with_openai(place: Place, key: SecretText, base_url: str) -> tuple[AdminKeyRecord | None, float | None]:
    try:
        checked = checked_base_url(base_url)
    except SettingError as error:
        raise AdminKeyError(f"an admin key is not sent there: {error}.") from None
    deadline = Deadline(CHECK_SECONDS)
    http = OpenAIHTTP(checked, deadline, organization=place.organization_id)
    try:
        prove(http, deadline, key, patience=_PATIENCE_SECONDS, keep=0)
        return own_key(list_admin_keys(AdminAPI(http, OnTrial(key), deadline)), key), http.told_time
    except NotProven as failure:
        raise AdminKeyError(_why_not_good(place, failure)) from None
    except OpenAIError as error:
        raise AdminKeyError(f"OpenAI could not be asked about this key: {error}. Nothing was stored.") from None


def _why_not_good(place: Place, failure: NotProven) -> str:
    return {
        "refused": "OpenAI refuses this key: it was revoked, has expired or was cut. Nothing was stored.",
        "scope": (
            f"OpenAI knows this key and does not let it change anything: it needs the scope {SCOPE}. Make one with all "
            "permissions under Settings, Organization, Admin keys. Nothing was stored."
        ),
        "organization": (
            f"this key is not of organization {place.organization_id}: make one there, or correct {place.said_in}. "
            "Nothing was stored."
        ),
    }.get(failure.reason, f"OpenAI could not be asked about this key: {failure}. Nothing was stored: try again.")


def _why_not_stored(cell: Cell, place: Place, error: ClientError) -> str:
    code = code_of(error)
    if code == "ResourceNotFoundException":
        return f"there is no secret {place.secret} yet: {place.before}."
    if is_deletion(error):
        return f"the deletion of {place.secret} is scheduled: `{place.up}` says what to do. Nothing was stored."
    if code == "AccessDeniedException":
        allowed = ", ".join(cell.deployer_principals)
        return f"AWS refuses ({code}): only the cell's deployers may store an admin key ({allowed})."
    return f"AWS failed: {code}. {_UNKNOWN}" if code == _AT_AWS else f"AWS refuses: {code}. Nothing was stored."


def _why_not_rotated(cell: Cell, error: ClientError) -> str:
    code, message = code_of(error), error.response.get("Error", {}).get("Message", "")
    if code == "ResourceNotFoundException" or is_deletion(error):
        return _why_not_stored(cell, place_of(cell), error)
    if code in ("AccessDenied", "AccessDeniedException"):
        allowed = ", ".join(cell.deployer_principals)
        return f"AWS refuses ({code}): only the cell's deployers may rotate its admin key ({allowed})."
    if code == _AT_AWS:
        return f"AWS failed: {code}: {message} Whether a rotation has begun is not known: look with `status`."
    return f"AWS refuses: {code}: {message} Nothing was changed."


def _function(cell: Cell) -> str:
    return cell.names.admin_rotation_function
