"""What `doctor` says of each thing that a cell needs, decided from facts alone: pure functions.

Owns the findings, each with what was seen and what to type. Leaves out every call (`doctor_looks.py`), whether the
account may hold the cell (`doctor_account.py`), and printing. What could not be seen is never called ok.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from functions.sweep.trust import DeadTrust
from myflux_keys.names import admin_secret, store_admin_key
from ops import ways_out
from ops.actions.trust import sentence, way_out
from ops.errors import OperationError, code_of, explain
from ops.rotation_state import SecretFacts

State = Literal["ok", "wrong", "not checked"]

ADMIN_KEY_DAYS: Final = 14
"""The limit of the alarm AdminKeyDaysLeft."""
_DENIED: Final = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "403")
_ACTION: Final = re.compile(r"perform: ([a-z0-9-]+:[A-Za-z]+)")


@dataclass(frozen=True)
class Finding:
    """`seen` is what was found, or why nothing was looked at; `mend` what to type or do, empty where nothing is."""

    check: str
    state: State
    seen: str
    mend: str = ""

    def shown(self) -> dict[str, str]:
        return asdict(self)


def ok(check: str, seen: str) -> Finding:
    return Finding(check, "ok", seen)


def wrong(check: str, seen: str, mend: str) -> Finding:
    return Finding(check, "wrong", seen, mend)


def not_checked(check: str, why: str, mend: str = "") -> Finding:
    return Finding(check, "not checked", why, mend)


def unseen(check: str, error: Exception) -> Finding:
    """For a look that failed: it shows neither that all is well nor that something is wrong."""
    if isinstance(error, ClientError) and code_of(error) in _DENIED:
        found = _ACTION.search(error.response.get("Error", {}).get("Message", ""))
        action = found[1] if found else error.operation_name
        return not_checked(check, f"AWS denied {action}", f"look as somebody who may call {action}")
    told = explain(error) if isinstance(error, BotoCoreError | ClientError) else str(error)
    return not_checked(check, told)


def redeploy(cell: str) -> str:
    return f"`pulumi up --refresh --stack {cell}`, or `myflux-keys up --cell {cell}` if it was never deployed"


def provider(issuer: str, arn: str, audience: str, audiences: Sequence[str] | None) -> Finding:
    """`audiences` None: there is no such provider in the account."""
    check = "OIDC provider"
    if audiences is None:
        return wrong(
            check,
            f"the account has no provider {issuer}, so no job can assume the pipeline's role",
            f"`aws iam create-open-id-connect-provider --url https://{issuer} --client-id-list {audience}`; for a "
            "bootstrapped cell `myflux-keys bootstrap` makes it",
        )
    if audience not in audiences:
        return wrong(
            check,
            f"{issuer} does not accept the audience {audience}, which the jobs' tokens have",
            "`aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn "
            f"{arn} --client-id {audience}`",
        )
    return ok(check, f"{issuer} accepts {audience}")


def pipeline_trust(cell: str, role: str, subject: str, wanted: Mapping[str, Any], found: Any) -> Finding:
    """`found` is the role's trust policy; None where there is no such role."""
    check = "pipeline's role"
    if found is None:
        return wrong(check, f"there is no role {role}", redeploy(cell))
    if found != wanted:
        return wrong(check, f"{role} does not trust exactly the jobs of the cell's file ({subject})", redeploy(cell))
    return ok(check, f"{role} trusts {subject}, and nothing else")


def readers(
    cell: str, runtime_role: str, there: Sequence[str], absent: Sequence[str], dead: Sequence[DeadTrust]
) -> Finding:
    """`there` and `absent` are the roles that read keys, of the runtime and of dedicated tenants."""
    check = "roles that read keys"
    if runtime_role in absent:
        return wrong(check, f"there is no role {runtime_role}", redeploy(cell))
    if dead:
        first, *more = dead
        told = sentence(cell, first) + (f" So do {', '.join(one.role for one in more)}." if more else "")
        return wrong(check, told, way_out(cell, first))
    seen = f"{', '.join(there)}: all whom they trust exist"
    return ok(check, seen + (f"; not deployed yet: {', '.join(absent)}" if absent else ""))


@dataclass(frozen=True)
class FunctionSeen:
    """As GetFunctionConfiguration and GetFunctionConcurrency have it. `reserved` is 0 where nothing is reserved, `code`
    the hash of the zip."""

    state: str
    update: str
    reason: str
    reserved: int
    code: str = ""


