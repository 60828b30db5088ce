"""An OpenAI project and a secret that exist already come under this tenant's stack, and no key is made for it.

Owns what must hold before, what the function's look at the value means, and the rotation's setting without a rotation.
Leaves out the look itself (`functions/sweep/inspect.py`), since no person may read the value, and the import, which is
the engine's. A rotation that is on already, in the tenant's own slot, is one that the stack finds as it wants it: that
is why the next key comes in that slot and not at once, unless the secret holds no key that lives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from myflux_keys.cell_names import CellNames, TenantNames
from myflux_keys.names import SERVICE_ACCOUNT
from myflux_keys.version_labels import PENDING
from ops import ways_out
from ops.account import Account
from ops.actions.rotate import is_incomplete, new_token, start
from ops.errors import OperationError, code_of
from ops.rotation_state import SecretFacts, facts
from tenancy import Tenant, slots

_ALIVE: Final = ("accepted", "restricted", "unpaid", "model_unreachable")
"""What `functions.rotation.proof.Proof` calls a key that OpenAI knows."""


@dataclass(frozen=True)
class Found:
    """The secret as it is. `untagged` are the tags that make it this tenant's and are not there yet."""

    facts: SecretFacts
    untagged: Mapping[str, str]


def look(account: Account, tenant: Tenant) -> Found:
    """Raises OperationError for a secret that cannot be taken over. Changes nothing."""
    names = account.cell.names.tenant(tenant.tenant)
    if tenant.isolation == "dedicated":
        raise _not(
            tenant,
            "its file has dedicated isolation, and adopt cannot import a KMS key and a role",
            "adopt it with `isolation: shared`, or make a tenant with another slug: `myflux-keys new`; if the secret's "
            f"deletion is scheduled, `myflux-keys up {tenant.tenant}` says what to do",
        )
    try:
        answer: Mapping[str, Any] = dict(account.secrets.describe_secret(SecretId=names.secret))
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        raise _not(
            tenant,
            f"there is no secret {names.secret}, the name that readers use, and a secret cannot be renamed",
            f"`myflux-keys up {tenant.tenant}` makes it with a new key, in the OpenAI project {names.project} if that "
            "exists",
        ) from None
    refusal = refused(answer, names, _cells_key(account, names.cell))
    if refusal:
        raise _not(tenant, *refusal)
    held = facts(answer)
    return Found(held, {tag: value for tag, value in names.tags.items() if tag not in held.tags})


def refused(secret: Mapping[str, Any], names: TenantNames, cells_key: str) -> tuple[str, str] | None:
    """Why DescribeSecret's answer is of a secret that cannot be taken over, and the way out; None where it can."""
    found = facts(secret)
    key = str(secret.get("KmsKeyId") or "")
    other = {tag: found.tags[tag] for tag, value in names.tags.items() if found.tags.get(tag, value) != value}
    if other:
        told = ", ".join(f"{tag}={value}" for tag, value in other.items())
        return f"it has the tags {told} of another owner", "find the owner, and remove the tags if they agree"
    if found.pending is not None:
        return (
            f"a rotation to version {found.pending} has not come to its end",
            f"wait for it, or take {PENDING} off that version",
        )
    if key and key != cells_key and not key.endswith("alias/aws/secretsmanager"):
        return (
            f"its value is encrypted with the KMS key {key}, which the cell's readers may not use",
            "ask somebody who may read it to encrypt it with the account's key aws/secretsmanager",
        )
    return None


def _cells_key(account: Account, names: CellNames) -> str:
    return account.keys.describe_key(KeyId=names.kms_alias)["KeyMetadata"].get("Arn", "")


def _not(tenant: Tenant, reason: str, way_out: str) -> OperationError:
    return OperationError(f"{tenant.tenant} cannot be adopted: {reason}. Way out: {way_out}. Nothing was changed.")


def claim(account: Account, found: Found) -> None:
    """Takes the secret out of its deletion, and puts the tags on that make it this tenant's: with them the functions
    may look at it."""
    if found.facts.deleted:
        account.secrets.restore_secret(SecretId=found.facts.arn)
    if found.untagged:
        tags = [{"Key": tag, "Value": value} for tag, value in sorted(found.untagged.items())]
        account.secrets.tag_resource(SecretId=found.facts.arn, Tags=tags)  # pyright: ignore[reportArgumentType]


def judged(told: Mapping[str, Any], tenant: Tenant, names: TenantNames) -> list[str]:
    """What a person should know of a value that can be taken over. `told` is the function's answer to "inspect".

    Raises OperationError for one that cannot: no reader would take it, or no rotation replace it.
    """
    try:
        if told["problem"] is not None:
            raise _value(tenant, names.secret, str(told["problem"]))
        source, proof, project = told["source"], told["proof"], told.get("project")
        if source != tenant.source:
            raise _value(
                tenant, names.secret, f"its payload has source: {source}, but the tenant's file {tenant.source}"
            )
        if proof == "refused":
            if source == "managed" and project is None:
                raise _not(tenant, *_used_up(tenant, names))
            # Nobody is served by it, so nothing of it has to be kept, and whose it was no longer matters.
            return [f"OpenAI refuses the key {told['key_id'] or 'that it holds'}: it is revoked or expired."]
        notices = (
            [] if proof in _ALIVE else ["It could not be checked whether OpenAI accepts the key: see `status` later."]
        )
        if proof in _ALIVE[1:]:
            notices.append(f"OpenAI knows the key, but answers: {proof}.")
        if source != "managed":
            return notices
        if project != names.project:
            called = f"is called {project}" if project else "is archived or does not exist"
            raise _value(
                tenant,
                names.secret,
                f"the project of its key ({told['project_id']}) {called}, but this tenant's project is {names.project}",
            )
        if not told["listed"]:
            raise _value(
                tenant, names.secret, f"OpenAI does not list its key {told['key_id']} in project {names.project}"
            )
        if told["service_account"] != SERVICE_ACCOUNT:
            notices.append(
                f"The key belongs to the service account {told['service_account']}; new keys belong to "
                f"{SERVICE_ACCOUNT}. Both are revoked alike: one overlap after the next rotation, and at once by "
                "`revoke` and `offboard`."
            )
        return notices
    except KeyError as error:
        raise OperationError(
            f"the sweep function's answer has no field {error}: deploy the platform from the commit that these files "
            "are from, then run the same command again."
        ) from None


