"""What a revocation would do, in words, for a dry run.

Pure: from the tenant's file, what AWS has and what OpenAI lists as valid. Leaves out looking (`run_revoke_plan.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from myflux_keys.identity import TOKEN_SECONDS
from ops.actions.end_keys import Seen
from ops.actions.revoke import DENY, ENABLE, KILL, MINT
from ops.journal import Journal
from tenancy import Cell, Tenant

_ENDED: Final = "revoke no key: the stopped run has done that"


@dataclass(frozen=True)
class Planned:
    """`valid` is what OpenAI lists now. `stopped` is the record of the run that would be continued, and `next` its
    first step that is not done; None and empty for a new run. `kept` has a sentence for each valid key that would not
    be revoked."""

    steps: list[str]
    valid: Seen
    kept: list[str]
    stopped: Journal | None
    next: str


def of_keys(tenant: Tenant, seen: Seen, *, opened: bool, stopped: Journal | None) -> Planned:
    """`opened`: readers are allowed now."""
    done = stopped.done if stopped else []
    steps = [
        "deny reads of its secret" if opened else "leave reads of its secret denied, as they are already",
        _ENDED if KILL in done else _revoked(seen),
        "make no key: the stopped run has made one" if MINT in done else "rotate its secret: make a new key",
        _check(seen) if MINT in done else "check at OpenAI that the new key is the only valid one of the tenant",
        "allow reads again" if tenant.enabled else "leave reads denied, as the tenant's file says (enabled: false)",
    ]
    following = next((step for step in (DENY, KILL, MINT) if step not in done), ENABLE) if stopped else ""
    return Planned(steps, seen, _kept(tenant, seen), stopped, following)


def of_tokens(
    cell: Cell, tenant: Tenant, seen: Seen, *, denied: bool, enabled: bool, stopped: Journal | None, first: str
) -> Planned:
    """`denied`: all sessions are now. `enabled`: what the file said before the revocation, or before the stopped one.
    `first`: the step with which every run begins, also one that continues."""
    stack = cell.names.tenant(tenant.tenant).stack
    write = "write `enabled: false` to the tenant's file, and deploy" if tenant.enabled else "deploy"
    steps = [
        "leave every session of its runtime denied in IAM, as they are already"
        if denied
        else "deny every session of its runtime in IAM",
        f"{write} {stack}: {_deleted(seen.rules or ())}. A token that is out lives up to {TOKEN_SECONDS // 60} minutes "
        "more",
    ]
    if tenant.credential == "key":
        done = stopped.done if stopped else []
        ended = _ENDED if KILL in done else _revoked(seen)
        steps.append(f"{ended}; {'keep the new one that it made' if MINT in done else 'make a new one'}")
    elif tenant.has_key:
        steps.append(f"{_revoked(seen)}; make none, since its runtime uses tokens")
    if enabled:
        steps.append(f"write `enabled` to the file as it was, and deploy {stack}: a new federation rule")
    steps.append("allow sessions that begin from then on; those from before stay denied")
    steps.append(
        f"prove by a real call that a {'key' if tenant.credential == 'key' else 'token'} is accepted"
        if enabled
        else "leave it without a rule, as the tenant's file says (enabled: false)"
    )
    return Planned(steps, seen, _kept(tenant, seen), stopped, first if stopped else "")


def valid_now(seen: Seen) -> str:
    """What OpenAI accepts now, as a sentence."""
    keys = [*([f"{seen.current} (current)"] if seen.current else []), *seen.others, *seen.foreign]
    keys += [key.key for key in seen.beyond]
    rules = "" if seen.rules is None else f"; federation rules: {', '.join(seen.rules) or 'none'}"
    unseen = f" Not seen: {seen.unseen}." if seen.unseen else ""
    return f"Valid at OpenAI now: {', '.join(keys) or 'no key'}{rules}.{unseen}"


def _ours(seen: Seen) -> tuple[str, ...]:
    return (*((seen.current,) if seen.current else ()), *seen.others)


def _revoked(seen: Seen) -> str:
    keys = _ours(seen)
    if not keys:
        return "revoke no key at OpenAI: it lists none of the tenant as valid"
    return f"revoke {len(keys)} key{'' if len(keys) == 1 else 's'} at OpenAI: {', '.join(keys)}"


def _check(seen: Seen) -> str:
    """Of a run that is continued after its new key was made: OpenAI shows now what the check would find."""
    if seen.current and not seen.others:
        return f"check at OpenAI that {seen.current} is the only valid key of the tenant, as it is now"
    found = f"besides it OpenAI accepts {', '.join(seen.others)}" if seen.others else "the new key is not valid"
    return (
        f"check OpenAI and stop there with reads denied, since {found}: the run after that revokes and makes keys again"
    )


def _deleted(rules: Sequence[str]) -> str:
    if not rules:
        return "OpenAI lists no federation rule of it, so there is none to delete"
    if len(rules) == 1:
        return f"federation rule {rules[0]} is deleted"
    return (
        f"its federation rule is deleted. OpenAI lists {', '.join(rules)}: it stops here, with sessions denied, if its "
        "stack did not make one of them"
    )


def _kept(tenant: Tenant, seen: Seen) -> list[str]:
    kept: list[str] = []
    if not tenant.has_key and _ours(seen):
        kept.append(
            f"{', '.join(_ours(seen))}: the tenant has no key by its file; `myflux-keys sweep {tenant.tenant} "
            "--dry-run` says what becomes of each"
        )
    if seen.foreign:
        kept.append(f"{', '.join(seen.foreign)}: not made by MyFlux, and not held by the secret")
    return kept + [key.sentence for key in seen.beyond]
