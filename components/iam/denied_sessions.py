"""Tenants whose sessions of the runtime role AWS denies everything, as a pure function of the document before.

Owns an inline policy of the runtime role that no stack deploys: a command writes it within seconds, and no `pulumi up`
takes it away, since Pulumi manages no inline policy that the program does not name. It only denies. A denial of all
sessions holds until a command changes it; one of sessions before a time is over when the last of them has ended. Why
like this: docs/adr/0043-no-key-at-all.md. It is AWS's own way to end sessions:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from components.iam.statements import Document, Statement, document
from myflux_keys.names import TAG_TENANT

POLICY: Final = "denied-sessions"
"""The inline policy's name."""
LONGEST_SESSION: Final = timedelta(hours=1)
"""Of the runtime role: its MaxSessionDuration, and AWS's limit where a role assumes a role."""
LONGEST: Final = 10_240
"""Characters of a role's inline policies together, without white space. The runtime role has no other."""

_ISSUED: Final = "aws:TokenIssueTime"
_OF: Final = f"aws:PrincipalTag/{TAG_TENANT}"
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
ALL: Final = datetime.max.replace(tzinfo=UTC)
"""As the time of a denial: every session, also those that begin later."""


def denials(held: Mapping[str, Any] | None) -> dict[str, datetime]:
    """By tenant, before which time a session must have begun to be denied; ALL for every session. `held` is the
    document, None where there is none."""
    return {slug: at for one in (held or {}).get("Statement", ()) if (slug := _tenant(one)) and (at := _before(one))}


def changed(held: Mapping[str, Any] | None, tenant: str, before: datetime | None, now: datetime) -> Document:
    """The document with this denial of `tenant` in the place of any other, or without one where `before` is None.
    Denials that are over at `now` are left out; statements that are not ours stay."""
    kept = [
        one
        for one in (held or {}).get("Statement", ())
        if (slug := _tenant(one)) is None or (slug != tenant and not _is_over(one, now))
    ]
    return document(*kept, *([_denied(tenant, before)] if before else []))


def _denied(tenant: str, before: datetime) -> Statement:
    """In UTC, whole seconds: AWS has the time of a session so."""
    condition: dict[str, Any] = {"StringEquals": {_OF: tenant}}
    if before != ALL:
        condition["DateLessThan"] = {_ISSUED: before.astimezone(UTC).strftime(_TIME)}
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}


def _tenant(statement: Mapping[str, Any]) -> str | None:
    """None for a statement that is not of our form."""
    condition: Mapping[str, Any] = statement.get("Condition", {})
    slug = condition.get("StringEquals", {}).get(_OF)
    return slug if isinstance(slug, str) and _before(statement) else None


def _before(statement: Mapping[str, Any]) -> datetime | None:
    condition: Mapping[str, Any] = statement.get("Condition", {})
    if statement.get("Effect") != "Deny" or set(condition) - {"StringEquals", "DateLessThan"}:
        return None
    if "DateLessThan" not in condition:
        return ALL
    try:
        return datetime.strptime(condition["DateLessThan"][_ISSUED], _TIME).replace(tzinfo=UTC)
    except (KeyError, TypeError, ValueError):
        return None


def _is_over(statement: Mapping[str, Any], now: datetime) -> bool:
    before = _before(statement)
    return before is not None and before != ALL and now - before > LONGEST_SESSION
