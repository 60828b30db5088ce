"""What holds after a confirmation: the state of the hand-over, and the old key's last use and end.

The sweep function alone asks OpenAI, so its dry run tells about the keys. Owns the call and the sentences. Leaves out
the rules (`functions/shared/handover.py`) and how long the old key lives (`functions/sweep/`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from functions.shared.handover import Current, Handover, OldKey, Standing, standing
from functions.shared.old_keys import Versions, old_keys
from functions.shared.openai_admin import Key
from myflux_keys import names
from ops import ways_out
from ops.account import Account
from ops.actions import functions_client, history
from ops.errors import OperationError, explain
from ops.rotation_state import facts
from tenancy import Tenant

_SECONDS: Final = 40
"""For the function: it waits where OpenAI's Admin API is busy, and a person waits for it."""


@dataclass(frozen=True)
class Keys:
    """`old` None: nobody could look, for the reason `why`."""

    old: Sequence[OldKey] | None
    why: str = ""


def now(account: Account, tenant: Tenant, record: Handover) -> tuple[Standing | None, list[str]]:
    """None: nobody could look, and the sentences say so. What was recorded stays recorded."""
    try:
        found = _look(account, tenant, record)
    except (BotoCoreError, ClientError) as error:
        return None, [_recorded(tenant, record), f"What holds now was not seen: {explain(error)}"]
    return found[0], sentences(tenant, record, *found)


def _look(account: Account, tenant: Tenant, record: Handover) -> tuple[Standing, Keys]:
    secret = facts(account.secrets.describe_secret(SecretId=account.cell.names.tenant(tenant.tenant).secret))
    made = {one.id: one.made.timestamp() for one in history.versions(account.secrets, secret.arn)}
    labels = {version: tuple(stages) for version, stages in secret.stages.items()}
    at = secret.answered_at.timestamp()
    found = _keys(account, tenant, Versions(labels, made), at) if tenant.minted else Keys(None)
    current = secret.current or ""
    return standing(record, Current(current, made.get(current)), found.old, at, readable=tenant.minted), found


def _keys(account: Account, tenant: Tenant, versions: Versions, at: float) -> Keys:
    cell, slug = account.cell, tenant.tenant
    event = {"action": "sweep", "tenants": [slug], "dry_run": True, "seconds": _SECONDS}
    try:
        answer = functions_client.call(cell, cell.names.sweep_function, event, account.functions)
    except OperationError as error:
        return Keys(None, str(error))
    if slug in answer["failed"]:
        return Keys(None, f"{answer['failed'][slug]}.")
    if not answer["done"]:
        return Keys(None, "OpenAI's Admin API is busy.")
    return Keys(old_of(answer["plan"], cell.cell, slug, versions, at))


def old_of(plan: Sequence[Mapping[str, Any]], cell: str, tenant: str, versions: Versions, now: float) -> list[OldKey]:
    """The tenant's keys of the sweep's plan that were live before, as `old_keys` finds them. Pure. The plan is of the
    tenant's own service account, and OpenAI made each key when its version was stored."""
    prefix = names.key_name(cell, tenant, "")
    listed = [
        Key(
            id=entry["key_id"],
            name=entry["key_name"],
            created_at=int(versions.made.get(str(entry["key_name"]).removeprefix(prefix), 0)),
            expires_at=_unix(entry["expires_at"]),
            service_account_id="",
            last_used_at=_unix(entry["last_used_at"]),
        )
        for entry in plan
    ]
    return old_keys(listed, cell, tenant, "", versions, now)


def sentences(tenant: Tenant, record: Handover, holds: Standing, found: Keys) -> list[str]:
    """Pure."""
    slug, who = tenant.tenant, record.consumer.upper()
    lines = [_recorded(tenant, record)]
    if holds.state == "due":
        lines.append(
            f"The key was rotated meanwhile, so {who} has an old one already: run "
            f"`{ways_out.hand_over(slug, record.consumer)}` again."
        )
    elif holds.state == "unknown":
        lines.append(
            "Nobody can see when a customer's own key was used last. Once calls work, they may delete the old one."
        )
    elif found.old is None:
        lines.append(f"The old key was not looked at: {found.why} `myflux-keys status {slug}` shows it later.")
    elif holds.old is None:
        lines.append("No old key is left, so the hand-over is done.")
    else:
        lines += _of_old_key(slug, holds, holds.old)
    return lines


def _recorded(tenant: Tenant, record: Handover) -> str:
    return (
        f"Recorded and read back: {record.consumer.upper()} has version {record.version_id} of {tenant.tenant}'s key "
        f"since {_minute(record.confirmed_at)}, as {record.by} confirmed."
    )


def _of_old_key(slug: str, holds: Standing, old: OldKey) -> list[str]:
    used = "was never used" if old.last_used_at is None else f"was last used {_minute(old.last_used_at)}"
    ends = "has no end of its own" if old.expires_at is None else f"ends {_minute(old.expires_at)}"
    told = f"The old key {old.id} {used}, and {ends}."
    if holds.state == "done":
        return [told, "It is unused since, so the hand-over is done."]
    last = f", to {_minute(old.last_day)} at the latest" if old.last_day is not None else ""
    return [
        told,
        f"As long as it may be in use it is extended{last}. Done is when it stays unused: `myflux-keys status {slug}`.",
    ]


def _minute(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def _unix(text: str | None) -> int | None:
    return None if text is None else int(datetime.fromisoformat(text).timestamp())
