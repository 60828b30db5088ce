"""Revokes a tenant's keys after a leak: deny readers, revoke every key, make a new one, allow readers again.

Owns the order: reads are denied first and allowed last, and a record on disk holds the steps that are done, so a run
that is stopped leaves reads denied. Leaves out revoking keys, which only a function with the admin key can do, and
asking the operator. Each step is safe to repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from botocore.exceptions import ClientError

from ops import journal
from ops.account import Account, aws_time
from ops.actions.access import Access, is_open
from ops.actions.end_keys import Killed, Seen, spoken
from ops.actions.rotate import Waiting, failure_of, is_incomplete, new_token, not_startable
from ops.actions.trail import rotation_failures
from ops.errors import OperationError
from ops.journal import Journal
from ops.rotation_state import SecretFacts, facts
from tenancy import Tenant

OPERATION: Final = "revoke"
DENY: Final = "deny"
KILL: Final = "kill"
MINT: Final = "mint"
ENABLE: Final = "enable"

_POLL_SECONDS: Final = 1.0
_FAILURES_EVERY: Final = 5
_CONTINUES_FOR: Final = timedelta(days=1)


def ready(account: Account, tenant: Tenant) -> bool:
    """Whether readers are allowed now. Raises OperationError where a later step could not succeed; nothing was changed
    then."""
    account.check()
    names = account.cell.names.tenant(tenant.tenant)
    policy = Access(account.secrets, account.cell, tenant).policy()
    refusal = not_startable(facts(account.secrets.describe_secret(SecretId=names.secret)), tenant.tenant)
    if refusal:
        raise OperationError(f"{tenant.tenant}: {refusal} Nothing was changed.")
    return is_open(policy)


def continues(run: Journal, *, opened: bool, now: datetime) -> bool:
    """Whether a stopped revocation continues where it stopped, instead of starting again.

    Only while access has stayed denied, and for a day: a key that readers could read since then, or a session that
    began since, may be what has leaked now, so the new run must end it too. `opened`: it was allowed again.
    """
    return bool(run.done) and not opened and now - datetime.fromisoformat(run.begun) < _CONTINUES_FOR


def stopped(place: Path, slug: str, *, opened: bool) -> Journal | None:
    """The record of the run that the next one continues; None where that one begins anew. Raises OperationError."""
    run = journal.unfinished(place, OPERATION, [slug])
    return run if run is not None and continues(run, opened=opened, now=datetime.now(UTC)) else None


@dataclass(frozen=True)
class Revoked:
    """`readable`: readers are allowed at the end. `seen` is the last check at OpenAI, after the new key was live."""

    readable: bool
    seen: Seen


class Revoke:
    """One tenant's revocation: continues after the steps that `run` holds."""

    def __init__(
        self,
        account: Account,
        tenant: Tenant,
        run: Journal,
        *,
        kill: Callable[[str], Killed],
        look: Callable[[str], Seen],
        report: Callable[[str], None],
        waiting: Waiting | None = None,
    ) -> None:
        """`kill` revokes every key of the tenant; `look` returns the valid keys, and changes nothing."""
        self._account = account
        self._tenant = tenant
        self._journal = run
        self._kill = kill
        self._look = look
        self._report = report
        self._waiting = waiting or Waiting()
        self._names = account.cell.names.tenant(tenant.tenant)
        self._access = Access(account.secrets, account.cell, tenant)

    def run(self) -> Revoked:
        """Reads of a tenant whose file says `enabled: false` stay denied at the end. Raises OperationError."""
        # Also when it continues: a `pulumi up` may have allowed reads a moment ago.
        changed = self._access.switch(enabled=False)
        self._step(DENY, "reads are denied" if changed else "reads were already denied")
        for step, act in ((KILL, self._kill_all), (MINT, self._mint)):
            if step not in self._journal.done:
                self._step(step, act())
        seen = self._checked()
        if self._tenant.enabled:
            self._access.switch(enabled=True)
            self._step(ENABLE, "reads are allowed again, with the new key")
        else:
            self._step(ENABLE, "reads stay denied, as the tenant's file says (enabled: false)")
        return Revoked(self._tenant.enabled, seen)

    def _step(self, step: str, sentence: str) -> None:
        self._journal.mark(step)
        self._report(sentence)

    def _kill_all(self) -> str:
        done = self._kill(self._tenant.tenant)
        if done.failed:
            raise OperationError(
                f"it is not certain that every key is revoked ({'; '.join(done.failures)}). Delete them on "
                f"OpenAI's site, in project {self._names.project}, then run the same command again. Reads of "
                f"{self._tenant.tenant} stay denied."
            )
        return f"{spoken(done.revoked)}; OpenAI refuses every key of its project that a version of its secret holds"

    def _checked(self) -> Seen:
        """The last check at OpenAI, which the final sentence reports. Raises OperationError, and the next run revokes
        keys again: another valid key may have been minted between the two checks."""
        seen = self._look(self._tenant.tenant)
        if seen.current is not None and not seen.others:
            self._report(f"checked: {seen.current} is the only valid key of {self._tenant.tenant}")
            return seen
        self._journal.done = [step for step in self._journal.done if step not in (KILL, MINT)]
        self._journal.entries[self._tenant.tenant].version = ""
        self._journal.save()
        others = f"these keys are still valid: {', '.join(seen.others)}" if seen.others else "no key is valid"
        new = (
            f"besides the new one, {seen.current}" if seen.current else "and OpenAI does not list the new one as valid"
        )
        raise OperationError(
            f"{self._tenant.tenant}: {others} {new}. Run the same command again: it revokes them and makes another "
            "key. Reads stay denied."
        )

    def _mint(self) -> str:
        """Waits for a rotation that already runs, which may hold a key that was just revoked, then rotates again."""
        entry = self._journal.entries[self._tenant.tenant]
        if not entry.version or (entry.accepted and entry.version not in self._facts().stages):
            # An earlier run started it and its version is gone: the rotation failed, and its token cannot be reused.
            entry.version = new_token(self._journal.operation)
        entry.accepted = ""
        self._journal.save()
        give_up = self._waiting.now() + self._waiting.give_up_seconds
        polls = 0
        while not (found := self._facts()).has_finished(entry.version):
            if self._waiting.now() > give_up:
                raise OperationError(self._unfinished("there is no new key yet."))
            if not entry.accepted:
                self._request(found)
            polls += 1
            if entry.accepted and polls % _FAILURES_EVERY == 0:
                since = datetime.fromisoformat(entry.accepted)
                why = failure_of(found.arn, since, rotation_failures(self._account.trail, since))
                if why:
                    raise OperationError(self._unfinished(f"the rotation failed. {why}"))
            self._waiting.sleep(_POLL_SECONDS)
        return f"a new key is live, version {entry.version}"

    def _request(self, found: SecretFacts) -> None:
        """RotateSecret; called again later while AWS still works on an earlier rotation."""
        entry = self._journal.entries[self._tenant.tenant]
        try:
            answer = self._account.secrets.rotate_secret(SecretId=found.arn, ClientRequestToken=entry.version)
        except ClientError as error:
            if not is_incomplete(error):
                raise
        else:
            entry.accepted = aws_time(answer).isoformat()
            self._journal.save()

    def _unfinished(self, why: str) -> str:
        log = self._account.cell.names.log_group(self._account.cell.names.rotation_function)
        return (
            f"{self._tenant.tenant}: {why} The old keys are revoked, and reads stay denied. The reason is in {log}; "
            "run the same command again to continue."
        )

    def _facts(self) -> SecretFacts:
        return facts(self._account.secrets.describe_secret(SecretId=self._names.secret))


def consequences(tenant: Tenant) -> list[str]:
    """What a revocation interrupts, shown before the question."""
    sentences = [
        "Every key of this tenant is revoked at once, also keys that only an old version of its secret holds. Running "
        "calls fail, and so do new calls until the new key is live, usually within half a minute.",
        "Reads are denied until then. Readers fetch the new key by themselves.",
    ]
    sentences.extend(one.when_revoked for one in tenant.consumers.used if one.when_revoked)
    if not tenant.enabled:
        sentences.append("The tenant's file says `enabled: false`, so reads stay denied afterwards.")
    return sentences
