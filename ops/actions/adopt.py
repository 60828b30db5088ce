"""Imports an existing OpenAI project and secret into a tenant's stack, without a new key.

Owns the conditions, what the function's answer about the value means, and turning rotation on without a rotation.
Leaves out reading the value (`functions/sweep/inspect.py`), which no person may do, and the import by the engine.
Rotation is set to the tenant's slot before the import, so the stack has nothing to change: the next key comes in that
slot, and not at once, unless the secret holds no valid key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from myflux_keys.aws_names import CellNames, TenantNames
from myflux_keys.names import SERVICE_ACCOUNT
from myflux_keys.version_labels import PENDING
from ops import ways_out
from ops.account import Account
from ops.actions.rotate import is_incomplete, new_token, start
from ops.errors import OperationError, code_of
from ops.rotation_state import SecretFacts, facts
from tenancy import Tenant, slots

_ALIVE: Final = ("accepted", "restricted", "unpaid", "model_unreachable")
"""Values of `functions.rotation.proof.Proof` for a key that OpenAI does not refuse."""


@dataclass(frozen=True)
class Found:
    """The secret before the adoption. `untagged` are the tags of this tenant that it does not have yet."""

    facts: SecretFacts
    untagged: Mapping[str, str]


def inspected(account: Account, tenant: Tenant) -> Found:
    """Raises OperationError for a secret that cannot be adopted. Changes nothing."""
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
    secret = facts(answer)
    return Found(secret, {tag: value for tag, value in names.tags.items() if tag not in secret.tags})


def refused(secret: Mapping[str, Any], names: TenantNames, cells_key: str) -> tuple[str, str] | None:
    """Why the secret of DescribeSecret's answer cannot be adopted, and the way out; None where it can."""
    found = facts(secret)
    key = str(secret.get("KmsKeyId") or "")
    other = {tag: found.tags[tag] for tag, value in names.tags.items() if found.tags.get(tag, value) != value}
    if other:
        tags = ", ".join(f"{tag}={value}" for tag, value in other.items())
        return f"it has the tags {tags} of another owner", "find the owner, and remove the tags if they agree"
    if found.pending is not None:
        return (
            f"a rotation to version {found.pending} has not finished",
            f"wait for it, or remove {PENDING} from that version",
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


def restore(account: Account, found: Found) -> None:
    """Cancels the secret's deletion, if it is scheduled: until then nobody can read its value."""
    if found.facts.deleted:
        account.secrets.restore_secret(SecretId=found.facts.arn)


def claim(account: Account, found: Found) -> None:
    """Adds this tenant's tags, once its value is known to be this tenant's."""
    if found.untagged:
        tags = [{"Key": tag, "Value": value} for tag, value in sorted(found.untagged.items())]
        account.secrets.tag_resource(SecretId=found.facts.arn, Tags=tags)  # pyright: ignore[reportArgumentType]


def judged(answer: Mapping[str, Any], tenant: Tenant, names: TenantNames) -> list[str]:
    """Notices for the operator about a value that can be adopted. `answer` is the function's answer to "inspect".

    Raises OperationError for a value that readers would refuse or that a rotation could not replace.
    """
    try:
        if answer["problem"] is not None:
            raise _value(tenant, names.secret, str(answer["problem"]))
        source, proof, project = answer["source"], answer["proof"], answer.get("project")
        if source != tenant.source:
            raise _value(
                tenant, names.secret, f"its payload has source: {source}, but the tenant's file has {tenant.source}"
            )
        if proof == "refused":
            if source == "managed" and project is None:
                raise _not(tenant, *_used_up(tenant, names))
            # No reader can use this key, so it is replaced, and its project does not matter.
            return [f"OpenAI refuses the key {answer['key_id'] or 'that it holds'}: it is revoked or expired."]
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
                f"the project of its key ({answer['project_id']}) {called}, but this tenant's project is "
                f"{names.project}",
            )
        if not answer["listed"]:
            raise _value(
                tenant, names.secret, f"OpenAI does not list its key {answer['key_id']} in project {names.project}"
            )
        if answer["service_account"] != SERVICE_ACCOUNT:
            notices.append(
                f"The key belongs to the service account {answer['service_account']}; new keys belong to "
                f"{SERVICE_ACCOUNT}. Keys of both are revoked in the same way: one overlap after the next rotation, "
                "and at once by `revoke` and `offboard`."
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
        f"the key that it holds is revoked, and the OpenAI project {names.project} is archived, which is final",
        ways_out.another_slug(tenant.tenant).removesuffix("."),
    )


def _value(tenant: Tenant, secret: str, why: str) -> OperationError:
    return OperationError(
        f"{tenant.tenant} cannot be adopted, because of its secret's value: {why}. The value was not shown and not "
        "changed. Way out: ask its owner to store a payload of schema 1 for this tenant (docs/adr/0019); or "
        f"{ways_out.made_anew(secret, f'myflux-keys up {tenant.tenant}')}"
    )


def put_back(account: Account, found: Found) -> None:
    """Schedules the deletion again that `restore` cancelled, where the secret cannot be adopted."""
    if found.facts.deleted:
        account.secrets.delete_secret(SecretId=found.facts.arn, RecoveryWindowInDays=account.cell.recovery_window_days)


def is_refused(answer: Mapping[str, Any]) -> bool:
    """Whether OpenAI refuses the key, by the function's `answer` to "inspect"."""
    return answer.get("proof") == "refused"


def new_key(account: Account, tenant: Tenant, found: Found) -> str:
    """Requests a key where the secret holds no valid one; returns a sentence with what is left to do."""
    slug = tenant.tenant
    if not tenant.minted:
        return f"It has no valid key: ask the customer for one, then `myflux-keys key set {slug}`."
    started = start(account.secrets, found.facts, new_token("adopt"))
    if started.problem:
        return f"A new key could not be requested: {started.problem} Then run `myflux-keys rotate {slug} --wait`."
    return f"A new key was requested, version {started.version}; `myflux-keys status` shows whether it is live."


def rotate_from_next_slot(account: Account, tenant: Tenant, found: Found) -> None:
    """Sets rotation as the tenant's stack would, without a rotation. AWS only tests the function, with a version that
    it then removes. Raises OperationError."""
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
    """A sentence on whether readers still get `version`, which holds the adopted key: an import must not rotate."""
    if now.current == version and now.pending is None:
        return f"Readers keep the adopted key (version {version})."
    other = now.pending or now.current
    return f"The secret now also has version {other}, beside the adopted version {version}. See `history`."


def ends_early(expires_at: str, next_rotation: datetime | None) -> bool:
    """Whether the key ends before the next rotation."""
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
        "let the sweep function check its value, and stop unless it is this tenant's payload"
        if found.facts.current
        else "check no value, since it holds none",
        f"tag {names.secret} as {tenant.tenant}'s" if found.untagged else "keep its tags, which are this tenant's",
    ]
    if tenant.minted:
        steps.append("turn its rotation on in the tenant's slot, without rotating now")
    ending = [f"if it holds no valid key: {'request a new one' if tenant.minted else 'report that'}"]
    return [
        *steps,
        f"import it into stack {names.stack}"
        + (f", and import the OpenAI project {names.project}" if tenant.minted else ""),
        "replace its resource policy by one that allows only this tenant's runtime and the functions to read",
        "set its other tags, its description and its KMS key as the tenant's file says",
        *ending,
    ]
