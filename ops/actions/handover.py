"""A hand-over of one tenant's key: what stands against it, the role's session, the key, the record.

Owns the calls to AWS and what each refusal means. Leaves out the page (`ops/handover_page/`), the order of the steps
(`run_handover.py`) and what a record says about the old key (`functions/shared/handover.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import ClientError, ProfileNotFound

from functions.shared import handover as records
from functions.shared.handover import Handover, HandoverError
from myflux_keys.consumers import PASTED, Consumer
from myflux_keys.errors import KeyReaderError
from myflux_keys.key import Key, no_text, parse_key
from myflux_keys.names import TAG_CONSUMERS, TAG_TENANT
from myflux_keys.version_labels import CURRENT
from ops import ways_out
from ops.account import Account
from ops.errors import DENIED, OperationError, code_of
from ops.rotation_state import SecretFacts, facts
from tenancy import Cell, Tenant

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

SESSION_SECONDS: Final = 900
"""The shortest that AWS allows: the key is read in the first second."""
_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)
_SERIAL: Final = re.compile(r"[\w+=/:,.@-]{9,256}", re.ASCII)
"""AWS's own form: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
_PERSON: Final = re.compile(
    r"arn:[a-z-]+:(?:iam::[0-9]+:(?P<user>user/.+)|sts::[0-9]+:assumed-role/(?P<role>[^/]+)/(?P<session>[^/]+))"
)


class HandoverRefused(OperationError):
    """Nothing was changed, and no key was read, unless the message says so."""


@dataclass(frozen=True)
class Person:
    """Who runs the command. `name` becomes the session's name, which AWS's records show. `is_user`: AWS takes an MFA
    code from a user alone; a role's session must have been begun with one."""

    name: str
    arn: str
    is_user: bool


# --- what stands against it, before AWS is asked ---------------------------------------------------------------------


def consumer_of(cell: Cell, tenant: Tenant, consumer: str) -> Consumer:
    """Raises HandoverRefused where files say that there is nothing to hand over, or nobody who may."""
    slug = tenant.tenant
    if consumer not in PASTED:
        raise HandoverRefused(
            f"`{consumer}` is no consumer that a person serves: --consumer is {' or '.join(PASTED)}. Nothing was read."
        )
    found = PASTED[consumer]
    if tenant.has_identity:
        raise HandoverRefused(f"{ways_out.without_a_key(slug, 'there is nothing to hand over')} Nothing was read.")
    if found not in tenant.consumers.used:
        raise HandoverRefused(
            f"{slug} does not use {consumer}: its file has no `{consumer}: true` below `consumers`. If it should, "
            f"write that into tenants/{slug}.yaml, then `myflux-keys up {slug}`. Nothing was read."
        )
    if not tenant.enabled:
        raise HandoverRefused(
            f"{slug} is disabled, so nobody may read its key: `myflux-keys enable {slug}` first. Nothing was read."
        )
    if cell.handover is None:
        raise HandoverRefused(
            f"nobody may hand over keys of cell {cell.cell}: its file has no `handover`. Write `handover: "
            f"{{principals: [YOUR ARN]}}` into cells/{cell.cell}.yaml, then `myflux-keys up --cell {cell.cell}`. "
            "Nothing was read."
        )
    return found


def allowed(cell: Cell, arn: str) -> Person:
    """`arn` is the caller's. Raises HandoverRefused for who is not one of the cell's people for it."""
    match = _PERSON.fullmatch(arn)
    principals = cell.handover.principals if cell.handover else ()
    if match and match["user"] and arn in principals:
        return Person(match["user"].rpartition("/")[2], arn, is_user=True)
    # A session's ARN has the role's name without its path.
    roles = {one.rpartition("/")[2] for one in principals if ":role/" in one}
    if match and match["role"] in roles:
        return Person(match["session"], arn, is_user=False)
    raise HandoverRefused(
        f"you are {arn}, and keys of cell {cell.cell} are handed over by {', '.join(principals)} (handover.principals "
        "in its file): sign in as one of them. Nothing was read."
    )