def functions(cell: str, seen: Mapping[str, FunctionSeen | None]) -> Finding:
    """By name; None for one that is not there."""
    check = "functions"
    if gone := [name for name, one in seen.items() if one is None]:
        return wrong(check, f"there is no function {', '.join(gone)}", redeploy(cell))
    bad = {name: one for name, one in seen.items() if one and (one.state, one.update) != ("Active", "Successful")}
    if bad:
        told = [
            f"{name} is {one.state}, its last update {one.update} {one.reason}".rstrip() for name, one in bad.items()
        ]
        waits = all(one.state == "Pending" or one.update == "InProgress" for one in bad.values())
        return wrong(check, "; ".join(told), "wait a minute and look again" if waits else redeploy(cell))
    return ok(check, f"{', '.join(seen)}: Active")


def admin_key(cell: str, secret: SecretFacts | None, made: datetime | None) -> Finding:
    """`secret` None: it does not exist. `made` is when the live version was stored, None where AWS does not say it."""
    check, name = "admin key", admin_secret(cell)
    if secret is None:
        return wrong(check, f"there is no secret {name}", redeploy(cell))
    if secret.deleted:
        return wrong(
            check,
            f"the deletion of {name} is scheduled",
            ways_out.restored(name, f"pulumi up --refresh --stack {cell}"),
        )
    if secret.current is None:
        return wrong(check, f"{name} holds no key yet", f"`{store_admin_key(name)}`")
    rotate = f"`myflux-keys admin-key rotate --cell {cell} --wait`"
    age = f"stored {_days(secret.answered_at - made)} ago" if made else "stored; AWS does not say when"
    if not secret.rotation_enabled:
        return wrong(check, f"{age}; its rotation is off", f"`pulumi up --refresh --stack {cell}`")
    if secret.next_rotation is None:
        return not_checked(check, f"{age}; AWS names no next rotation", rotate)
    due = f"{secret.next_rotation:%Y-%m-%d}"
    if secret.next_rotation < secret.answered_at:
        return wrong(check, f"{age}; its rotation was due on {due}", rotate)
    return ok(check, f"{age}, rotates by {due}")


def _days(span: timedelta) -> str:
    return f"{max(span.days, 0)} d"


def openai(cell: str, organization: str, calls: int, days_left: float | None) -> Finding:
    """From the sweep function's answer. `calls`: how many OpenAI answered."""
    check = "OpenAI organization"
    if not calls:
        return not_checked(
            check,
            "the cell has no admin key, so its function asked nothing",
            f"`{store_admin_key(admin_secret(cell))}`",
        )
    if days_left is None:
        return ok(check, f"{organization} answers the cell's admin key, whose expiry OpenAI's list does not show")
    if days_left < ADMIN_KEY_DAYS:
        return wrong(
            check,
            f"the admin key expires in {days_left:.0f} days",
            f"`myflux-keys admin-key rotate --cell {cell} --wait`",
        )
    return ok(check, f"{organization} answers the cell's admin key, which expires in {days_left:.0f} days")


def openai_failed(cell: str, error: OperationError) -> Finding:
    """For a sweep function that ran, and failed."""
    return wrong(
        "OpenAI organization",
        str(error),
        f"if OpenAI refuses the admin key, store another: `{store_admin_key(admin_secret(cell))}`",
    )


def openai_limits(cell: str) -> Finding:
    return not_checked(
        "OpenAI limits",
        "no function reports the organization's limits and balance; whether its policies allow our keys is seen only "
        "by making one, which the sweep does once a day",
        f"to make one now: `myflux-keys sweep --cell {cell} --governance`; the rest: OpenAI's site, Settings, Limits",
    )


def alarms(cell: str, topic: str, region: str, emails: Mapping[str, bool | None] | None) -> Finding:
    """`emails`: whether each address of the cell's file has confirmed; None for one that is not subscribed. `emails`
    None: there is no topic."""
    check = "alarms"
    if emails is None:
        return wrong(check, f"there is no topic {topic}", redeploy(cell))
    if not emails:
        return not_checked(
            check,
            "the cell's file has no alarm_emails, so nobody is known who should hear an alarm",
            "add alarm_emails",
        )
    if missing := [email for email, confirmed in emails.items() if confirmed is None]:
        return wrong(
            check, f"{', '.join(missing)} is not subscribed: AWS ends what is not confirmed in time", redeploy(cell)
        )
    if silent := [email for email, confirmed in emails.items() if not confirmed]:
        return wrong(
            check,
            f"{', '.join(silent)} has not confirmed, and hears nothing",
            "open the link in AWS's message to that address; to have it sent again: `aws sns subscribe --region "
            f"{region} --topic-arn {topic} --protocol email --notification-endpoint {silent[0]}`",
        )
    return ok(check, f"{', '.join(emails)}: confirmed")