def _used_up(tenant: Tenant, names: TenantNames) -> tuple[str, str]:
    """After `destroy` or an off-boarding."""
    return (
        f"the key that it holds is dead, and the OpenAI project {names.project} is archived, which is final",
        ways_out.another_slug(tenant.tenant).removesuffix("."),
    )


def _value(tenant: Tenant, secret: str, why: str) -> OperationError:
    return OperationError(
        f"{tenant.tenant} cannot be adopted, because of its secret's value: {why}. The value was not shown and not "
        "changed. Way out: ask its owner to store a payload of schema 1 for this tenant (docs/adr/0019); or "
        f"{ways_out.made_anew(secret, f'myflux-keys up {tenant.tenant}')}"
    )


def put_back(account: Account, found: Found) -> None:
    """Schedules the deletion again that `claim` took the secret out of: for one that cannot be adopted after all."""
    if found.facts.deleted:
        account.secrets.delete_secret(SecretId=found.facts.arn, RecoveryWindowInDays=account.cell.recovery_window_days)


def is_dead(told: Mapping[str, Any]) -> bool:
    """Whether `told`, the function's answer to "inspect", is of a key that OpenAI does not take."""
    return told.get("proof") == "refused"


def new_key(account: Account, tenant: Tenant, found: Found) -> str:
    """Asks for a key where the secret holds none that lives; says what was asked and what is left to do."""
    slug = tenant.tenant
    if not tenant.minted:
        return f"It has no valid key: ask the customer for one, then `myflux-keys key set {slug}`."
    asked = start(account.secrets, found.facts, new_token("adopt"))
    if asked.problem:
        return f"A new key could not be requested: {asked.problem} Then run `myflux-keys rotate {slug} --wait`."
    return f"A new key was requested, version {asked.version}; `myflux-keys status` shows whether it is live."


def rotate_from_next_slot(account: Account, tenant: Tenant, found: Found) -> None:
    """Sets rotation as the tenant's stack wants it, without a rotation. AWS tries the function with a version that was
    never made, and removes it. Raises OperationError."""
    if tenant.rotation is None:
        return
    names, hours = account.cell.names, tenant.rotation.interval_hours
    try:
        account.secrets.rotate_secret(
            SecretId=found.facts.arn,
            RotationLambdaARN=names.rotation_function_arn,
            RotationRules={
                "ScheduleExpression": slots.cron(tenant.tenant, tenant.cell, hours),
                "Duration": slots.window(hours),
            },
            RotateImmediately=False,
        )
    except ClientError as error:
        if is_incomplete(error):
            raise OperationError(
                f"a rotation of {found.facts.name} is running: run the same command again once it has ended. The "
                "secret was tagged, and nothing else was changed."
            ) from None
        raise


def untouched(version: str, now: SecretFacts) -> str:
    """Whether `version`, which held the adopted key, is still what readers get: a look, since an import must not
    rotate."""
    if now.current == version and now.pending is None:
        return f"Readers keep the adopted key (version {version})."
    other = now.pending or now.current
    return f"The secret now also has version {other}, beside the adopted version {version}. See `history`."


def dies_early(expires_at: str, next_rotation: datetime | None) -> bool:
    """Whether the key ends before the next one comes."""
    if not expires_at or next_rotation is None:
        return False
    try:
        ends = datetime.fromisoformat(expires_at)
    except ValueError:
        return True
    return ends.tzinfo is None or ends < next_rotation


def plan(tenant: Tenant, names: TenantNames, found: Found) -> list[str]:
    steps = [
        *([f"restore {names.secret}, whose deletion is scheduled"] if found.facts.deleted else []),
        f"tag {names.secret} as {tenant.tenant}'s" if found.untagged else "leave its tags: they are this tenant's",
        "let the sweep function check its value, and stop unless that is this tenant's payload"
        if found.facts.current
        else "check no value, since it holds none",
    ]
    if tenant.minted:
        steps.append("set its rotation to the tenant's slot, without a rotation now")
    ending = [f"if it holds no valid key: {'request a new one' if tenant.minted else 'say so'}"]
    return [
        *steps,
        f"import it into stack {names.stack}"
        + (f", and import the OpenAI project {names.project}" if tenant.minted else ""),
        "replace its resource policy by one that allows only this tenant's runtime and the functions to read",
        "set its other tags, its description and its KMS key as the tenant's file says",
        *ending,
    ]