def own_session(profile: str | None, region: str) -> boto3.Session | None:
    """The person's own, where the credentials of the command are a role's that may become no other, as those of people
    who deploy a bootstrapped cell. None: they are the person's. Raises HandoverRefused."""
    if profile is None:
        return None
    try:
        return boto3.Session(profile_name=profile, region_name=region)
    except ProfileNotFound:
        raise HandoverRefused(
            f"--user-profile {profile}: AWS's files on this machine have no such profile. Nothing was read."
        ) from None


def checked_code(code: str) -> str:
    """Raises HandoverRefused, without the text, for what is no MFA code."""
    text = code.strip().replace(" ", "")
    if not _CODE.fullmatch(text):
        raise HandoverRefused("an MFA code has six digits: run the command again. Nothing was read.")
    return text


# --- what stands against it at AWS -----------------------------------------------------------------------------------


def described(account: Account, tenant: Tenant, consumer: Consumer) -> SecretFacts:
    """The tenant's secret, which has a key and is deployed as the files say. Raises HandoverRefused."""
    slug, cell = tenant.tenant, account.cell
    try:
        found = facts(account.secrets.describe_secret(SecretId=cell.names.tenant(slug).secret))
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            raise HandoverRefused(f"{slug}: {ways_out.no_secret(slug)} Nothing was read.") from None
        raise
    if found.deleted:
        told = ways_out.deletion_scheduled(slug, found.deleted, minted=tenant.minted)
        raise HandoverRefused(f"{slug}: {told} Nothing was read.")
    if found.current is None:
        way_out = f"`myflux-keys up {slug}`" if tenant.minted else f"`myflux-keys connect {slug}` or `key set {slug}`"
        raise HandoverRefused(f"{slug} has no key yet: {way_out} gives it one. Nothing was read.")
    if consumer.name not in found.tags.get(TAG_CONSUMERS, "").split():
        raise HandoverRefused(
            f"{slug}'s file names {consumer.name}, but what is deployed does not: `myflux-keys up {slug}`. Nothing was "
            "read."
        )
    return found


def mfa_device(account: Account, person: Person, given: str | None) -> str | None:
    """The serial number of the person's MFA device; None for a role's session. Raises HandoverRefused."""
    if not person.is_user:
        if given:
            raise HandoverRefused(
                f"AWS takes an MFA code from a user alone, and you are the session {person.arn}: leave out "
                "--mfa-serial, and begin that session with MFA. Nothing was read."
            )
        return None
    if given:
        if not _SERIAL.fullmatch(given):
            raise HandoverRefused(
                f"--mfa-serial {given} is no serial number of an MFA device, such as "
                f"{person.arn.replace(':user/', ':mfa/')}. Nothing was read."
            )
        return given
    try:
        listed = account.roles.list_mfa_devices(UserName=person.name)["MFADevices"]
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        raise HandoverRefused(
            "AWS does not let you see your own MFA devices: give yours with --mfa-serial, such as "
            f"{person.arn.replace(':user/', ':mfa/')}. Nothing was read."
        ) from None
    # Security keys and passkeys sign in at the console, and give no code.
    with_code = [one["SerialNumber"] for one in listed if ":u2f/" not in one["SerialNumber"]]
    if len(with_code) == 1:
        return with_code[0]
    if with_code:
        raise HandoverRefused(
            f"you have {len(with_code)} MFA devices: give one with --mfa-serial: {', '.join(with_code)}. Nothing was "
            "read."
        )
    raise HandoverRefused(
        "you have no MFA device that gives codes, and keys are read with one alone: add an authenticator app to your "
        "user in AWS's console (Security credentials). Nothing was read."
    )


def session(account: Account, tenant: Tenant, person: Person, device: str | None, code: str | None) -> boto3.Session:
    """Of the hand-over role, for this tenant alone. Raises HandoverRefused."""
    cell = account.cell
    factor: dict[str, Any] = {"SerialNumber": device, "TokenCode": code} if device and code else {}
    try:
        held = account.caller.assume_role(
            RoleArn=cell.names.handover_role_arn,
            RoleSessionName=person.name,
            DurationSeconds=SESSION_SECONDS,
            Tags=[{"Key": TAG_TENANT, "Value": tenant.tenant}],
            **factor,
        )["Credentials"]
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        raise HandoverRefused(_not_assumed(cell, person, error)) from None
    return boto3.Session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"], cell.region)


def _not_assumed(cell: Cell, person: Person, error: ClientError) -> str:
    message = error.response.get("Error", {}).get("Message", "")
    if "MultiFactorAuthentication" in message:
        return (
            f"AWS refuses the MFA code: {message} A code works once: wait for the next one, and run the command again. "
            "Nothing was read."
        )
    factor = "" if person.is_user else " Your session must have been begun with MFA."
    return (
        f"AWS refuses the role {cell.names.handover_role}: {message}{factor} If cells/{cell.cell}.yaml names you below "
        f"`handover` since a short time, it is not deployed: `myflux-keys up --cell {cell.cell}`. Nothing was read."
    )


# --- the key and the record ------------------------------------------------------------------------------------------


def read_key(secrets: SecretsManagerClient, cell: Cell, tenant: Tenant) -> Key:
    """One call, which AWS records and the cell's alarm tells. Raises HandoverRefused."""
    slug = tenant.tenant
    try:
        answer = secrets.get_secret_value(SecretId=cell.names.tenant(slug).secret, VersionStage=CURRENT)
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        message = error.response.get("Error", {}).get("Message", "")
        raise HandoverRefused(
            f"AWS refuses the key of {slug} to the hand-over role: {message} Its secret's policy may be older than "
            f"`handover` in the cell's file: `myflux-keys up {slug}`. No key was read."
        ) from None
    found = _parsed(answer, slug)
    if isinstance(found, KeyReaderError):
        raise HandoverRefused(str(found))
    return found


def _parsed(answer: Any, slug: str) -> Key | KeyReaderError:
    text = answer.get("SecretString")
    return no_text(slug) if text is None else parse_key(text, slug, answer["VersionId"])


def read_record(account: Account, tenant: str, consumer: str) -> Handover | None:
    """With the person's own credentials. None: nobody ever confirmed. Raises HandoverRefused."""
    name, bucket = records.object_name(tenant, consumer), account.cell.names.health_bucket
    try:
        text = account.buckets.get_object(Bucket=bucket, Key=name)["Body"].read().decode(errors="replace")
        return Handover.read(text, name)
    except ClientError as error:
        if code_of(error) == "NoSuchKey":
            return None
        raise HandoverRefused(_bucket_refuses(account.cell, error)) from None
    except HandoverError as error:
        raise HandoverRefused(
            f"the record s3://{bucket}/{name} is damaged: {error}. Delete it, and run the command again."
        ) from None


def write_record(account: Account, record: Handover) -> Handover:
    """With the person's own credentials; returns what is read back. Raises HandoverRefused."""
    name, bucket = records.object_name(record.tenant, record.consumer), account.cell.names.health_bucket
    try:
        account.buckets.put_object(
            Bucket=bucket, Key=name, Body=record.to_json().encode(), ContentType="application/json"
        )
    except ClientError as error:
        raise HandoverRefused(_bucket_refuses(account.cell, error)) from None
    except HandoverError as error:
        raise HandoverRefused(f"this cannot be recorded: {error}. Nothing was recorded.") from None
    found = read_record(account, record.tenant, record.consumer)
    if found is None or found != record:
        raise HandoverRefused(
            f"s3://{bucket}/{name} was written, but another record was read back: somebody else confirmed at the same "
            "moment. Press the button again."
        )
    return found


def _bucket_refuses(cell: Cell, error: ClientError) -> str:
    code = code_of(error)
    if code == "NoSuchBucket":
        return f"there is no bucket {cell.names.health_bucket}: {ways_out.deploy_platform(cell.cell)}"
    if code in DENIED:
        who: Sequence[str] = cell.deployers
        return (
            f"AWS refuses you the records of hand-overs ({code}): only the cell's deployers may read and write them "
            f"({', '.join(who)}). Nothing was recorded."
        )
    return f"AWS refuses: {code}: {error.response.get('Error', {}).get('Message', '')} Nothing was recorded."
